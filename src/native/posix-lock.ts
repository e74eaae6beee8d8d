// A POSIX write lock on a whole file, by fcntl(F_SETLK): what Java's FileChannel.tryLock takes, so that Naru and Apache Kafka
// keep each other out of a directory by its `.lock`.
// Such a lock belongs to the process: it does not hold against another broker of the same process (they keep a registry), and
// closing *any* descriptor of that file gives it up. It ends with the process, however that ends.
// Runs on: any thread, when a directory is opened. Null without it: then a pid file serves.
import { declareNative, isKnownLinux, withMemoryFile } from './load.ts';

const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;
const EACCES = 13;
const EAGAIN = 11;

/** `held`: another process has it. `refused`: the file cannot be locked at all (not writable, a file system without locks). */
export type LockAnswer = 'taken' | 'held' | 'refused';

export interface PosixLock {
  /** Takes the lock of the whole file, or says why not; never waits. */
  tryLock(descriptor: number): LockAnswer;
  /** Gives the lock up; false where that is refused. */
  unlock(descriptor: number): boolean;
  /** The process that holds a lock against this one, or 0. */
  holder(descriptor: number): number;
}

/** struct flock of 64-bit Linux: short l_type at 0, short l_whence at 2, int64 l_start at 8, int64 l_len at 16 (0: to the end), int l_pid at 24. */
const request = Buffer.alloc(32);

export const posixLock = declareNative<PosixLock>('posix-lock', (library) => {
  if (!isKnownLinux) return null;
  const fcntl = library.declare('int fcntl(int descriptor, int command, void *lock)');
  const call = (descriptor: number, command: number, type: number): number => {
    request.fill(0); // From the start (SEEK_SET is 0) to the end.
    request.writeInt16LE(type, 0);
    return fcntl(descriptor, command, request);
  };
  const lock: PosixLock = {
    tryLock(descriptor) {
      if (call(descriptor, F_SETLK, F_WRLCK) === 0) return 'taken';
      const errno = library.errno();
      return errno === EACCES || errno === EAGAIN ? 'held' : 'refused';
    },
    unlock: (descriptor) => call(descriptor, F_SETLK, F_UNLCK) === 0,
    holder(descriptor) {
      if (call(descriptor, F_GETLK, F_WRLCK) !== 0) return 0;
      return request.readInt16LE(0) === F_UNLCK ? 0 : request.readInt32LE(24);
    },
  };
  const answers = withMemoryFile(
    library,
    (descriptor) =>
      lock.tryLock(descriptor) === 'taken' && lock.holder(descriptor) === 0 && lock.unlock(descriptor) && lock.tryLock(-1) === 'refused',
  );
  return answers ? lock : null;
});
