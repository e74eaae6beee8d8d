// Keeps two brokers out of one log directory, by Kafka's own `.lock`: a POSIX lock against other processes, Apache Kafka's among them,
// and a registry against other brokers of this process, which such a lock does not see. Without native calls a pid in the file serves.
// Runs on: the main thread.
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { posixLock } from '../native/posix-lock.ts';

/** The directory belongs to a running broker. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly code = 'ERR_DIRECTORY_LOCKED';
}

const heldHere = new Set<string>();

/** Locks a directory's `.lock` and gives what unlocks it. Throws DirectoryLockedError. */
export function lockDirectory(path: string): () => void {
  const refuse = (by: string): never => {
    throw new DirectoryLockedError(`${path.replace(/\/\.lock$/, '')} is in use by ${by}: one directory serves one broker`);
  };
  if (heldHere.has(path)) refuse('another broker of this process');
  const lock = posixLock();
  const descriptor = openSync(path, 'a+');
  if (lock !== null) {
    if (lock.tryLock(descriptor) === 'held') {
      const holder = lock.holder(descriptor);
      closeSync(descriptor);
      refuse(holder > 0 ? `process ${holder}` : 'another process');
    }
  } else {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid > 0 && pid !== process.pid && isAlive(pid)) {
      closeSync(descriptor);
      refuse(`process ${pid}`);
    }
    writeFileSync(path, String(process.pid));
  }
  heldHere.add(path);
  return () => {
    heldHere.delete(path);
    if (lock === null)
      ftruncateSync(descriptor); // By its descriptor: the name may be gone, with the directory.
    else lock.unlock(descriptor);
    closeSync(descriptor);
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return Error.isError(error) && 'code' in error && error.code === 'EPERM';
  }
}
