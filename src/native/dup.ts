// dup(2), by fcntl(F_DUPFD_CLOEXEC): a second descriptor of the same open file, so that a connection which one thread has
// accepted can go on in another. Child processes do not inherit it.
// Runs on: any thread. Null without it: then workers listen on the main thread's descriptor themselves.
import { declareNative, isKnownLinux, withMemoryFile } from './load.ts';

const F_DUPFD_CLOEXEC = 1030;
const EBADF = 9;

/** The new descriptor, or a negative errno: -9 (EBADF) where it is not open, -24 (EMFILE) where none is left. */
export type DuplicateDescriptor = (descriptor: number) => number;

export const duplicateDescriptor = declareNative<DuplicateDescriptor>('dup', (library) => {
  if (!isKnownLinux) return null;
  const fcntl = library.declare('int fcntl(int descriptor, int command, int value)');
  const close = library.declare('int close(int descriptor)');
  const duplicate: DuplicateDescriptor = (descriptor) => {
    const second = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    return second < 0 ? -library.errno() : second;
  };
  const answers = withMemoryFile(library, (descriptor) => {
    const second = duplicate(descriptor);
    // Of descriptors that are not open only -1 will do: the number that was just closed may be another thread's file by now.
    return second >= 0 && second !== descriptor && close(second) === 0 && duplicate(-1) === -EBADF;
  });
  return answers ? duplicate : null;
});
