// Whether a range of a file lies in the page cache, so that reading it does not wait for the disk: preadv2(2) with RWF_NOWAIT
// on one byte every so often. About 1 µs a probe. And reading a few KiB where they do, by the same call: 1.4 µs for 8 KiB, where a probe
// and a read would be 3.
// Probes are not exact: pages between them may be gone. The kernel reads ahead and drops in far larger pieces than a page.
// Runs on: any thread.
import { declareNative, isKnownLinux, type NativeFunction, type NativeLibrary, withMemoryFile } from './load.ts';

const RWF_NOWAIT = 8;
const EAGAIN = 11;
/** The kernel's default read-ahead window. */
const PROBE_EVERY_BYTES = 128 * 1024;
/** What lies within one takes one probe: nothing smaller is there or not. */
const PAGE_BYTES = 4096;

/** True: it is there. False: at least one probe would have waited. Null: this file system cannot tell (tmpfs), or the file cannot be read. */
export type IsRangeCached = (descriptor: number, position: number, length: number) => boolean | null;

/** The most that readCached reads. */
export const READ_CACHED_BYTES_MAX = 8 * 1024;
export const WOULD_WAIT = -1;
export const CANNOT_TELL = -2;

/**
 * Reads up to READ_CACHED_BYTES_MAX into target[at, at + length): the count, fewer than asked only at the end of the file. WOULD_WAIT: some of
 * it is not in the page cache. CANNOT_TELL: this file system does not say, or the file cannot be read.
 */
export type ReadCached = (descriptor: number, target: Uint8Array, at: number, length: number, position: number) => number;

const landing = Buffer.alloc(READ_CACHED_BYTES_MAX);
/** struct iovec, written out anew for each call, since no raw address is kept. */
const pieces = [{ base: landing, length: 1 }];
const longPieces = [{ base: landing, length: landing.length }];

export const rangeCached = declareNative<IsRangeCached>('preadv2', (library) => {
  const preadv2 = declarePreadv2(library);
  if (preadv2 === null) return null;
  const isRangeCached: IsRangeCached = (descriptor, position, length) => {
    const end = position + length - 1;
    const last = Math.floor(end / PAGE_BYTES) === Math.floor(position / PAGE_BYTES) ? position : end;
    for (let at = position; at <= last; at = at === last ? last + 1 : Math.min(at + PROBE_EVERY_BYTES, last)) {
      if (preadv2(descriptor, pieces, 1, at, RWF_NOWAIT) >= 0) continue; // 0: behind the end, nothing to wait for.
      return library.errno() === EAGAIN ? false : null;
    }
    return true;
  };
  return isRangeCached(-1, 0, 1) === null ? isRangeCached : null;
});

export const readCached = declareNative<ReadCached>('preadv2', (library) => {
  const preadv2 = declarePreadv2(library);
  if (preadv2 === null) return null;
  const read: ReadCached = (descriptor, target, at, length, position) => {
    const piece = longPieces[0] as { length: number };
    piece.length = length;
    const count = preadv2(descriptor, longPieces, 1, position, RWF_NOWAIT);
    if (count < 0) return library.errno() === EAGAIN ? WOULD_WAIT : CANNOT_TELL;
    if (count < length) {
      // At the end of the file, or in front of a page that is not there.
      const more = preadv2(descriptor, pieces, 1, position + count, RWF_NOWAIT);
      if (more !== 0) return WOULD_WAIT;
      if (count === 0) return 0;
    }
    target.set(count === landing.length ? landing : landing.subarray(0, count), at);
    return count;
  };
  return read(-1, landing, 0, 1, 0) === CANNOT_TELL ? read : null;
});

/** The call, tried on a known byte: without the flag it is a plain read. */
function declarePreadv2(library: NativeLibrary): NativeFunction | null {
  if (!isKnownLinux) return null;
  const parameters = ['int', 'void *', 'int', 'int64_t', 'int'];
  const preadv2 = library.declareWithArray('preadv2', 'int64_t', parameters, 1, { base: 'void *', length: 'size_t' });
  const write = library.declare('int64_t pwrite(int descriptor, void *bytes, size_t count, int64_t position)');
  const answers = withMemoryFile(
    library,
    (descriptor) =>
      write(descriptor, Buffer.from('naru'), 4, 0) === 4 && preadv2(descriptor, pieces, 1, 2, 0) === 1 && landing[0] === 'r'.charCodeAt(0),
  );
  return answers ? preadv2 : null;
}
