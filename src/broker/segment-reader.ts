// How the bytes of segment files get into replies: read into them, what is in the page cache at once, what is not in libuv's pool, so that one
// consumer of old records does not stall the other connections of its worker; or sent by the kernel from the file itself. Knows a file by its
// descriptor alone, which whoever asks keeps open.
// Invariant: nothing that may wait for a disk runs on the loop, as far as anybody can tell: by preadv2(RWF_NOWAIT) where the file system
// knows; elsewhere what was written lately counts as cached. Files in memory are always there. Whoever knows that a range was written while
// it was waited for need not ask (served-range.ts).
// Runs on: every worker with connections. A failed read is a short one: the caller gives up that reply.
import type { TurnEndActor } from '../actors/actor.ts';
import { MIB } from '../base/units.ts';
import { readDescriptor, readDescriptorLater } from '../log/file-storage.ts';
import { StorageError } from '../log/storage.ts';
import { rangeCached } from '../native/range-cached.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import { ColdStretches, STRETCH_BYTES } from './cold-stretches.ts';

/** How far behind the end of what may be read a range still counts as lately written, where nobody can tell. */
const RECENT_BYTES = 64 * MIB;
/** A share of 512 KiB comes out of the page cache in a fifth of this; what took longer waited, for the disk or for a core. */
const READ_MS_MAX = 0.5;

export interface SegmentReaderOptions {
  /** naru.sendfile.min.bytes: shorter ranges are read into the reply; 0: all are. */
  readonly sendfileMinBytes: number;
  /** naru.sendfile.above.bytes: ranges are read into replies as long as what is in flight stays below it. */
  readonly sendfileAboveBytes: number;
  /** Whether the log directory's files lie in memory alone. */
  readonly isInMemory: boolean;
}

export interface SegmentReader {
  /**
   * Whether a range leaves from its file, on a connection that can send one. `replyBytes`: of the same reply, in memory already.
   * Reading it costs less while all that is in flight stays in the processor's cache; docs/decisions/0017-sendfile.md has the figures.
   */
  isSentFromFile(descriptor: number, length: number, replyBytes: number): boolean;
  /** Whether a range can be read without waiting. `behindEndBytes`: how far its end lies behind the end of the live segment, Infinity for an older one. */
  isCached(descriptor: number, position: number, length: number, behindEndBytes: number): boolean;
  /** Bytes read into target[at, at + length), at once. */
  readNow(descriptor: number, target: Uint8Array, at: number, length: number, position: number): number;
  /** The same in the pool; `done` hears the count in a later turn. The target must stay where it is until then. */
  readLater(descriptor: number, target: Uint8Array, at: number, length: number, position: number, done: (count: number) => void): void;
  /** Calls `step` at the ends of turns until it says false; of all that were asked for, one in each turn. */
  stepLater(step: () => boolean): void;
}

/** For readers that send nothing. */
const READS_ONLY: SegmentReaderOptions = { sendfileMinBytes: 0, sendfileAboveBytes: 0, isInMemory: false };

export function createSegmentReader(runtime: Runtime, options: SegmentReaderOptions = READS_ONLY): SegmentReader {
  const { sendfileMinBytes, sendfileAboveBytes, isInMemory } = options;
  const cold = new ColdStretches();
  const steps: (() => boolean)[] = [];
  const stepping: TurnEndActor = {
    onTurnEnd() {
      const step = steps.shift();
      if (step?.()) steps.push(step);
      if (steps.length > 0) runtime.touchLast(stepping);
    },
  };
  return {
    isSentFromFile(descriptor, length, replyBytes) {
      if (descriptor < 0 || sendfileMinBytes === 0 || length < sendfileMinBytes) return false;
      return runtime.arena.usedBytes + replyBytes + length > sendfileAboveBytes;
    },
    isCached(descriptor, position, length, behindEndBytes) {
      if (isInMemory) return true;
      if (cold.has(descriptor, position)) return false;
      const known = descriptor < 0 ? true : (rangeCached()?.(descriptor, position, length) ?? null);
      if (known === false) cold.note(descriptor, position);
      return known ?? behindEndBytes <= RECENT_BYTES;
    },
    readNow(descriptor, target, at, length, position) {
      try {
        if (isInMemory || descriptor < 0) return readDescriptor(descriptor, target, at, length, position);
        const beganMs = runtime.clock.monotonicMs();
        const count = readDescriptor(descriptor, target, at, length, position);
        const isSlow = runtime.clock.monotonicMs() - beganMs > READ_MS_MAX;
        // A file that has just been written is there up to its end: there the thread has lost its core. Read-ahead does not come so far.
        const end = position + length;
        if (isSlow && rangeCached()?.(descriptor, end + STRETCH_BYTES, 1) === false) cold.note(descriptor, end);
        return count;
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
    stepLater(step) {
      steps.push(step);
      if (steps.length === 1) runtime.touchLast(stepping);
    },
  };
}
