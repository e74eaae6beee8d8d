// dup(2), by fcntl(F_DUPFD_CLOEXEC): a second descriptor of the same open file, so that a connection which one thread has
// accepted can go on in another. Child processes do not inherit it.
// Runs on: any thread. Null without it: then workers listen on the main thread's descriptor themselves.
import { declareNative, isKnownLinux, withMemoryFile } from './load.ts';

const F_DUPFD_CLOEXEC = 1030;

/** The new descriptor, or -1 (none left, not open). */
export type DuplicateDescriptor = (descriptor: number) => number;

export const duplicateDescriptor = declareNative<DuplicateDescriptor>('dup', (library) => {
  if (!isKnownLinux) return null;
  const fcntl = library.declare('int fcntl(int descriptor, int command, int value)');
  const close = library.declare('int close(int descriptor)');
  const duplicate: DuplicateDescriptor = (descriptor) => fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  const answers = withMemoryFile(library, (descriptor) => {
    const second = duplicate(descriptor);
    return second > descriptor && close(second) === 0 && duplicate(second) === -1;
  });
  return answers ? duplicate : null;
});
