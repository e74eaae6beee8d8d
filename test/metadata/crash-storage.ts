// A disk that stops at the n-th thing that is asked of it, and what is left of it then: all of it (the process died) or what was synced,
// with or without a torn tail (the power went). Directory entries are lost like bytes until their directory is synced.
import type { OpenMode, Storage, StorageFile } from '../../src/log/storage.ts';
import { StorageError } from '../../src/log/storage.ts';

export type Loss = 'nothing' | 'what was not synced' | 'half of what was not synced';

/** Thrown at the chosen operation and at every one after it. */
export class Crash extends Error {}

class Content {
  bytes = Buffer.alloc(0);
  synced = Buffer.alloc(0);

  set(position: number, piece: Uint8Array): void {
    const grown = Buffer.alloc(Math.max(this.bytes.length, position + piece.length));
    grown.set(this.bytes);
    grown.set(piece, position);
    this.bytes = grown;
  }
}

export class CrashStorage implements Storage {
  /** Operations so far that change the disk. */
  operations = 0;
  readonly #crashAt: number;
  #entries = new Map<string, Content>();
  #syncedEntries = new Map<string, Content>();
  readonly #directories = new Set<string>(['', '/']);

  /** Stops at operation `crashAt`, counted from 1; 0 is never. */
  constructor(crashAt = 0) {
    this.#crashAt = crashAt;
  }

  /** What the next start finds, on a disk that stops at its own operation `crashAt`. */
  survivor(loss: Loss, crashAt = 0): CrashStorage {
    const next = new CrashStorage(crashAt);
    for (const directory of this.#directories) next.#directories.add(directory);
    for (const [path, content] of loss === 'nothing' ? this.#entries : this.#syncedEntries) {
      const kept = new Content();
      kept.bytes = Buffer.from(left(content, loss));
      kept.synced = kept.bytes;
      next.#entries.set(path, kept);
      next.#syncedEntries.set(path, kept);
    }
    return next;
  }

  /** Counts an operation; `half` is carried out where the disk stops in the midst of it. */
  #operation(half?: () => void): void {
    this.operations++;
    if (this.#crashAt === 0 || this.operations < this.#crashAt) return;
    if (this.operations === this.#crashAt) half?.();
    throw new Crash(`the disk stopped at operation ${this.#crashAt}`);
  }

  open(path: string, mode: OpenMode): StorageFile {
    let content = this.#entries.get(path);
    if (content === undefined) {
      if (mode !== 'create') throw new StorageError('ENOENT', path, 'opening');
      this.#operation();
      content = new Content();
      this.#entries.set(path, content);
    }
    return this.#file(path, content);
  }

  #file(path: string, content: Content): StorageFile {
    const write = (piece: Uint8Array, position: number): number => {
      this.#operation(() => content.set(position, piece.subarray(0, piece.length >> 1)));
      content.set(position, piece);
      return piece.length;
    };
    const sync = (): void => {
      this.#operation();
      content.synced = Buffer.from(content.bytes);
    };
    const read = (target: Uint8Array, at: number, length: number, position: number): number => {
      const piece = content.bytes.subarray(position, position + length);
      target.set(piece, at);
      return piece.length;
    };
    return {
      path,
      descriptor: -1,
      read,
      readCached: read,
      cacheLater: (_length, _position, done) => queueMicrotask(done),
      write: (source, at, length, position) => write(source.subarray(at, at + length), position),
      writeGathered: (pieces, position) => write(Buffer.concat(pieces), position),
      sizeBytes: () => content.bytes.length,
      modifiedMs: () => -1,
      truncate: (sizeBytes) => {
        this.#operation();
        const cut = Buffer.alloc(sizeBytes);
        cut.set(content.bytes.subarray(0, sizeBytes));
        content.bytes = cut;
      },
      sync,
      syncLater: (done) => {
        queueMicrotask(() => {
          try {
            sync();
            done(null);
          } catch (error) {
            if (!(error instanceof Crash)) throw error; // The process is gone: nobody hears.
          }
        });
      },
      close: () => {},
    };
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    queueMicrotask(() => {
      this.remove(path);
      done(null);
    });
  }

  exists(path: string): boolean {
    return this.#entries.has(path) || this.#directories.has(path);
  }

  list(path: string): string[] {
    const known = [...this.#entries.keys(), ...this.#directories];
    return known.filter((name) => name !== path && parentOf(name) === path).map((name) => name.slice(path.length + 1));
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
    this.#operation();
    const content = this.#entries.get(from);
    if (content === undefined) throw new StorageError('ENOENT', from, 'renaming');
    this.#entries.delete(from);
    this.#entries.set(to, content);
  }

  remove(path: string): void {
    if (!this.#entries.has(path)) return;
    this.#operation();
    this.#entries.delete(path);
  }

  syncDirectory(path: string): void {
    this.#operation();
    for (const name of [...this.#syncedEntries.keys()])
      if (parentOf(name) === path && !this.#entries.has(name)) this.#syncedEntries.delete(name);
    for (const [name, content] of this.#entries) if (parentOf(name) === path) this.#syncedEntries.set(name, content);
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    queueMicrotask(() => {
      try {
        this.syncDirectory(path);
        done(null);
      } catch (error) {
        if (!(error instanceof Crash)) throw error; // The process is gone: nobody hears.
      }
    });
  }

  readText(path: string): string | null {
    return this.#entries.get(path)?.bytes.toString('utf8') ?? null;
  }

  /** The interface promises the old or the new one: one operation. */
  replaceText(path: string, text: string): void {
    this.#operation();
    const content = new Content();
    content.bytes = Buffer.from(text);
    content.synced = content.bytes;
    this.#entries.set(path, content);
    this.#syncedEntries.set(path, content);
  }
}

function left(content: Content, loss: Loss): Buffer {
  if (loss === 'nothing') return content.bytes;
  if (loss === 'what was not synced' || content.bytes.length <= content.synced.length) return content.synced;
  const half = content.synced.length + ((content.bytes.length - content.synced.length) >> 1);
  return Buffer.concat([content.synced, content.bytes.subarray(content.synced.length, half)]);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? (path === '/' ? '' : '/') : path.slice(0, slash);
}
