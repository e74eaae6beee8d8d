// A disk whose late answers are heard inside turns: everything goes straight through but `syncLater`, whose end is posted.
// Runs on: every worker, around the storage it was given.
import type { OpenMode, Storage, StorageError, StorageFile } from '../log/storage.ts';

type Post = (task: () => void) => void;

class TurnFile implements StorageFile {
  readonly path: string;
  readonly #file: StorageFile;
  readonly #post: Post;

  constructor(file: StorageFile, post: Post) {
    this.path = file.path;
    this.#file = file;
    this.#post = post;
  }

  get descriptor(): number {
    return this.#file.descriptor;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    return this.#file.read(target, at, length, position);
  }

  write(source: Uint8Array, at: number, length: number, position: number): number {
    return this.#file.write(source, at, length, position);
  }

  writeGathered(pieces: readonly Uint8Array[], position: number): number {
    return this.#file.writeGathered(pieces, position);
  }

  sizeBytes(): number {
    return this.#file.sizeBytes();
  }

  truncate(sizeBytes: number): void {
    this.#file.truncate(sizeBytes);
  }

  sync(): void {
    this.#file.sync();
  }

  syncLater(done: (error: StorageError | null) => void): void {
    this.#file.syncLater((error) => this.#post(() => done(error)));
  }

  close(): void {
    this.#file.close();
  }
}

export class TurnStorage implements Storage {
  readonly #storage: Storage;
  readonly #post: Post;

  constructor(storage: Storage, post: Post) {
    this.#storage = storage;
    this.#post = post;
  }

  open(path: string, mode: OpenMode): StorageFile {
    return new TurnFile(this.#storage.open(path, mode), this.#post);
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

  rename(from: string, to: string): void {
    this.#storage.rename(from, to);
  }

  remove(path: string): void {
    this.#storage.remove(path);
  }

  syncDirectory(path: string): void {
    this.#storage.syncDirectory(path);
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    this.#storage.syncPathLater(path, (error) => this.#post(() => done(error)));
  }

  readText(path: string): string | null {
    return this.#storage.readText(path);
  }

  replaceText(path: string, text: string): void {
    this.#storage.replaceText(path, text);
  }
}
