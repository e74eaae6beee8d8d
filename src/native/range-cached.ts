// Whether a range of a file lies in the page cache, so that reading it does not wait for the disk: preadv2(2) with RWF_NOWAIT
// on one byte every so often. About 1 µs a probe.
// Not exact: pages between the probes may be gone. The kernel reads ahead and drops in far larger pieces than a page.
// Runs on: any thread.
import { declareNative, isKnownLinux, withMemoryFile } from './load.ts';

const RWF_NOWAIT = 8;
const EAGAIN = 11;
/** The kernel's default read-ahead window. */
const PROBE_EVERY_BYTES = 128 * 1024;

/** True: it is there. False: at least one probe would have waited. Null: this file system cannot tell (tmpfs), or the file cannot be read. */
export type IsRangeCached = (descriptor: number, position: number, length: number) => boolean | null;

const landing = Buffer.alloc(1);
/** struct iovec, written out anew for each call, since no raw address is kept. */
const pieces = [{ base: landing, length: landing.length }];

export const rangeCached = declareNative<IsRangeCached>('preadv2', (library) => {
  if (!isKnownLinux) return null;
  const parameters = ['int', 'void *', 'int', 'int64_t', 'int'];
  const preadv2 = library.declareWithArray('preadv2', 'int64_t', parameters, 1, { base: 'void *', length: 'size_t' });
  const isRangeCached: IsRangeCached = (descriptor, position, length) => {
    const last = position + length - 1;
    for (let at = position; at <= last; at = at === last ? last + 1 : Math.min(at + PROBE_EVERY_BYTES, last)) {
      if (preadv2(descriptor, pieces, 1, at, RWF_NOWAIT) >= 0) continue; // 0: behind the end, nothing to wait for.
      return library.errno() === EAGAIN ? false : null;
    }
    return true;
  };
  // Without the flag it is a plain read of a known byte; a descriptor that is not open cannot tell.
  const write = library.declare('int64_t pwrite(int descriptor, void *bytes, size_t count, int64_t position)');
  const answers = withMemoryFile(
    library,
    (descriptor) =>
      write(descriptor, Buffer.from('naru'), 4, 0) === 4 &&
      preadv2(descriptor, pieces, 1, 2, 0) === 1 &&
      landing.toString('latin1') === 'r' &&
      isRangeCached(-1, 0, 1) === null,
  );
  return answers ? isRangeCached : null;
});
