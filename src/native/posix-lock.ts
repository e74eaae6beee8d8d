// A write lock on a whole file that excludes, and is excluded by, what Java's FileChannel.tryLock takes, so that Naru and Apache Kafka keep
// each other out of a directory by its `.lock`.
// It is a lock of the open file (fcntl(F_OFD_SETLK), Linux 3.15), not of the process as Java's is (F_SETLK): a second broker of this process,
// in another thread or from another copy of the module, opens the file anew and finds it held. It ends when its descriptor is closed, however
// the process ends. Where the kernel knows no such lock, the process's is taken, which closing *any* descriptor of that file gives up.
// Runs on: any thread, when a directory is opened. Null without it: then a pid file serves.
import { declareNative, isKnownLinux, withMemoryFile } from './load.ts';

/** Commands of fcntl: who holds it, take it. */
const OF_PROCESS = { get: 5, set: 6 };
const OF_OPEN_FILE = { get: 36, set: 37 };
const F_WRLCK = 1;
const F_UNLCK = 2;
const EACCES = 13;
const EAGAIN = 11;

/** `held`: somebody else has it. `refused`: the file cannot be locked at all (not writable, a file system without locks). */
export type LockAnswer = 'taken' | 'held' | 'refused';

export interface PosixLock {
  /** Takes the lock of the whole file, or says why not; never waits. */
  tryLock(descriptor: number): LockAnswer;
  /** Gives the lock up; false where that is refused. */
  unlock(descriptor: number): boolean;
  /** The process that holds a lock against this one; 0: none does, -1: somebody with a lock of the open file, whose process the kernel does not tell. */
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
  const lockBy = (commands: typeof OF_PROCESS): PosixLock => ({
    tryLock(descriptor) {
      if (call(descriptor, commands.set, F_WRLCK) === 0) return 'taken';
      const errno = library.errno();
      return errno === EACCES || errno === EAGAIN ? 'held' : 'refused';
    },
    unlock: (descriptor) => call(descriptor, commands.set, F_UNLCK) === 0,
    holder(descriptor) {
      if (call(descriptor, commands.get, F_WRLCK) !== 0) return 0;
      return request.readInt16LE(0) === F_UNLCK ? 0 : request.readInt32LE(24);
    },
  });
  for (const lock of [lockBy(OF_OPEN_FILE), lockBy(OF_PROCESS)]) {
    const answers = withMemoryFile(
      library,
      (descriptor) =>
        lock.tryLock(descriptor) === 'taken' && lock.holder(descriptor) === 0 && lock.unlock(descriptor) && lock.tryLock(-1) === 'refused',
    );
    if (answers) return lock;
  }
  return null;
});
