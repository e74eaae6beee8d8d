// What the log knows of each producer that writes with an id: epoch, the last five batches, a transaction that is open.
// Invariants: the batches of an entry have consecutive sequences and rising offsets; state stands at `endOffset`, which is the
// log's staged end while it is open (what is staged counts: if its write fails, the whole log is loaded anew).
// Pure. Not its snapshots on disk: producer-snapshot.ts. Source: KIP-98, KIP-360, KIP-890.

import { ERROR } from '../protocol/errors.ts';
import { NO_PRODUCER_EPOCH, NO_SEQUENCE } from '../protocol/records/batch.ts';

/** Kafka's, and the clients rely on it: at most five requests in flight for an idempotent producer. */
export const BATCHES_KEPT = 5;
const SEQUENCE_MAX = 2 ** 31 - 1;

/** One producer. The batch fields are rings of BATCHES_KEPT slots, the oldest at `#first`. */
export class ProducerEntry {
  readonly producerId: number;
  epoch = NO_PRODUCER_EPOCH;
  coordinatorEpoch = -1;
  /** Milliseconds; of the last batch or transaction marker. */
  lastTimestamp = -1;
  /** First offset of the open transaction, -1 without one. */
  transactionFirstOffset = -1;
  batchCount = 0;
  #first = 0;
  /** Four numbers a slot: last sequence, last offset, offset delta, timestamp. */
  #slots = new Float64Array(BATCHES_KEPT * 4);

  constructor(producerId: number) {
    this.producerId = producerId;
  }

  lastSequence(n = this.batchCount - 1): number {
    return this.batchCount === 0 ? NO_SEQUENCE : this.#slot(n, 0);
  }

  firstSequence(n: number): number {
    return (this.#slot(n, 0) - this.#slot(n, 2)) & SEQUENCE_MAX;
  }

  lastOffset(n = this.batchCount - 1): number {
    return this.batchCount === 0 ? -1 : this.#slot(n, 1);
  }

  offsetDelta(n = this.batchCount - 1): number {
    return this.batchCount === 0 ? 0 : this.#slot(n, 2);
  }

  timestamp(n: number): number {
    return this.#slot(n, 3);
  }

  /** A new epoch forgets the batches of the one before. */
  takeEpoch(epoch: number): void {
    if (this.epoch === epoch) return;
    this.batchCount = 0;
    this.#first = 0;
    this.epoch = epoch;
  }

  addBatch(epoch: number, lastSequence: number, lastOffset: number, offsetDelta: number, timestampMs: number): void {
    this.takeEpoch(epoch);
    if (this.batchCount === BATCHES_KEPT) this.#first = (this.#first + 1) % BATCHES_KEPT;
    else this.batchCount++;
    const at = ((this.#first + this.batchCount - 1) % BATCHES_KEPT) * 4;
    this.#slots[at] = lastSequence;
    this.#slots[at + 1] = lastOffset;
    this.#slots[at + 2] = offsetDelta;
    this.#slots[at + 3] = timestampMs;
    this.lastTimestamp = timestampMs;
  }

  /** The kept batch with exactly these sequences, or -1. */
  findDuplicate(epoch: number, firstSequence: number, lastSequence: number): number {
    if (epoch !== this.epoch) return -1;
    for (let n = 0; n < this.batchCount; n++) {
      if (this.#slot(n, 0) === lastSequence && this.firstSequence(n) === firstSequence) return n;
    }
    return -1;
  }

  #slot(n: number, field: number): number {
    return this.#slots[((this.#first + n) % BATCHES_KEPT) * 4 + field] as number;
  }
}

export class ProducerState {
  #producers = new Map<number, ProducerEntry>();
  /** The state covers the log up to here. */
  endOffset = 0;

  get producerCount(): number {
    return this.#producers.size;
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#producers.get(producerId);
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#producers.values();
  }

  put(entry: ProducerEntry): void {
    this.#producers.set(entry.producerId, entry);
  }

  clear(endOffset: number): void {
    this.#producers.clear();
    this.endOffset = endOffset;
  }

  /**
   * Whether a client's batch may follow what is known of its producer; an error code, NONE where it may.
   * A producer that nobody knows (never seen, expired, its records deleted) may go on with any sequence.
   */
  checkClientBatch(producerId: number, epoch: number, firstSequence: number): number {
    const entry = this.#producers.get(producerId);
    if (entry === undefined || entry.epoch === NO_PRODUCER_EPOCH) return ERROR.NONE;
    if (epoch < entry.epoch) return ERROR.INVALID_PRODUCER_EPOCH;
    if (epoch !== entry.epoch) return firstSequence === 0 ? ERROR.NONE : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER;
    const last = entry.lastSequence();
    const isNext = firstSequence === last + 1 || (firstSequence === 0 && last === SEQUENCE_MAX);
    return isNext ? ERROR.NONE : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  /** Notes a data batch of a producer; `isTransactional` opens a transaction where none is open. */
  noteBatch(
    producerId: number,
    epoch: number,
    lastSequence: number,
    lastOffset: number,
    offsetDelta: number,
    timestampMs: number,
    isTransactional: boolean,
  ): void {
    const entry = this.#entryFor(producerId);
    entry.addBatch(epoch, lastSequence, lastOffset, offsetDelta, timestampMs);
    if (isTransactional && entry.transactionFirstOffset === -1) entry.transactionFirstOffset = lastOffset - offsetDelta;
  }

  /** Notes the marker that ends a transaction. */
  noteEndMarker(producerId: number, epoch: number, coordinatorEpoch: number, timestampMs: number): void {
    const entry = this.#entryFor(producerId);
    entry.takeEpoch(epoch);
    entry.coordinatorEpoch = coordinatorEpoch;
    entry.lastTimestamp = timestampMs;
    entry.transactionFirstOffset = -1;
  }

  /** Start of the oldest open transaction, -1 where none is open. */
  firstUnstableOffset(): number {
    let first = -1;
    for (const entry of this.#producers.values()) {
      const start = entry.transactionFirstOffset;
      if (start !== -1 && (first === -1 || start < first)) first = start;
    }
    return first;
  }

  /** Forgets producers that wrote nothing for producer.id.expiration.ms and have no open transaction. */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#producers.values()) if (isExpired(entry, nowMs, expirationMs)) this.#producers.delete(entry.producerId);
  }

  #entryFor(producerId: number): ProducerEntry {
    let entry = this.#producers.get(producerId);
    if (entry === undefined) {
      entry = new ProducerEntry(producerId);
      this.#producers.set(producerId, entry);
    }
    return entry;
  }
}

export function isExpired(entry: ProducerEntry, nowMs: number, expirationMs: number): boolean {
  return entry.transactionFirstOffset === -1 && nowMs - entry.lastTimestamp >= expirationMs;
}
