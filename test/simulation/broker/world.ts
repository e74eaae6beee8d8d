// What the clients of a simulated broker were told, and what follows from it: the invariants of the broker scenario.
//   an offset holds one value for ever, and a value stands at one offset: nothing is lost, changed, or there twice
//   ends never run back: whoever asks after an end was told is told at least that
//   after a power loss a log is a prefix of what it was; only a synced end would be more, and nobody was promised one
//   where syncs come before acknowledgements, a power loss takes nothing that was acknowledged or told as an end
//   what was deleted by an answered request stays deleted, through any end; nothing else is, but by retention
//   a topic whose creation was answered is there, whole; one whose deletion was answered is not
//   partitions that were added by an answered request are there
import { Violation } from './violation.ts';

/** A batch whose place in the log is known. */
export interface KnownBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeBytes: number;
}

export class PartitionModel {
  readonly topic: TopicModel;
  readonly index: number;
  /** Everything below it was acknowledged or told as a high watermark. */
  knownEnd = 0;
  /** A deletion of all records below it was answered. */
  knownStart = 0;
  /** A deletion of records below it was asked for. */
  #possibleStart = 0;
  /** Deletions up to the high watermark, which nobody knows before they are answered. */
  #openDeletions = 0;
  /** As Metadata told it last; −1 before. */
  leaderEpoch = -1;
  /** By offset; holes where nobody was told. */
  readonly #values: (string | undefined)[] = [];
  readonly #offsets = new Map<string, number>();
  readonly #batches = new Map<number, KnownBatch>();

  constructor(topic: TopicModel, index: number) {
    this.topic = topic;
    this.index = index;
  }

  get name(): string {
    return `${this.topic.name}-${this.index}`;
  }

  /** Value `value` stands at `offset`: someone was told so. */
  learn(offset: number, value: string, how: string): void {
    const known = this.#values[offset];
    if (known !== undefined && known !== value) {
      throw new Violation(`${this.name}: offset ${offset} held ${known}, now ${value} is ${how}`);
    }
    const other = this.#offsets.get(value);
    // Of records that are gone the broker may forget who sent them.
    if (other !== undefined && other !== offset && !this.mayStartAt(other + 1)) {
      throw new Violation(`${this.name}: ${value} is ${how} at offset ${offset} and stands at ${other} too`);
    }
    this.#values[offset] = value;
    this.#offsets.set(value, offset);
  }

  /** A deletion of records is asked for, below `offset`, or, −1, below the high watermark. */
  askDeletion(offset: number): void {
    if (offset < 0) this.#openDeletions++;
    else this.#possibleStart = Math.max(this.#possibleStart, offset);
  }

  /** It was answered. */
  learnStart(offset: number, lowWatermark: number): void {
    if (lowWatermark < offset) throw new Violation(`${this.name}: records below ${offset} were deleted, and it starts at ${lowWatermark}`);
    this.checkStart(lowWatermark, this.knownStart, 'the answer to a deletion');
    this.knownStart = Math.max(this.knownStart, lowWatermark);
    if (offset >= 0) return;
    this.#openDeletions--;
    this.#possibleStart = Math.max(this.#possibleStart, lowWatermark);
  }

  /** Whether the records below `offset` may be gone. */
  mayStartAt(offset: number): boolean {
    return this.topic.hasRetention || this.#openDeletions > 0 || offset <= this.#possibleStart;
  }

  /** A start was told to someone who asked when `floor` was known already. */
  checkStart(start: number, floor: number, what: string): void {
    if (start < floor) throw new Violation(`${this.name}: ${what} says it starts at ${start}, when ${floor} had been told before`);
    if (!this.mayStartAt(start)) throw new Violation(`${this.name}: ${what} says it starts at ${start}, and nobody deleted so much`);
  }

  holds(value: string): boolean {
    return this.#offsets.has(value);
  }

  learnBatch(batch: KnownBatch): void {
    this.#batches.set(batch.baseOffset, batch);
  }

  learnEnd(end: number): void {
    this.knownEnd = Math.max(this.knownEnd, end);
  }

  /** An end was told to someone who asked when `floor` was known already. */
  checkEnd(end: number, floor: number, what: string): void {
    if (end < floor) throw new Violation(`${this.name}: ${what} is ${end}, when ${floor} had been told before it was asked`);
  }

  /** Bytes that are known to lie at and behind `offset`, in whole batches. */
  bytesFrom(offset: number): number {
    let bytes = 0;
    for (const batch of this.#batches.values())
      if (batch.lastOffset >= offset && batch.lastOffset < this.knownEnd) bytes += batch.sizeBytes;
    return bytes;
  }

  /** The power was lost, and the log ends at `end` now. */
  cutTo(end: number): void {
    for (let offset = end; offset < this.#values.length; offset++) {
      const value = this.#values[offset];
      if (value !== undefined) this.#offsets.delete(value);
    }
    this.#values.length = Math.min(this.#values.length, end);
    for (const batch of [...this.#batches.values()]) if (batch.lastOffset >= end) this.#batches.delete(batch.baseOffset);
    this.knownEnd = Math.min(this.knownEnd, end);
  }
}

/** 'creating' and 'deleting': asked for, and not answered yet or never. */
export type TopicState = 'creating' | 'live' | 'deleting' | 'gone';

export class TopicModel {
  readonly serial: number;
  readonly name: string;
  readonly partitions: PartitionModel[];
  /** Has retention.ms or retention.bytes: the broker deletes what it will. */
  readonly hasRetention: boolean;
  /** What its compression.type asks for: every batch is stored in it. Null where they stay as they came. */
  codec: number | null = null;
  /** Asked for, and not answered: how many partitions it is to have. */
  wantedCount = 0;
  /** Topics of the same request are made together or not at all. */
  readonly request: number;
  id: string | null = null;
  state: TopicState = 'creating';
  /** Requests that name it and are not answered: its name is not used again before. */
  askedCount = 0;

  constructor(serial: number, name: string, partitionCount: number, request: number, hasRetention: boolean) {
    this.hasRetention = hasRetention;
    this.serial = serial;
    this.name = name;
    this.request = request;
    this.partitions = Array.from({ length: partitionCount }, (_, index) => new PartitionModel(this, index));
  }

  growTo(partitionCount: number): void {
    while (this.partitions.length < partitionCount) this.partitions.push(new PartitionModel(this, this.partitions.length));
    this.wantedCount = 0;
  }

  /** Errors for a topic that is not there are right only then. */
  get mayBeMissing(): boolean {
    return this.state !== 'live';
  }
}

export class World {
  readonly topics: TopicModel[] = [];
  readonly producerIds = new Set<number>();
  readonly counts = {
    acknowledged: 0,
    read: 0,
    refused: 0,
    created: 0,
    grown: 0,
    deletions: 0,
    outOfRange: 0,
    deleted: 0,
    retried: 0,
    forgotten: 0,
    died: 0,
    closed: 0,
    cuts: 0,
    offline: 0,
    recompressed: 0,
    endsAtWork: 0,
  };
  #serial = 0;
  #requests = 0;

  get live(): TopicModel[] {
    return this.topics.filter((topic) => topic.state === 'live');
  }

  /** Models for topics that are about to be asked for, with names that nobody uses. */
  plan(partitionCounts: readonly number[], hasRetention: boolean): TopicModel[] {
    const request = ++this.#requests;
    const planned: TopicModel[] = [];
    for (const partitionCount of partitionCounts) {
      let number = 0;
      while (this.topics.some((topic) => topic.name === `topic${number}` && (topic.state !== 'gone' || topic.askedCount > 0))) number++;
      const topic = new TopicModel(++this.#serial, `topic${number}`, partitionCount, request, hasRetention);
      this.topics.push(topic);
      planned.push(topic);
    }
    return planned;
  }

  /** No request of the last process is under way any more. */
  forgetRequests(): void {
    for (const topic of this.topics) topic.askedCount = 0;
  }

  /** What a started broker says of its topics: by name, with id and partition count. */
  checkTopics(found: ReadonlyMap<string, { readonly id: string; readonly partitionCount: number }>): void {
    const made = new Map<number, boolean>();
    for (const topic of this.topics) {
      const there = found.get(topic.name);
      if (topic.state === 'live') {
        if (there === undefined) throw new Violation(`topic ${topic.name} was created and is gone`);
        if (there.id !== topic.id) throw new Violation(`topic ${topic.name} has id ${there.id}, it was created with ${topic.id}`);
      } else if (topic.state === 'deleting') {
        topic.state = there !== undefined && there.id === topic.id ? 'live' : 'gone';
      } else if (topic.state === 'gone') {
        if (there !== undefined && there.id === topic.id) throw new Violation(`topic ${topic.name} was deleted and is back`);
      } else {
        const known = made.get(topic.request);
        const isThere = there !== undefined;
        if (known !== undefined && known !== isThere) throw new Violation(`topic ${topic.name}: half of its request was carried out`);
        made.set(topic.request, isThere);
        topic.state = isThere ? 'live' : 'gone';
        topic.id = there?.id ?? null;
      }
      if (topic.state === 'live' && there?.partitionCount === topic.wantedCount) topic.growTo(topic.wantedCount);
      topic.wantedCount = 0;
      if (topic.state === 'live' && there !== undefined && there.partitionCount !== topic.partitions.length) {
        throw new Violation(`topic ${topic.name} has ${there.partitionCount} partitions, ${topic.partitions.length} were asked for`);
      }
    }
    const known = new Set(this.live.map((topic) => topic.name));
    for (const name of found.keys()) if (!known.has(name)) throw new Violation(`nobody made the topic ${name}`);
  }
}
