// Reads ranges of segment files into replies: what is in the page cache at once, what is not in libuv's pool, so that one consumer of old
// records does not stall the other connections of its worker. Knows a file by its descriptor alone, which whoever asks keeps open.
// Invariant: nothing that may wait for a disk runs on the loop, as far as anybody can tell: by preadv2(RWF_NOWAIT) where the file system
// knows; elsewhere what was written lately counts as cached (tmpfs is memory, and a tail has just been written).
// Runs on: every worker with connections. A failed read is a short one: the caller gives up that reply.
import { MIB } from '../base/units.ts';
import { readDescriptor, readDescriptorLater } from '../log/file-storage.ts';
import { StorageError } from '../log/storage.ts';
import { rangeCached } from '../native/range-cached.ts';
import type { Runtime } from '../scheduler/runtime.ts';

/** How far behind the end of what may be read a range still counts as lately written, where nobody can tell. */
const RECENT_BYTES = 64 * MIB;

export interface SegmentReader {
  /** Whether a range can be read without waiting. `behindEndBytes`: how far its end lies behind the end of the live segment, Infinity for an older one. */
  isCached(descriptor: number, position: number, length: number, behindEndBytes: number): boolean;
  /** Bytes read into target[at, at + length), at once. */
  readNow(descriptor: number, target: Uint8Array, at: number, length: number, position: number): number;
  /** The same in the pool; `done` hears the count in a later turn. The target must stay where it is until then. */
  readLater(descriptor: number, target: Uint8Array, at: number, length: number, position: number, done: (count: number) => void): void;
}

export function createSegmentReader(runtime: Runtime): SegmentReader {
  return {
    isCached(descriptor, position, length, behindEndBytes) {
      const known = descriptor < 0 ? true : (rangeCached()?.(descriptor, position, length) ?? null);
      return known ?? behindEndBytes <= RECENT_BYTES;
    },
    readNow(descriptor, target, at, length, position) {
      try {
        return readDescriptor(descriptor, target, at, length, position);
      } catch (error) {
        if (error instanceof StorageError) return -1;
        throw error;
      }
    },
    readLater(descriptor, target, at, length, position, done) {
      runtime.submit(
        () => readDescriptorLater(descriptor, target, at, length, position),
        (error, count) => done(error === null ? (count ?? -1) : -1),
      );
    },
  };
}
