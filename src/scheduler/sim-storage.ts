// A simulated disk behind the storage interface: it fills up, takes fewer bytes than it was given, fails, and loses at a crash
// what was not synced (sim-medium.ts says how). All of it is drawn from a seed; which faults there are is set by the test.
// Runs on: the simulator's thread. Directories may be listed in any order.
import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { type OpenMode, type Storage, StorageError, type StorageFile } from '../log/storage.ts';
import { claimVirtualDescriptor, releaseVirtualDescriptor } from '../log/virtual-descriptors.ts';
import { afterCrash, DirectoryNode, emptyOut, FileNode, type Node } from './sim-medium.ts';

export type StorageOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'remove'
  | 'list'
  | 'makeDirectory'
  | 'syncDirectory';

/** What may go wrong; all off unless given. Chances are out of 1000 calls. */
export interface StorageFaults {
  /** Bytes that all files together may take: a write beyond that is cut short, or refused with ENOSPC. */
  readonly capacityBytes?: number;
  /** A write takes fewer bytes than it was given. */
  readonly shortWritesIn1000?: number;
  /** EIO instead of the operation. */
  readonly readErrorsIn1000?: number;
  readonly writeErrorsIn1000?: number;
  readonly syncErrorsIn1000?: number;
  /** An errno for this very call, or null: for tests that aim. Asked before the chances are drawn. */
  readonly refuse?: (operation: StorageOperation, path: string) => string | null;
}

export interface SimStorageOptions {
  readonly random: Random;
  readonly faults?: StorageFaults;
  /** Calls `task` some time later, not now: ends of syncLater. The simulator gives it a random delay. */
  readonly later: (task: () => void) => void;
}

export class SimStorage implements Storage {
  readonly #random: Random;
  readonly #later: (task: () => void) => void;
  readonly #root: DirectoryNode;
  readonly #open = new Set<SimFile>();
  #faults: StorageFaults;
  #isGone = false;

  constructor(options: SimStorageOptions, root = new DirectoryNode()) {
    this.#random = options.random;
    this.#later = options.later;
    this.#faults = options.faults ?? {};
    this.#root = root;
  }

  /** From here on these faults, and no others. */
  setFaults(faults: StorageFaults): void {
    this.#faults = faults;
  }

  /** Bytes of all files that have a name. */
  usedBytes(): number {
    const sum = (directory: DirectoryNode): number => {
      let total = 0;
      for (const node of directory.cached.values()) total += node.type === 'file' ? node.cached.sizeBytes : sum(node);
      return total;
    };
    return sum(this.#root);
  }

  /** The process that had files open has died: they are closed, what was written to them stays. */
  closeAll(): void {
    for (const file of [...this.#open]) file.close();
  }

  /** For the files of this disk: one of them is closed. */
  closed(file: SimFile): void {
    this.#open.delete(file);
  }

  /**
   * Power loss: gives the disk as it is after the reboot, where only what reached the medium is left. Everything open on this
   * one is dead, and so is this object; syncs under way never end. (The death of a process alone loses nothing: closeAll, and go on.)
   */
  crash(): SimStorage {
    this.checkThere();
    this.closeAll();
    this.#isGone = true;
    const root = afterCrash(this.#root, this.#random);
    return new SimStorage({ random: this.#random, later: this.#later, faults: this.#faults }, root);
  }

  open(path: string, mode: OpenMode): StorageFile {
    this.#meet('open', path, 'opening');
    const { directory, name } = this.#locate(path, 'opening');
    let node = directory.cached.get(name);
    if (node === undefined) {
      if (mode !== 'create') throw new StorageError('ENOENT', path, 'opening');
      node = new FileNode();
      directory.change([{ name, node }]);
    }
    if (node.type !== 'file') throw new StorageError('EISDIR', path, 'opening');
    const file = new SimFile(this, path, node, mode !== 'read');
    this.#open.add(file);
    return file;
  }

  exists(path: string): boolean {
    this.checkThere();
    return this.#find(path) !== undefined;
  }

  list(path: string): string[] {
    this.#meet('list', path, 'listing');
    const node = this.#find(path);
    if (node === undefined) return [];
    if (node.type === 'file') throw new StorageError('ENOTDIR', path, 'listing');
    const names = [...node.cached.keys()];
    // No file system promises an order.
    for (let i = names.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      [names[i], names[j]] = [names[j] as string, names[i] as string];
    }
    return names;
  }

  isDirectory(path: string): boolean {
    this.checkThere();
    return this.#find(path)?.type === 'directory';
  }

  makeDirectory(path: string): void {
    this.#meet('makeDirectory', path, 'making');
    this.#make(path, 1);
  }

  makeDirectories(path: string): void {
    this.#meet('makeDirectory', path, 'making');
    this.#make(path, Number.POSITIVE_INFINITY);
  }

  /** At most so many of the last parts of the path are made. */
  #make(path: string, countMax: number): void {
    let directory = this.#root;
    const parts = partsOf(path);
    for (const [at, name] of parts.entries()) {
      let node = directory.cached.get(name);
      if (node === undefined && at < parts.length - countMax) throw new StorageError('ENOENT', path, 'making');
      if (node === undefined) {
        node = new DirectoryNode();
        directory.change([{ name, node }]);
      }
      if (node.type !== 'directory') throw new StorageError('ENOTDIR', path, 'making');
      directory = node;
    }
  }

  rename(from: string, to: string): void {
    this.#meet('rename', from, 'renaming');
    const source = this.#locate(from, 'renaming');
    const target = this.#locate(to, 'renaming');
    const node = source.directory.cached.get(source.name);
    if (node === undefined) throw new StorageError('ENOENT', from, 'renaming');
    const replaced = target.directory.cached.get(target.name);
    if (replaced === node) return;
    if (replaced?.type === 'directory' && (node.type === 'file' || replaced.cached.size > 0)) {
      throw new StorageError(node.type === 'file' ? 'EISDIR' : 'ENOTEMPTY', to, 'renaming');
    }
    const removal = { name: source.name, node: null };
    const addition = { name: target.name, node };
    if (source.directory === target.directory) {
      source.directory.change([removal, addition]);
    } else {
      target.directory.change([addition]);
      source.directory.change([removal]);
    }
  }

  remove(path: string): void {
    this.#meet('remove', path, 'removing');
    const node = this.#find(path);
    if (node === undefined) return;
    const { directory, name } = this.#locate(path, 'removing');
    if (node.type === 'directory') emptyOut(node);
    directory.change([{ name, node: null }]);
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    this.checkThere();
    this.later(() => {
      try {
        this.remove(path);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        done(error);
        return;
      }
      done(null);
    });
  }

  syncDirectory(path: string): void {
    this.#meet('syncDirectory', path, 'syncing');
    const node = this.#find(path);
    if (node === undefined) throw new StorageError('ENOENT', path, 'syncing');
    if (node.type === 'directory') node.settle();
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    this.checkThere();
    this.later(() => {
      try {
        const node = this.#find(path);
        if (node?.type === 'file') this.syncNode(node, path, node.changeCount);
        else this.syncDirectory(path);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        done(error);
        return;
      }
      done(null);
    });
  }

  readText(path: string): string | null {
    if (!this.exists(path)) return null;
    const file = this.open(path, 'read');
    const bytes = Buffer.alloc(file.sizeBytes());
    file.read(bytes, 0, bytes.length, 0);
    file.close();
    return bytes.toString('utf8');
  }

  replaceText(path: string, text: string): void {
    const temporary = `${path}.tmp`;
    const file = this.open(temporary, 'create');
    file.truncate(0);
    const bytes = Buffer.from(text, 'utf8');
    for (let at = 0; at < bytes.length; ) at += file.write(bytes, at, bytes.length - at, at);
    file.sync();
    file.close();
    this.rename(temporary, path);
    this.syncDirectory(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  }

  /** Refuses the operation where a fault is due. For the files of this disk as well. */
  meet(operation: StorageOperation, path: string, doing: string): void {
    this.#meet(operation, path, doing);
  }

  /** How many bytes of a write of `length` that ends at `endBytes` of a file of `sizeBytes` are taken; throws ENOSPC where it is none. */
  grant(path: string, length: number, sizeBytes: number, position: number): number {
    let granted = length;
    const { capacityBytes, shortWritesIn1000 = 0 } = this.#faults;
    if (capacityBytes !== undefined) {
      const growth = Math.max(0, position + length - sizeBytes);
      const free = Math.max(0, capacityBytes - this.usedBytes());
      granted = length - Math.max(0, growth - free);
      if (length > 0 && granted <= 0) throw new StorageError('ENOSPC', path, 'writing');
    }
    if (granted > 1 && this.#random.below(1000) < shortWritesIn1000) granted = 1 + this.#random.below(granted - 1);
    return granted;
  }

  /**
   * Syncs the changes of `node` up to number `upTo`. Where that fails, anything of them may have reached the medium, and no later sync
   * covers them. For the files of this disk as well.
   */
  syncNode(node: FileNode, path: string, upTo: number): void {
    try {
      this.#meet('sync', path, 'syncing');
    } catch (error) {
      node.lose(upTo, this.#random);
      throw error;
    }
    node.settle(upTo);
  }

  /** Ends a sync that was asked for earlier, unless the power went meanwhile. */
  later(task: () => void): void {
    this.#later(() => {
      if (!this.#isGone) task();
    });
  }

  #meet(operation: StorageOperation, path: string, doing: string): void {
    this.checkThere();
    const errno = this.#faults.refuse?.(operation, path) ?? null;
    if (errno !== null) throw new StorageError(errno, path, doing);
    const { readErrorsIn1000 = 0, writeErrorsIn1000 = 0, syncErrorsIn1000 = 0 } = this.#faults;
    const chance =
      operation === 'read'
        ? readErrorsIn1000
        : operation === 'sync' || operation === 'syncDirectory'
          ? syncErrorsIn1000
          : writeErrorsIn1000;
    if (operation !== 'open' && operation !== 'list' && chance > 0 && this.#random.below(1000) < chance)
      throw new StorageError('EIO', path, doing);
  }

  /** An assertion where the power has gone. For the files of this disk as well. */
  checkThere(): void {
    assert(!this.#isGone, 'a disk is used after its crash');
  }

  #find(path: string): Node | undefined {
    let node: Node = this.#root;
    for (const name of partsOf(path)) {
      const next: Node | undefined = node.type === 'directory' ? node.cached.get(name) : undefined;
      if (next === undefined) return undefined;
      node = next;
    }
    return node;
  }

  #locate(path: string, doing: string): { directory: DirectoryNode; name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw new StorageError('EINVAL', path, doing);
    const directory = this.#find(parts.join('/'));
    if (directory === undefined) throw new StorageError('ENOENT', path, doing);
    if (directory.type !== 'directory') throw new StorageError('ENOTDIR', path, doing);
    return { directory, name };
  }
}

class SimFile implements StorageFile {
  readonly path: string;
  readonly descriptor: number;
  readonly #disk: SimStorage;
  readonly #node: FileNode;
  readonly #isWritable: boolean;
  #isOpen = true;

  constructor(disk: SimStorage, path: string, node: FileNode, isWritable: boolean) {
    this.path = path;
    this.descriptor = claimVirtualDescriptor(this);
    this.#disk = disk;
    this.#node = node;
    this.#isWritable = isWritable;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    this.#meet('read', 'reading');
    return this.#node.cached.read(target, at, length, position);
  }

  write(source: Uint8Array, at: number, length: number, position: number): number {
    this.#meet('write', 'writing');
    const granted = this.#disk.grant(this.path, length, this.#node.cached.sizeBytes, position);
    if (granted > 0) this.#node.change({ type: 'write', position, bytes: Uint8Array.from(source.subarray(at, at + granted)) });
    return granted;
  }

  writeGathered(pieces: readonly Uint8Array[], position: number): number {
    const all = Buffer.concat(pieces);
    return this.write(all, 0, all.length, position);
  }

  sizeBytes(): number {
    this.#checkOpen('looking at');
    return this.#node.cached.sizeBytes;
  }

  modifiedMs(): number {
    return -1;
  }

  truncate(sizeBytes: number): void {
    this.#meet('truncate', 'truncating');
    this.#node.change({ type: 'truncate', sizeBytes });
  }

  sync(): void {
    this.#checkOpen('syncing');
    this.#sync(this.#node.changeCount);
  }

  /** Covers what was written when it was asked for, no more. */
  syncLater(done: (error: StorageError | null) => void): void {
    this.#checkOpen('syncing');
    const upTo = this.#node.changeCount;
    this.#disk.later(() => {
      try {
        this.#sync(upTo);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        done(error);
        return;
      }
      done(null);
    });
  }

  close(): void {
    this.#isOpen = false;
    releaseVirtualDescriptor(this.descriptor);
    this.#disk.closed(this);
  }

  #sync(upTo: number): void {
    this.#disk.syncNode(this.#node, this.path, upTo);
  }

  #meet(operation: StorageOperation, doing: string): void {
    this.#checkOpen(doing);
    if (operation !== 'read' && !this.#isWritable) throw new StorageError('EBADF', this.path, doing);
    this.#disk.meet(operation, this.path, doing);
  }

  #checkOpen(doing: string): void {
    this.#disk.checkThere();
    if (!this.#isOpen) throw new StorageError('EBADF', this.path, doing);
  }
}

/** Names on the way from the root; '/' and '.' lead nowhere. */
function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
