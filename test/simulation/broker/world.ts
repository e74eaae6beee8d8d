// What the clients of a simulated broker were told, and what follows from it: the invariants of the broker scenario.
//   an offset holds one value for ever, and a value stands at one offset: nothing is lost, changed, or there twice
//   ends never run back: whoever asks after an end was told is told at least that
//   after a power loss a log is a prefix of what it was; only a synced end would be more, and nobody was promised one
//   a topic whose creation was answered is there, whole; one whose deletion was answered is not
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
    if (other !== undefined && other !== offset) {
      throw new Violation(`${this.name}: ${value} is ${how} at offset ${offset} and stands at ${other} too`);
    }
    this.#values[offset] = value;
    this.#offsets.set(value, offset);
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
  readonly partitions: readonly PartitionModel[];
  /** Topics of the same request are made together or not at all. */
  readonly request: number;
  id: string | null = null;
  state: TopicState = 'creating';
  /** Requests that name it and are not answered: its name is not used again before. */
  askedCount = 0;

  constructor(serial: number, name: string, partitionCount: number, request: number) {
    this.serial = serial;
    this.name = name;
    this.request = request;
    this.partitions = Array.from({ length: partitionCount }, (_, index) => new PartitionModel(this, index));
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
    deleted: 0,
    retried: 0,
    forgotten: 0,
    died: 0,
    closed: 0,
    cuts: 0,
    offline: 0,
  };
  #serial = 0;
  #requests = 0;

  get live(): TopicModel[] {
    return this.topics.filter((topic) => topic.state === 'live');
  }

  /** Models for topics that are about to be asked for, with names that nobody uses. */
  plan(partitionCounts: readonly number[]): TopicModel[] {
    const request = ++this.#requests;
    const planned: TopicModel[] = [];
    for (const partitionCount of partitionCounts) {
      let number = 0;
      while (this.topics.some((topic) => topic.name === `topic${number}` && (topic.state !== 'gone' || topic.askedCount > 0))) number++;
      const topic = new TopicModel(++this.#serial, `topic${number}`, partitionCount, request);
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
      if (topic.state === 'live' && there !== undefined && there.partitionCount !== topic.partitions.length) {
        throw new Violation(`topic ${topic.name} has ${there.partitionCount} partitions, ${topic.partitions.length} were asked for`);
      }
    }
    const known = new Set(this.live.map((topic) => topic.name));
    for (const name of found.keys()) if (!known.has(name)) throw new Violation(`nobody made the topic ${name}`);
  }
}
