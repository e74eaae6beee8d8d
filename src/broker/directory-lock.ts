// Keeps two brokers out of one log directory, by Kafka's own `.lock`: a lock of the system against other processes, Apache Kafka's among them,
// and against other brokers of this one. The pid stands in the file, to be told to who is refused. Without native calls that pid serves as the
// lock, and a registry of this thread against other brokers in it; brokers in two threads are not kept apart then. The same holds for a file system without locks.
// Runs on: the main thread.
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { storageError } from '../log/file-storage.ts';
import { posixLock } from '../native/posix-lock.ts';

/** The directory belongs to a running broker. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly code = 'ERR_DIRECTORY_LOCKED';
}

/** By device and inode: a directory may have several paths. One of the thread, however often this module is loaded (as ESM and as CommonJS). */
const REGISTRY = Symbol.for('naru.locked-directories');
const shared = globalThis as { [REGISTRY]?: Set<string> };
shared[REGISTRY] ??= new Set();
const heldHere = shared[REGISTRY];

/** Locks a directory's `.lock` and gives what unlocks it. Throws DirectoryLockedError, and StorageError. */
export function lockDirectory(path: string): () => void {
  try {
    return lockFile(path);
  } catch (error) {
    throw error instanceof DirectoryLockedError ? error : storageError(error, path, 'locking');
  }
}

function lockFile(path: string): () => void {
  const refuse = (by: string): never => {
    throw new DirectoryLockedError(`${path.replace(/\/\.lock$/, '')} is in use by ${by}: one directory serves one broker`);
  };
  // Before it is opened: to close it again could give up the lock of that other broker (see posix-lock.ts).
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && heldHere.has(identity(there))) refuse('another broker of this process');
  const lock = posixLock();
  const descriptor = openSync(path, 'a+');
  const notedPid = Number(readFileSync(path, 'utf8'));
  const answer = lock?.tryLock(descriptor) ?? 'refused'; // As by a file system without locks.
  if (answer === 'held') {
    const holder = lock?.holder(descriptor) ?? 0;
    closeSync(descriptor);
    const pid = holder > 0 ? holder : notedPid;
    refuse(pid === process.pid ? 'another broker of this process' : pid > 0 ? `process ${pid}` : 'another process');
  }
  if (answer === 'refused' && notedPid > 0 && notedPid !== process.pid && isAlive(notedPid)) {
    closeSync(descriptor);
    refuse(`process ${notedPid}`);
  }
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, String(process.pid));
  } catch (error) {
    if (answer === 'refused') throw error; // Where it is locked, a disk that is full need not keep the broker from its directory.
  }
  const key = identity(fstatSync(descriptor));
  heldHere.add(key);
  return () => {
    heldHere.delete(key);
    try {
      ftruncateSync(descriptor); // By its descriptor: the name may be gone, with the directory.
    } catch {
      // The disk has failed. A pid that is left there is looked at, and is nobody's.
    }
    lock?.unlock(descriptor);
    closeSync(descriptor);
  };
}

function identity({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return Error.isError(error) && 'code' in error && error.code === 'EPERM';
  }
}
