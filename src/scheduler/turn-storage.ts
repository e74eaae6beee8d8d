// A disk whose late answers are heard inside turns: everything goes straight through but the ends of what runs in the pool,
// which are posted. Writes and syncs are counted on their way; reads pass those who look for cold ones (cold-reads.ts).
// Runs on: every worker, around the storage it was given.

import { NOT_CACHED, type OpenMode, type Storage, type StorageError, type StorageFile } from '../log/storage.ts';
import { ColdRead, type ColdReads } from './cold-reads.ts';
import { DISK_POOL_SYNCS, type SyncMeter } from './sync-meter.ts';

type Post = (task: () => void) => void;

class TurnFile implements StorageFile {
  readonly path: string;
  readonly #file: StorageFile;
  readonly #post: Post;
  readonly #meter: SyncMeter;
  readonly #coldReads: ColdReads;

  constructor(file: StorageFile, post: Post, meter: SyncMeter, coldReads: ColdReads) {
    this.path = file.path;
    this.#file = file;
    this.#post = post;
    this.#meter = meter;
    this.#coldReads = coldReads;
  }

  get descriptor(): number {
    return this.#file.descriptor;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    if (!this.#coldReads.holdBack(this, length, position)) return this.#file.read(target, at, length, position);
    const count = this.#file.readCached(target, at, length, position);
    if (count === NOT_CACHED) throw new ColdRead(this, length, position);
    return count;
  }

  readCached(target: Uint8Array, at: number, length: number, position: number): number {
    return this.#file.readCached(target, at, length, position);
  }

  cacheLater(length: number, position: number, done: () => void): void {
    this.#file.cacheLater(length, position, () => this.#post(done));
  }

  write(source: Uint8Array, at: number, length: number, position: number): number {
    const written = this.#file.write(source, at, length, position);
    this.#meter.wrote(written);
    return written;
  }

  writeGathered(pieces: readonly Uint8Array[], position: number): number {
    const written = this.#file.writeGathered(pieces, position);
    this.#meter.wrote(written);
    return written;
  }

  sizeBytes(): number {
    return this.#file.sizeBytes();
  }

  modifiedMs(): number {
    return this.#file.modifiedMs();
  }

  truncate(sizeBytes: number): void {
    this.#file.truncate(sizeBytes);
  }

  sync(): void {
    this.#meter.inline(() => this.#file.sync());
  }

  syncLater(done: (error: StorageError | null) => void): void {
    this.#file.syncLater(metered(this.#meter, (error) => this.#post(() => done(error))));
  }

  close(): void {
    this.#file.close();
  }
}

type Done = (error: StorageError | null) => void;

/** `done`, and a line in the meter for the sync that begins now. */
function metered(meter: SyncMeter, done: Done): Done {
  const beganMs = meter.begin();
  return (error) => {
    meter.ended(beganMs, DISK_POOL_SYNCS, error !== null);
    done(error);
  };
}

export class TurnStorage implements Storage {
  readonly #storage: Storage;
  readonly #post: Post;
  readonly #meter: SyncMeter;
  readonly #coldReads: ColdReads;

  constructor(storage: Storage, post: Post, meter: SyncMeter, coldReads: ColdReads) {
    this.#storage = storage;
    this.#post = post;
    this.#meter = meter;
    this.#coldReads = coldReads;
  }

  open(path: string, mode: OpenMode): StorageFile {
    return new TurnFile(this.#storage.open(path, mode), this.#post, this.#meter, this.#coldReads);
  }

  exists(path: string): boolean {
    return this.#storage.exists(path);
  }

  list(path: string): string[] {
    return this.#storage.list(path);
  }

  isDirectory(path: string): boolean {
    return this.#storage.isDirectory(path);
  }

  makeDirectory(path: string): void {
    this.#storage.makeDirectory(path);
  }

  makeDirectories(path: string): void {
    this.#storage.makeDirectories(path);
  }

  rename(from: string, to: string): void {
    this.#storage.rename(from, to);
  }

  remove(path: string): void {
    this.#storage.remove(path);
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    this.#storage.removeLater(path, (error) => this.#post(() => done(error)));
  }

  syncDirectory(path: string): void {
    this.#meter.inline(() => this.#storage.syncDirectory(path));
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    this.#storage.syncPathLater(
      path,
      metered(this.#meter, (error) => this.#post(() => done(error))),
    );
  }

  readText(path: string): string | null {
    return this.#storage.readText(path);
  }

  replaceText(path: string, text: string): void {
    this.#storage.replaceText(path, text);
  }
}
