// The real disk: its names and directories, and reads of those who have a file's descriptor alone.
// Invariant: nothing is thrown but StorageError, and it names the errno and the file.
// Runs on: any worker. What ends in `Later` uses libuv's pool. Not here: what an open file does (disk-file.ts).
import * as fs from 'node:fs';
import { DiskFile, readFully, storageError } from './disk-file.ts';
import { parentDirectory } from './file-names.ts';
import { type OpenMode, type Storage, StorageError, type StorageFile } from './storage.ts';
import { virtualFile } from './virtual-descriptors.ts';

const OPEN_FLAGS: Record<OpenMode, number> = {
  read: fs.constants.O_RDONLY,
  'read-write': fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
};
const FILE_MODE = 0o644;

/**
 * Reads what a read plan names into target[at, at + length): the bytes read, fewer than asked only at the end of the file.
 * Throws StorageError. For readers that are not the file's owner, and so have its descriptor alone.
 */
export function readDescriptor(descriptor: number, target: Uint8Array, at: number, length: number, position: number): number {
  if (descriptor >= 0) return readFully(descriptor, `descriptor ${descriptor}`, target, at, length, position);
  const file = virtualFile(descriptor);
  if (file === undefined) throw new StorageError('EBADF', `descriptor ${descriptor}`, 'reading');
  return file.read(target, at, length, position);
}

/** The same in libuv's pool. Rejects with StorageError. `target` may be shared memory; it must stay where it is until then. */
export function readDescriptorLater(descriptor: number, target: Uint8Array, at: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const readOn = (total: number): void => {
      fs.read(descriptor, target, at + total, length - total, position + total, (error, count) => {
        if (error !== null) reject(storageError(error, `descriptor ${descriptor}`, 'reading'));
        else if (count === 0 || total + count === length) resolve(total + count);
        else readOn(total + count);
      });
    };
    readOn(0);
  });
}

/** Windows has no directory descriptors to sync; its file systems journal their names. */
const CAN_SYNC_DIRECTORIES = process.platform !== 'win32';

export class FileStorage implements Storage {
  readonly #open = new Set<DiskFile>();

  /** Closes all files that are open: whoever had them has failed. What the medium refuses by now is nobody's concern. */
  abandon(): void {
    for (const file of this.#open) {
      try {
        file.close();
      } catch {}
    }
  }

  open(path: string, mode: OpenMode): StorageFile {
    try {
      return new DiskFile(path, fs.openSync(path, OPEN_FLAGS[mode], FILE_MODE), this.#open);
    } catch (error) {
      throw storageError(error, path, 'opening');
    }
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  list(path: string): string[] {
    try {
      return fs.readdirSync(path);
    } catch (error) {
      const refusal = storageError(error, path, 'listing');
      if (refusal.errno === 'ENOENT') return [];
      throw refusal;
    }
  }

  isDirectory(path: string): boolean {
    try {
      return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    } catch (error) {
      throw storageError(error, path, 'looking at');
    }
  }

  makeDirectory(path: string): void {
    try {
      fs.mkdirSync(path);
    } catch (error) {
      const refusal = storageError(error, path, 'making');
      if (refusal.errno !== 'EEXIST' || !this.isDirectory(path)) throw refusal;
    }
  }

  makeDirectories(path: string): void {
    const missing = [path];
    for (let above = parentDirectory(path); !this.exists(above) && above !== missing.at(-1); above = parentDirectory(above))
      missing.push(above);
    try {
      // One by one: with `recursive`, Node.js 26 tries for ever where the system answers ENOENT below a directory that is there, as in /proc.
      for (const each of missing.reverse()) this.makeDirectory(each);
    } catch (error) {
      throw error instanceof StorageError ? new StorageError(error.errno, path, 'making', error) : error;
    }
  }

  rename(from: string, to: string): void {
    try {
      fs.renameSync(from, to);
    } catch (error) {
      throw storageError(error, from, 'renaming');
    }
  }

  remove(path: string): void {
    try {
      fs.rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw storageError(error, path, 'removing');
    }
  }

  removeLater(path: string, done: (error: StorageError | null) => void): void {
    fs.rm(path, { recursive: true, force: true }, (error) => done(error === null ? null : storageError(error, path, 'removing')));
  }

  syncDirectory(path: string): void {
    if (!CAN_SYNC_DIRECTORIES) return;
    try {
      const descriptor = fs.openSync(path, fs.constants.O_RDONLY);
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    } catch (error) {
      throw storageError(error, path, 'syncing');
    }
  }

  syncPathLater(path: string, done: (error: StorageError | null) => void): void {
    const hear = (error: Error | null): void => done(error === null ? null : storageError(error, path, 'syncing'));
    fs.open(path, CAN_SYNC_DIRECTORIES ? fs.constants.O_RDONLY : fs.constants.O_RDWR, (openError, descriptor) => {
      if (openError !== null) {
        // Windows opens no directory, and needs none to be synced.
        hear(!CAN_SYNC_DIRECTORIES && this.isDirectory(path) ? null : openError);
        return;
      }
      fs.fsync(descriptor, (syncError) => {
        fs.close(descriptor, (closeError) => hear(syncError ?? closeError ?? null));
      });
    });
  }

  readText(path: string): string | null {
    try {
      return fs.readFileSync(path, 'utf8');
    } catch (error) {
      const refusal = storageError(error, path, 'reading');
      if (refusal.errno === 'ENOENT') return null;
      throw refusal;
    }
  }

  replaceText(path: string, text: string): void {
    const temporary = `${path}.tmp`;
    try {
      const descriptor = fs.openSync(temporary, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_TRUNC, FILE_MODE);
      try {
        fs.writeFileSync(descriptor, text);
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      fs.renameSync(temporary, path);
    } catch (error) {
      throw storageError(error, path, 'replacing');
    }
    this.syncDirectory(parentDirectory(path));
  }
}
