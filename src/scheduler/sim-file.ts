// An open file of the simulated disk.
// Runs on: the simulator's thread. Not here: what goes wrong (sim-faults.ts), what a crash leaves (sim-medium.ts).
import { NOT_CACHED, StorageError, type StorageFile } from '../log/storage.ts';
import { claimVirtualDescriptor, releaseVirtualDescriptor } from '../log/virtual-descriptors.ts';
import type { StorageOperation } from './sim-faults.ts';
import type { FileNode } from './sim-medium.ts';

/** What a file asks of its disk. */
export interface SimDisk {
  /** An assertion where the power has gone. */
  checkThere(): void;
  /** Refuses the operation where a fault is due. */
  meet(operation: StorageOperation, path: string, doing: string): void;
  /** Whether what is looked for now counts as being on the medium alone. */
  isCold(): boolean;
  /** How many bytes of a write of `length` at `position` of a file of `sizeBytes` are taken; throws ENOSPC where it is none. */
  grant(path: string, length: number, sizeBytes: number, position: number): number;
  /** Syncs the changes of `node` up to number `upTo`. */
  syncNode(node: FileNode, path: string, upTo: number): void;
  /** Calls `task` some time later, unless the power went meanwhile. */
  later(task: () => void): void;
  closed(file: SimFile): void;
}

/** Does what a job of the pool does, and tells how it ended. */
export function settle(task: () => void, done: (error: StorageError | null) => void): void {
  try {
    task();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    done(error);
    return;
  }
  done(null);
}

export class SimFile implements StorageFile {
  readonly path: string;
  readonly descriptor: number;
  readonly #disk: SimDisk;
  readonly #node: FileNode;
  readonly #isWritable: boolean;
  #isOpen = true;

  constructor(disk: SimDisk, path: string, node: FileNode, isWritable: boolean) {
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

  readCached(target: Uint8Array, at: number, length: number, position: number): number {
    return this.#disk.isCold() ? NOT_CACHED : this.read(target, at, length, position);
  }

  cacheLater(_length: number, _position: number, done: () => void): void {
    this.#disk.later(done);
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
    this.#disk.later(() => settle(() => this.#sync(upTo), done));
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
