// What is known of one life of a topic: which record stands at which offset, as told by an acknowledgement or seen by a reader.
// Whatever is learned later must not contradict it.
import type { Record } from '../../../src/protocol/records/record.ts';
import { identify } from './identity.ts';

/** A producer's sequences are below this: producer and sequence make one number. */
const SEQUENCES_MAX = 1e9;
const UNKNOWN = -1;

/** What one reader has seen of the producers of a partition, reading it without a gap from its start, or from somewhere else. */
export class Sequel {
  readonly #isFromStart: boolean;
  readonly #last = new Map<number, number>();
  readonly #seen = new Map<number, Set<number>>();

  constructor(isFromStart = true) {
    this.#isFromStart = isFromStart;
  }

  /** An idempotent producer's records follow each other without a gap; any other's come once each. */
  next(producer: number, sequence: number, isIdempotent: boolean): string | null {
    if (isIdempotent) {
      const last = this.#last.get(producer) ?? (this.#isFromStart ? -1 : sequence - 1);
      this.#last.set(producer, sequence);
      if (sequence === last + 1) return null;
      return `${sequence <= last ? 'a duplicate' : 'a gap'}: sequence ${sequence} of the idempotent producer ${producer} after ${last}`;
    }
    const seen = this.#seen.get(producer) ?? new Set();
    this.#seen.set(producer, seen);
    if (seen.has(sequence)) return `sequence ${sequence} of producer ${producer} came twice, and was sent once`;
    seen.add(sequence);
    return null;
  }
}

class PartitionLedger {
  /** By offset. */
  readonly standing: number[] = [];
  acknowledgedEnd = 0;
  /** The log starts here or behind it. */
  start = 0;

  learn(offset: number, record: number, how: string): void {
    while (this.standing.length <= offset) this.standing.push(UNKNOWN);
    const known = this.standing[offset] as number;
    if (known !== UNKNOWN && known !== record) {
      throw new Error(`offset ${offset} is ${nameOf(record)} as ${how}, and was ${nameOf(known)} before`);
    }
    this.standing[offset] = record;
  }
}

function nameOf(record: number): string {
  return `${Math.floor(record / SEQUENCES_MAX)}/${record % SEQUENCES_MAX}`;
}

export class TopicLife {
  readonly name: string;
  readonly topicId: string;
  readonly partitionCount: number;
  /** Its oldest records go, by retention and DeleteRecords. */
  readonly isTrimmed: boolean;
  /** Its deletion has been asked for: errors are no surprise any more. */
  isEnding = false;
  acknowledgedCount = 0;
  readonly #partitions: PartitionLedger[];
  readonly #isIdempotent: (producer: number) => boolean;

  constructor(name: string, topicId: string, partitionCount: number, isTrimmed: boolean, isIdempotent: (producer: number) => boolean) {
    this.isTrimmed = isTrimmed;
    this.name = name;
    this.topicId = topicId;
    this.partitionCount = partitionCount;
    this.#isIdempotent = isIdempotent;
    this.#partitions = Array.from({ length: partitionCount }, () => new PartitionLedger());
  }

  acknowledge(partition: number, baseOffset: number, producer: number, first: number, count: number): void {
    const ledger = this.#of(partition);
    for (let i = 0; i < count; i++) ledger.learn(baseOffset + i, producer * SEQUENCES_MAX + first + i, 'acknowledged');
    ledger.acknowledgedEnd = Math.max(ledger.acknowledgedEnd, baseOffset + count);
    this.acknowledgedCount += count;
  }

  /** The next offset after `records`, which were read from `offset` on. */
  read(partition: number, offset: number, records: readonly Record[], sequel: Sequel | null): number {
    let next = offset;
    for (const record of records) {
      const { producer, sequence } = identify(record.value, this.topicId, partition);
      this.#of(partition).learn(record.offset, producer * SEQUENCES_MAX + sequence, 'read');
      if (record.offset < offset) continue; // Its batch begins before what was asked for.
      if (record.offset !== next) throw new Error(`offset ${record.offset} where ${next} was due`);
      const wrong = sequel?.next(producer, sequence, this.#isIdempotent(producer)) ?? null;
      if (wrong !== null) throw new Error(`${wrong}, at offset ${record.offset}`);
      next++;
    }
    return next;
  }

  /** An answer says that the log starts at `offset` or behind it; `before` is what was known when it was asked for. */
  startsAt(partition: number, offset: number, before: number): void {
    if (offset > 0 && !this.isTrimmed)
      throw new Error(`${this.name}-${partition} is said to start at ${offset}, and nobody deleted anything`);
    if (offset < before) throw new Error(`${this.name}-${partition} is said to start at ${offset}, and started at ${before} before`);
    const ledger = this.#of(partition);
    ledger.start = Math.max(ledger.start, offset);
  }

  /** The log starts here or behind it. */
  knownStart(partition: number): number {
    return this.#of(partition).start;
  }

  get knownStarts(): number[] {
    return this.#partitions.map(({ start }) => start);
  }

  /** An offset at or below what is known to be there. */
  knownEnd(partition: number): number {
    return this.#of(partition).standing.length;
  }

  acknowledgedEnd(partition: number): number {
    return this.#of(partition).acknowledgedEnd;
  }

  #of(partition: number): PartitionLedger {
    return this.#partitions[partition] as PartitionLedger;
  }
}
