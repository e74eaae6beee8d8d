// What a data directory must hold, record by record, whoever has it: all that clients sent, by the offsets that it must have got.
// Invariant: a record leaves a reading only where compaction may take it, and never comes back.
// Pure. Not the clients (exchange-clients.ts), not what else a broker shows (exchange-readings.ts).

/** Text is Latin-1, so that any byte can be in it; null is null. */
export interface SentRecord {
  readonly partition: number;
  /** Null: the client takes the time at which it sends. */
  readonly timestampMs: number | null;
  readonly key: string | null;
  readonly value: string | null;
  /** NAME=VALUE; for each, in order; the value ~ is null. */
  readonly headers: string;
}

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  /** Who set the timestamp: the client (CreateTime), or the broker (LogAppendTime). */
  readonly timestampType: 'C' | 'L';
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: string;
}

interface Expected extends SentRecord {
  readonly offset: number;
  readonly isAborted: boolean;
  readonly sentAfterMs: number;
  /** Known from the first reading on, where a client or the broker took the time. */
  knownTimestampMs: number | null;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitionCount: number;
  readonly isCompacted: boolean;
  readonly timestampType: 'C' | 'L';
  readonly configs: Readonly<Record<string, string>>;
}

const CLOCK_TOLERANCE_MS = 5;

export class TopicModel {
  readonly spec: TopicSpec;
  readonly #ends: number[];
  readonly #records: Expected[][];
  /** Offsets of what was there at the last reading, or has come since. */
  readonly #present: Set<number>[];

  constructor(spec: TopicSpec) {
    this.spec = spec;
    const partitions = Array.from({ length: spec.partitionCount });
    this.#ends = partitions.map(() => 0);
    this.#records = partitions.map(() => []);
    this.#present = partitions.map(() => new Set());
  }

  /** Where the logs must end. */
  get ends(): readonly number[] {
    return this.#ends;
  }

  /** What compaction has taken, as far as it was read. */
  get removedCount(): number {
    return this.sentCount - this.#present.reduce((sum, { size }) => sum + size, 0);
  }

  get sentCount(): number {
    return this.#records.reduce((sum, { length }) => sum + length, 0);
  }

  /** Records that a client has sent, one behind the other in each partition. */
  sent(records: readonly SentRecord[], sentAfterMs: number, isAborted = false): void {
    for (const record of records) {
      const { partition } = record;
      const offset = this.#ends[partition] ?? 0;
      this.#ends[partition] = offset + 1;
      const isKnown = this.spec.timestampType === 'C' && record.timestampMs !== null;
      this.#records[partition]?.push({
        ...record,
        offset,
        isAborted,
        sentAfterMs,
        knownTimestampMs: isKnown ? record.timestampMs : null,
      });
      this.#present[partition]?.add(offset);
    }
  }

  /** The end of a transaction takes an offset in each partition that it touched. */
  markerWritten(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#ends[partition] = (this.#ends[partition] ?? 0) + 1;
  }

  /**
   * Compares what was read of all partitions, in the order of their offsets, with what must be there; `mayCompact`: somebody who compacts
   * has had the log since the last reading. Gives the first differences in words.
   */
  compare(read: readonly ReadRecord[], mayCompact: boolean): string[] {
    const differences: string[] = [];
    for (const [partition, expected] of this.#records.entries()) {
      const found = read.filter((record) => record.partition === partition);
      differences.push(...this.#comparePartition(partition, expected, found, mayCompact && this.spec.isCompacted));
    }
    return differences.slice(0, 10);
  }

  /** As `compare`, of a reader of committed records; to be called behind that, since it learns nothing. */
  compareCommitted(read: readonly ReadRecord[]): string[] {
    const differences: string[] = [];
    for (const [partition, expected] of this.#records.entries()) {
      const texts = read.filter((record) => record.partition === partition).map((record) => textOf(record));
      const present = this.#present[partition] ?? new Set();
      const wanted = expected.filter(({ offset, isAborted }) => present.has(offset) && !isAborted).map((record) => this.#textOf(record));
      if (texts.length !== wanted.length) differences.push(`${this.spec.name}-${partition}: ${texts.length} instead of ${wanted.length}`);
      const at = wanted.findIndex((text, index) => text !== texts[index]);
      if (at !== -1) differences.push(`${this.spec.name}-${partition}: ${shortened(texts[at])} instead of ${shortened(wanted[at])}`);
    }
    return differences.slice(0, 10);
  }

  /** The first offset with a record, from that one on. */
  nextPresent(partition: number, offset: number): number | null {
    const present = this.#present[partition] ?? new Set();
    for (let at = offset; at < (this.#ends[partition] ?? 0); at++) if (present.has(at)) return at;
    return null;
  }

  #comparePartition(partition: number, all: readonly Expected[], found: readonly ReadRecord[], mayCompact: boolean): string[] {
    const where = `${this.spec.name}-${partition}`;
    const differences: string[] = [];
    const present = this.#present[partition] ?? new Set();
    const newest = mayCompact ? newestOffsets(all) : present;
    let index = 0;
    for (const expected of all) {
      const { offset } = expected;
      if (!present.has(offset)) continue;
      const record = found[index];
      if (record?.offset === offset) {
        index++;
        this.#learn(expected, record);
        if (textOf(record) !== this.#textOf(expected))
          differences.push(`${where}: ${shortened(textOf(record))} instead of ${shortened(this.#textOf(expected))}`);
      } else if (newest.has(offset)) {
        differences.push(`${where}: offset ${offset} is missing, ${record?.offset} came instead`);
        if (differences.length > 3) return differences;
      } else present.delete(offset);
    }
    if (index !== found.length) differences.push(`${where}: offset ${found[index]?.offset} is nobody's`);
    return differences;
  }

  /** Takes over a timestamp that nobody could know before, if it is a possible one. */
  #learn(expected: Expected, { timestampMs }: ReadRecord): void {
    if (expected.knownTimestampMs !== null) return;
    const isPossible = timestampMs >= expected.sentAfterMs - CLOCK_TOLERANCE_MS && timestampMs <= Date.now() + CLOCK_TOLERANCE_MS;
    expected.knownTimestampMs = isPossible ? timestampMs : -1;
  }

  #textOf({ offset, key, value, headers, knownTimestampMs }: Expected): string {
    return JSON.stringify([offset, this.spec.timestampType, knownTimestampMs, key, value, headers]);
  }
}

function textOf({ offset, timestampType, timestampMs, key, value, headers }: ReadRecord): string {
  return JSON.stringify([offset, timestampType, timestampMs, key, value, headers]);
}

/** Of the last record of each key, tombstones among them: those are taken only when they are older than any test. */
function newestOffsets(records: readonly Expected[]): Set<number> {
  return new Set(new Map(records.map(({ key, offset }) => [key, offset])).values());
}

function shortened(text: string | undefined): string {
  return text === undefined ? 'nothing' : `${text.slice(0, 160)}${text.length > 160 ? '…' : ''}`;
}
