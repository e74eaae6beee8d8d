// A disk whose late answers are heard inside turns: everything goes straight through but the ends of what runs in the pool,
// which are posted. Writes and syncs are counted on their way.
// Runs on: every worker, around the storage it was given.

import type { OpenMode, Storage, StorageError, StorageFile } from '../log/storage.ts';
import { DISK_POOL_SYNCS, type SyncMeter } from './sync-meter.ts';

type Post = (task: () => void) => void;

class TurnFile implements StorageFile {
  readonly path: string;
  readonly #file: StorageFile;
  readonly #post: Post;
  readonly #meter: SyncMeter;

  constructor(file: StorageFile, post: Post, meter: SyncMeter) {
    this.path = file.path;
    this.#file = file;
    this.#post = post;
    this.#meter = meter;
  }

  get descriptor(): number {
    return this.#file.descriptor;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    return this.#file.read(target, at, length, position);
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

  constructor(storage: Storage, post: Post, meter: SyncMeter) {
    this.#storage = storage;
    this.#post = post;
    this.#meter = meter;
  }

  open(path: string, mode: OpenMode): StorageFile {
    return new TurnFile(this.#storage.open(path, mode), this.#post, this.#meter);
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
