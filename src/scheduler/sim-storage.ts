// A simulated disk behind the storage interface: it fills up, takes fewer bytes than it was given, fails (sim-faults.ts says when), and loses
// at a crash what was not synced (sim-medium.ts says how). All of it is drawn from a seed; which faults there are is set by the test.
// Runs on: the simulator's thread. Directories may be listed in any order.
import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { type OpenMode, type Storage, StorageError, type StorageFile } from '../log/storage.ts';
import { DueFaults, type StorageFaults, type StorageOperation } from './sim-faults.ts';
import { type SimDisk, SimFile, settle } from './sim-file.ts';
import { afterCrash, DirectoryNode, emptyOut, FileNode, type Node } from './sim-medium.ts';

/** Of what is looked for by those who do not want to wait, one in so many is not there. */
const COLD_ONE_IN = 5;

export interface SimStorageOptions {
  readonly random: Random;
  readonly faults?: StorageFaults;
  /** Calls `task` some time later, not now: ends of syncLater. The simulator gives it a random delay. */
  readonly later: (task: () => void) => void;
}

export class SimStorage implements Storage, SimDisk {
  readonly #random: Random;
  readonly #later: (task: () => void) => void;
  readonly #root: DirectoryNode;
  readonly #open = new Set<SimFile>();
  readonly #faults: DueFaults;
  #isGone = false;

  constructor(options: SimStorageOptions, root = new DirectoryNode()) {
    this.#random = options.random;
    this.#later = options.later;
    this.#faults = new DueFaults(options.random, options.faults ?? {});
    this.#root = root;
  }

  /** From here on these faults, and no others. */
  setFaults(faults: StorageFaults): void {
    this.#faults.set = faults;
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
    return new SimStorage({ random: this.#random, later: this.#later, faults: this.#faults.set }, root);
  }

  open(path: string, mode: OpenMode): StorageFile {
    this.meet('open', path, 'opening');
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
    this.meet('list', path, 'listing');
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
    this.meet('makeDirectory', path, 'making');
    this.#make(path, 1);
  }

  makeDirectories(path: string): void {
    this.meet('makeDirectory', path, 'making');
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
    this.meet('rename', from, 'renaming');
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
    this.meet('remove', path, 'removing');
    const node = this.#find(path);
    if (node === undefined) return;
    const { directory, name } = this.#locate(path, 'removing');
    if (node.type === 'directory') emptyOut(node);
    directory.change([{ name, node: null }]);
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    this.checkThere();
    this.later(() => settle(() => this.remove(path), done));
  }

  syncDirectory(path: string): void {
    this.meet('syncDirectory', path, 'syncing');
    const node = this.#find(path);
    if (node === undefined) throw new StorageError('ENOENT', path, 'syncing');
    if (node.type === 'directory') node.settle();
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    this.checkThere();
    this.later(() =>
      settle(() => {
        const node = this.#find(path);
        if (node?.type === 'file') this.syncNode(node, path, node.changeCount);
        else this.syncDirectory(path);
      }, done),
    );
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
    this.checkThere();
    this.#faults.meet(operation, path, doing);
  }

  /** Now and then, so that questions are asked again (cold-reads.ts). */
  isCold(): boolean {
    return this.#random.below(COLD_ONE_IN) === 0;
  }

  /** How many bytes of a write of `length` at `position` of a file of `sizeBytes` are taken; throws ENOSPC where it is none. */
  grant(path: string, length: number, sizeBytes: number, position: number): number {
    return this.#faults.grant(path, length, Math.max(0, position + length - sizeBytes), () => this.usedBytes());
  }

  /**
   * Syncs the changes of `node` up to number `upTo`. Where that fails, anything of them may have reached the medium, and no later sync
   * covers them. For the files of this disk as well.
   */
  syncNode(node: FileNode, path: string, upTo: number): void {
    try {
      this.meet('sync', path, 'syncing');
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

/** Names on the way from the root; '/' and '.' lead nowhere. */
function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
