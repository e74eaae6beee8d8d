// Where each word of the exchange region lies: a function of (worker count, ring capacity) alone, so that every worker
// computes it and nobody has to be told.
//   sleeping words   one line per worker
//   rings            per ordered pair (from, to), a worker with itself included: a request ring, then a reply ring
//   a ring           a line for the producer's counter, a line for the consumer's counter, the records
// Pure. Not the algorithm (spsc-ring.ts), not the other shared regions (docs/internals/shared-memory.md names them all).
import { assert } from '../base/assert.ts';
import { LINE_WORDS, SharedWords, WORD_BYTES } from './shared-words.ts';

/** Word 0 the record's words, header and alignment included; 1 its kind, or PADDING_KIND; 2 the request id; 3 the payload's words. */
export const RECORD_HEADER_WORDS = 4;
/** Records start at multiples of 8 bytes, so that a payload can hold 64-bit floats. */
export const RECORD_ALIGNMENT_WORDS = 2;
/** Fills the end of the buffer where a record would have wrapped. */
export const PADDING_KIND = -1;

/** The counters and the records of a ring, relative to its first word. */
export const RING_TAIL_WORD = 0;
export const RING_HEAD_WORD = LINE_WORDS;
export const RING_DATA_WORD = 2 * LINE_WORDS;

/** The smallest ring holds one record of half its capacity, 12 payload words, at any position. */
export const RING_CAPACITY_MIN_BYTES = 128;
const RING_CAPACITY_MAX_BYTES = 2 ** 30;
/** `interest` masks have a bit for each worker. */
export const WORKER_COUNT_MAX = 32;

export const REQUEST_RING = 0;
export const REPLY_RING = 1;
type RingUse = typeof REQUEST_RING | typeof REPLY_RING;

/** Words that a record with this payload takes in a ring. */
export function recordWords(payloadWords: number): number {
  return (RECORD_HEADER_WORDS + payloadWords + RECORD_ALIGNMENT_WORDS - 1) & -RECORD_ALIGNMENT_WORDS;
}

/** The largest payload of a ring: a record takes at most half the capacity, else it could wait for ever on an empty ring. */
export function payloadWordsMax(capacityBytes: number): number {
  return capacityBytes / WORD_BYTES / 2 - RECORD_HEADER_WORDS;
}

export function ringWords(capacityBytes: number): number {
  return RING_DATA_WORD + capacityBytes / WORD_BYTES;
}

interface ExchangeLayout {
  readonly workerCount: number;
  readonly ringCapacityBytes: number;
  readonly sizeBytes: number;
  /** The word in which a worker says that it sleeps. */
  sleepingWord(worker: number): number;
  /** First word of the ring in which `from` puts records for `to`. */
  ringWord(from: number, to: number, use: RingUse): number;
}

/** The layout of an exchange region; throws for a capacity that is no power of two within its bounds or too many workers. */
export function exchangeLayout(workerCount: number, ringCapacityBytes: number): ExchangeLayout {
  assert(workerCount >= 1 && workerCount <= WORKER_COUNT_MAX, `${workerCount} workers, of 1 … ${WORKER_COUNT_MAX}`);
  assertCapacity(ringCapacityBytes);
  const words = ringWords(ringCapacityBytes);
  const firstRing = workerCount * LINE_WORDS;
  return {
    workerCount,
    ringCapacityBytes,
    sizeBytes: (firstRing + workerCount * workerCount * 2 * words) * WORD_BYTES,
    sleepingWord: (worker) => worker * LINE_WORDS,
    ringWord: (from, to, use) => firstRing + ((from * workerCount + to) * 2 + use) * words,
  };
}

export function assertCapacity(capacityBytes: number): void {
  const isPowerOfTwo = capacityBytes > 0 && (capacityBytes & (capacityBytes - 1)) === 0;
  assert(
    isPowerOfTwo && capacityBytes >= RING_CAPACITY_MIN_BYTES && capacityBytes <= RING_CAPACITY_MAX_BYTES,
    `ring capacity of ${capacityBytes} bytes: a power of two from ${RING_CAPACITY_MIN_BYTES} to ${RING_CAPACITY_MAX_BYTES} is needed`,
  );
}

/** Bytes of an exchange region. */
export function exchangeRegionBytes(workerCount: number, ringCapacityBytes: number): number {
  return exchangeLayout(workerCount, ringCapacityBytes).sizeBytes;
}

/** Makes an exchange region. `initialCounter` (words, even) is where all ring counters start: 0, but for tests of their overflow. */
export function createExchangeRegion(workerCount: number, ringCapacityBytes: number, initialCounter = 0): SharedArrayBuffer {
  const layout = exchangeLayout(workerCount, ringCapacityBytes);
  const region = new SharedArrayBuffer(layout.sizeBytes);
  if (initialCounter === 0) return region; // Zeroed memory is right as it is, and stays untouched.
  assert(initialCounter % RECORD_ALIGNMENT_WORDS === 0, `ring counters start at a multiple of ${RECORD_ALIGNMENT_WORDS} words`);
  const words = new SharedWords(region);
  for (let from = 0; from < workerCount; from++) {
    for (let to = 0; to < workerCount; to++) {
      for (const use of [REQUEST_RING, REPLY_RING] as const) {
        words.store(layout.ringWord(from, to, use) + RING_TAIL_WORD, initialCounter | 0);
        words.store(layout.ringWord(from, to, use) + RING_HEAD_WORD, initialCounter | 0);
      }
    }
  }
  return region;
}
