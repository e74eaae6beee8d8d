// A disk in memory, behind the same interface as the real one: embedded brokers without a data directory, and tests.
// Invariant: a file's bytes beyond what was written read as zeros and cost nothing (preallocated indexes stay cheap).
// Runs on: any worker; the files of one MemoryStorage belong to one thread. Not a simulated disk: it loses nothing.

import type { OpenMode, Storage, StorageFile } from './storage.ts';
import { StorageError } from './storage.ts';
import { claimVirtualDescriptor, releaseVirtualDescriptor } from './virtual-descriptors.ts';

/** What is first allocated for a file that is written to. */
const CAPACITY_BYTES_MIN = 1024;

/** The bytes of a file, shared by every handle that is open on it and by its directory entry. */
class MemoryContent {
  bytes: Uint8Array = new Uint8Array(0);
  sizeBytes = 0;

  /** Makes room up to `endBytes`; the new part is zeros. */
  reserve(endBytes: number): void {
    if (endBytes <= this.bytes.length) return;
    let capacity = Math.max(this.bytes.length, CAPACITY_BYTES_MIN);
    while (capacity < endBytes) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

class MemoryFile implements StorageFile {
  readonly path: string;
  readonly descriptor: number;
  #content: MemoryContent;
  #isOpen = true;

  constructor(path: string, content: MemoryContent) {
    this.path = path;
    this.#content = content;
    this.descriptor = claimVirtualDescriptor(this);
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    this.#checkOpen('reading');
    const content = this.#content;
    const count = Math.max(0, Math.min(length, content.sizeBytes - position));
    const stored = Math.max(0, Math.min(count, content.bytes.length - position));
    if (stored > 0) copyBytes(content.bytes, position, target, at, stored);
    if (stored < count) target.fill(0, at + stored, at + count);
    return count;
  }

  readCached(target: Uint8Array, at: number, length: number, position: number): number {
    return this.read(target, at, length, position);
  }

  cacheLater(_length: number, _position: number, done: () => void): void {
    queueMicrotask(done);
  }

  write(source: Uint8Array, at: number, length: number, position: number): number {
    this.#checkOpen('writing');
    const content = this.#content;
    const end = position + length;
    content.reserve(end);
    copyBytes(source, at, content.bytes, position, length);
    if (end > content.sizeBytes) content.sizeBytes = end;
    return length;
  }

  writeGathered(pieces: readonly Uint8Array[], position: number): number {
    let written = 0;
    for (const piece of pieces) written += this.write(piece, 0, piece.length, position + written);
    return written;
  }

  sizeBytes(): number {
    this.#checkOpen('looking at');
    return this.#content.sizeBytes;
  }

  modifiedMs(): number {
    return -1;
  }

  truncate(sizeBytes: number): void {
    this.#checkOpen('truncating');
    const content = this.#content;
    if (sizeBytes < content.sizeBytes && sizeBytes < content.bytes.length) content.bytes.fill(0, sizeBytes);
    content.sizeBytes = sizeBytes;
  }

  sync(): void {
    this.#checkOpen('syncing');
  }

  syncLater(done: (error: StorageError | null) => void): void {
    queueMicrotask(() => done(null));
  }

  close(): void {
    this.#isOpen = false;
    releaseVirtualDescriptor(this.descriptor);
  }

  #checkOpen(doing: string): void {
    if (!this.#isOpen) throw new StorageError('EBADF', this.path, doing);
  }
}

/** `TypedArray.set` wants a view of the source; this makes one only where the range is worth it. */
function copyBytes(source: Uint8Array, at: number, target: Uint8Array, position: number, length: number): void {
  target.set(source.subarray(at, at + length), position);
}

export class MemoryStorage implements Storage {
  #files = new Map<string, MemoryContent>();
  #directories = new Set<string>(['', '.', '/']);

  open(path: string, mode: OpenMode): StorageFile {
    let content = this.#files.get(path);
    if (content === undefined) {
      if (mode !== 'create' || !this.#directories.has(parentOf(path))) throw new StorageError('ENOENT', path, 'opening');
      content = new MemoryContent();
      this.#files.set(path, content);
    }
    return new MemoryFile(path, content);
  }

  exists(path: string): boolean {
    return this.#files.has(path) || this.#directories.has(path);
  }

  list(path: string): string[] {
    const prefix = path === '' ? '' : `${path}/`;
    const names: string[] = [];
    for (const known of [...this.#files.keys(), ...this.#directories]) {
      if (known.length > prefix.length && known.startsWith(prefix) && !known.includes('/', prefix.length))
        names.push(known.slice(prefix.length));
    }
    return names;
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  makeDirectory(path: string): void {
    if (!this.#directories.has(parentOf(path))) throw new StorageError('ENOENT', path, 'making');
    this.#directories.add(path);
  }

  makeDirectories(path: string): void {
    for (let at = path; !this.#directories.has(at); at = parentOf(at)) this.#directories.add(at);
  }

  rename(from: string, to: string): void {
    const content = this.#files.get(from);
    if (content !== undefined) {
      if (!this.#directories.has(parentOf(to))) throw new StorageError('ENOENT', to, 'renaming to');
      this.#files.delete(from);
      this.#files.set(to, content);
      return;
    }
    if (!this.#directories.has(from)) throw new StorageError('ENOENT', from, 'renaming');
    const prefix = `${from}/`;
    for (const [path, moved] of [...this.#files]) {
      if (!path.startsWith(prefix)) continue;
      this.#files.delete(path);
      this.#files.set(`${to}/${path.slice(prefix.length)}`, moved);
    }
    for (const path of [...this.#directories]) {
      if (path !== from && !path.startsWith(prefix)) continue;
      this.#directories.delete(path);
      this.#directories.add(to + path.slice(from.length));
    }
  }

  remove(path: string): void {
    this.#files.delete(path);
    const prefix = `${path}/`;
    for (const known of [...this.#files.keys()]) if (known.startsWith(prefix)) this.#files.delete(known);
    for (const known of [...this.#directories]) if (known === path || known.startsWith(prefix)) this.#directories.delete(known);
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    queueMicrotask(() => {
      this.remove(path);
      done(null);
    });
  }

  syncDirectory(path: string): void {
    if (!this.#directories.has(path)) throw new StorageError('ENOENT', path, 'syncing');
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    queueMicrotask(() => done(this.exists(path) ? null : new StorageError('ENOENT', path, 'syncing')));
  }

  readText(path: string): string | null {
    const content = this.#files.get(path);
    if (content === undefined) return null;
    content.reserve(content.sizeBytes);
    return Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.sizeBytes).toString('utf8');
  }

  replaceText(path: string, text: string): void {
    if (!this.#directories.has(parentOf(path))) throw new StorageError('ENOENT', path, 'writing');
    const content = new MemoryContent();
    content.bytes = new Uint8Array(Buffer.from(text, 'utf8'));
    content.sizeBytes = content.bytes.length;
    this.#files.set(path, content);
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : slash === 0 ? '/' : path.slice(0, slash);
}
