// Keeps two brokers out of one log directory, by Kafka's own `.lock`: a lock of the system against other processes, Apache Kafka's among them,
// and against other brokers of this one. The pid stands in the file, to be told to who is refused. Without native calls that pid serves as the
// lock, and a registry of this thread against other brokers in it; brokers in two threads are not kept apart then. What others have locked is seen all
// the same, in the kernel's table (Linux), since Apache Kafka writes no pid; one that is started later sees nothing. The same holds for a file
// system without locks.
// Runs on: the main thread.
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { storageError } from '../log/disk-file.ts';
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
  let holder = 0;
  if (answer === 'held') holder = lock?.holder(descriptor) ?? 0;
  else if (answer === 'refused') holder = holderInTable(descriptor);
  if (answer === 'held' || holder !== 0) {
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

/** A row of /proc/locks of fcntl's: kind, pid, device (major and minor in hex), inode. One with an arrow waits, and holds nothing. */
const LOCK_ROW = /^\d+: (?:POSIX|OFDLCK) +\S+ +\S+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm;

/**
 * The process that has locked the file, by what the kernel tells of all locks: 0 is nobody, or no such table, -1 somebody with a lock of the open
 * file, which has no process. Processes of other namespaces are not in it. Device and inode are the kernel's own, which stat's need not be (btrfs,
 * overlayfs); a snapshot of btrfs has those of its origin, and passes for locked while that is.
 */
function holderInTable(descriptor: number): number {
  try {
    const opened = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    const inode = /^ino:\s*(\d+)$/m.exec(opened)?.[1] ?? String(fstatSync(descriptor).ino); // Told since Linux 5.14.
    const mount = /^mnt_id:\s*(\d+)$/m.exec(opened)?.[1];
    const device = new RegExp(`^${mount} \\d+ (\\d+):(\\d+) `, 'm').exec(readFileSync('/proc/self/mountinfo', 'utf8'));
    for (const [, pid, major, minor, locked] of readFileSync('/proc/locks', 'utf8').matchAll(LOCK_ROW)) {
      const isOnDevice =
        Number.parseInt(String(major), 16) === Number(device?.[1]) && Number.parseInt(String(minor), 16) === Number(device?.[2]);
      if (isOnDevice && locked === inode) return Number(pid) > 0 ? Number(pid) : -1;
    }
  } catch {
    // Not Linux, or no /proc: the pid in the file has to do.
  }
  return 0;
}
