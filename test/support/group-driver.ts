// Runs one shard of a group coordinator in memory: virtual time, a log of encoded records, timers in their order. It keeps what a runtime
// keeps: records pass through their bytes and are replayed at once, an answer is encoded at the version that was asked, a question is
// answered once, and `waiting` tells exactly the questions that are open.
import { assert } from '../../src/base/assert.ts';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { seededRandom } from '../../src/base/random.ts';
import { DAY_MS, MIB, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { regexes } from '../../src/broker/regex-engine.ts';
import {
  type CoordinatorShard,
  type Decision,
  RECORD_OVERHEAD_BYTES,
  type ShardEnvironment,
  type TopicsView,
  type TopicView,
} from '../../src/coordinator/shard.ts';
import type { GroupConfig } from '../../src/groups/group-config.ts';
import { type GroupRecord, groupRecordCodec } from '../../src/groups/group-records.ts';
import { apis } from '../../src/protocol/apis/index.ts';
import { codec, encodeMessage } from '../../src/protocol/compile.ts';
import { encodeRecord } from './record-bytes.ts';

/** Kafka's defaults, but for the first rebalance's delay, which is 0 so that most stories need no waiting. */
export const groupConfig: GroupConfig = {
  offsetMetadataBytesMax: 4096,
  offsetsRetentionMs: 7 * DAY_MS,
  offsetsRetentionCheckIntervalMs: 10 * MINUTE_MS,
  sessionTimeoutMinMs: 6 * SECOND_MS,
  sessionTimeoutMaxMs: 30 * MINUTE_MS,
  initialRebalanceDelayMs: 0,
  classicSizeMax: 2 ** 31 - 1,
  consumer: {
    sessionTimeoutMs: 45 * SECOND_MS,
    sessionTimeoutMinMs: 45 * SECOND_MS,
    sessionTimeoutMaxMs: 60 * SECOND_MS,
    heartbeatIntervalMs: 5 * SECOND_MS,
    heartbeatIntervalMinMs: 5 * SECOND_MS,
    heartbeatIntervalMaxMs: 15 * SECOND_MS,
    sizeMax: 2 ** 31 - 1,
    assignors: ['uniform', 'range'],
    migrationPolicy: 'bidirectional',
    regexRefreshIntervalMs: 10 * MINUTE_MS,
    assignmentIntervalMs: 0,
  },
  regexes,
  ofGroup: () => new Map(),
};

export interface Asked {
  readonly apiKey: number;
  readonly apiVersion: number;
}

export interface AnswerGiven extends Asked {
  readonly token: number;
  /** The response message, decoded from its bytes; null where the shard was dropped with the question open. */
  readonly body: unknown;
}

export interface LoggedRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** What happened since it was last told. */
export interface Happened {
  readonly records: GroupRecord[];
  readonly answers: AnswerGiven[];
}

export type ShardFactory = (environment: ShardEnvironment, config: GroupConfig) => CoordinatorShard<GroupRecord>;

export interface DriverOptions {
  readonly makeShard: ShardFactory;
  readonly config?: GroupConfig;
  readonly seed?: number;
  readonly startMs?: number;
  readonly recordBytesMax?: number;
  readonly decisionBytesMax?: number;
  /** Left out where a test measures: `waiting` is then not compared after each event, which takes time by their number. */
  readonly isWaitingChecked?: boolean;
  /** Called after each event, with what it led to. */
  readonly onEvent?: (happened: Happened) => void;
}

export class GroupDriver {
  config: GroupConfig;
  nowMs: number;
  /** All records ever appended. */
  readonly log: LoggedRecord[] = [];
  /** Questions without an answer, by token. */
  readonly open = new Map<number, Asked>();
  readonly #makeShard: ShardFactory;
  readonly #random;
  readonly #isWaitingChecked: boolean;
  readonly #onEvent: ((happened: Happened) => void) | undefined;
  readonly #recordBytesMax: number;
  readonly #decisionBytesMax: number;
  readonly #topics = new Map<string, TopicView>();
  #topicsVersion = 0;
  #topicsMade = 0;
  #timers = new Map<string, { dueMs: number; order: number }>();
  #timerOrder = 0;
  #token = 0;
  #happened: Happened = { records: [], answers: [] };
  #shard: CoordinatorShard<GroupRecord>;

  constructor(options: DriverOptions) {
    const { makeShard, config = groupConfig, seed = 1, startMs = 1_000_000, isWaitingChecked = true, recordBytesMax = MIB } = options;
    this.#makeShard = makeShard;
    this.config = config;
    this.nowMs = startMs;
    this.#random = seededRandom(seed);
    this.#isWaitingChecked = isWaitingChecked;
    this.#recordBytesMax = recordBytesMax;
    this.#decisionBytesMax = options.decisionBytesMax ?? MIB;
    this.#onEvent = options.onEvent;
    this.#shard = this.#load();
  }

  get shard(): CoordinatorShard<GroupRecord> {
    return this.#shard;
  }

  /** Token of the next question: an answer may come before `ask` returns. */
  get nextToken(): number {
    return this.#token + 1;
  }

  /** Timers that are set: key and the time until each fires, the soonest first. */
  get timers(): [key: string, inMs: number][] {
    return [...this.#timers]
      .sort(([, a], [, b]) => a.dueMs - b.dueMs || a.order - b.order)
      .map(([key, { dueMs }]) => [key, dueMs - this.nowMs]);
  }

  /** Asks with a request message that goes through its bytes at `apiVersion`. Gives the question's token. */
  ask(apiKey: number, apiVersion: number, message: unknown, clientId = 'client', clientHost = '/127.0.0.1'): number {
    const table = apis.get(apiKey)?.request;
    assert(table !== undefined, `no API ${apiKey}`);
    const body = codec(table, apiVersion).decode(new ByteReader(encodeMessage(table, apiVersion, message as never)));
    const token = ++this.#token;
    this.open.set(token, { apiKey, apiVersion });
    this.#apply(this.#shard.ask({ token, apiKey, apiVersion, clientId, clientHost, body }));
    return token;
  }

  /** Asks and gives the answer, which must come at once. */
  answerTo<T>(apiKey: number, apiVersion: number, message: unknown, clientId?: string): T {
    const token = this.ask(apiKey, apiVersion, message, clientId);
    const answer = this.#happened.answers.find((each) => each.token === token);
    assert(answer !== undefined, `API ${apiKey} was not answered at once`);
    return answer.body as T;
  }

  /** Moves time on, firing what falls due on the way in its order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.timers[0];
      if (next === undefined || this.nowMs + next[1] > endMs) break;
      this.nowMs += Math.max(0, next[1]);
      this.#timers.delete(next[0]);
      this.#apply(this.#shard.onTimer(next[0]));
    }
    this.nowMs = endMs;
  }

  /** Drops the shard, with its timers and questions, and builds it anew from the log. */
  reload(): void {
    for (const [token, asked] of this.open) this.#happened.answers.push({ token, ...asked, body: null });
    this.open.clear();
    this.#shard = this.#load();
  }

  createTopic(name: string, partitionCount: number, racks: TopicView['racks'] = null): void {
    this.#topics.set(name, { name, topicId: topicIdOf(name, this.#topicsMade++), partitionCount, racks });
    this.#topicsChanged([]);
  }

  addPartitions(name: string, partitionCount: number): void {
    const topic = this.#topics.get(name);
    assert(topic !== undefined, `no topic ${name}`);
    this.#topics.set(name, { ...topic, partitionCount });
    this.#topicsChanged([]);
  }

  deleteTopic(name: string): void {
    const topic = this.#topics.get(name);
    assert(topic !== undefined, `no topic ${name}`);
    this.#topics.delete(name);
    this.#topicsChanged([topic]);
  }

  topic(name: string): TopicView | undefined {
    return this.#topics.get(name);
  }

  /** Appends a record that an older broker, or another one, may have written. Seen after `reload`. */
  append(key: Uint8Array, value: Uint8Array | null): void {
    this.log.push({ key, value });
  }

  /** What happened since the last call. */
  takeHappened(): Happened {
    const happened = this.#happened;
    this.#happened = { records: [], answers: [] };
    return happened;
  }

  #load(): CoordinatorShard<GroupRecord> {
    this.#timers.clear();
    const shard = this.#makeShard(this.#environment(), this.config);
    this.#shard = shard;
    for (const { key, value } of this.log) {
      const record = groupRecordCodec.decode(key, value);
      if (record !== null) shard.replay(record);
    }
    this.#apply(shard.onLoaded());
    return shard;
  }

  #environment(): ShardEnvironment {
    const topics = this.#topics;
    const version = (): number => this.#topicsVersion;
    const view: TopicsView = {
      byName: (name) => topics.get(name) ?? null,
      byId: (topicId) => [...topics.values()].find((each) => each.topicId === topicId) ?? null,
      names: () => topics.keys(),
      get version() {
        return version();
      },
    };
    const timers = {
      set: (key: string, delayMs: number) => {
        this.#timers.set(key, { dueMs: this.nowMs + delayMs, order: this.#timerOrder++ });
      },
      cancel: (key: string) => {
        this.#timers.delete(key);
      },
    };
    return {
      partition: 0,
      wallMs: () => this.nowMs,
      random: this.#random,
      timers,
      topics: view,
      recordBytesMax: this.#recordBytesMax,
      decisionBytesMax: this.#decisionBytesMax,
    };
  }

  #topicsChanged(deleted: readonly TopicView[]): void {
    this.#topicsVersion++;
    this.#apply(this.#shard.onTopicsChanged(deleted));
  }

  #apply({ records, answers, isDivisible = false }: Decision<GroupRecord>): void {
    const given: AnswerGiven[] = [];
    let bytes = 0;
    for (const record of records) {
      const { key, value } = encodeRecord(groupRecordCodec, record);
      assert(groupRecordCodec.decode(key, value) !== null, 'a record that this broker cannot read again');
      const recordBytes = key.length + (value?.length ?? 0);
      assert(recordBytes <= this.#recordBytesMax, `a record of ${recordBytes} bytes, at most ${this.#recordBytesMax} are taken`);
      bytes += RECORD_OVERHEAD_BYTES + recordBytes;
      this.log.push({ key, value });
      this.#happened.records.push(record);
      this.#shard.replay(record);
    }
    assert(isDivisible || bytes <= this.#decisionBytesMax, `a decision of ${bytes} bytes, at most ${this.#decisionBytesMax} are taken`);
    for (const { token, body } of answers) {
      const asked = this.open.get(token);
      assert(asked !== undefined, `question ${token} is not open`);
      this.open.delete(token);
      const table = apis.get(asked.apiKey)?.response;
      assert(table !== undefined, `no API ${asked.apiKey}`);
      const decoded = codec(table, asked.apiVersion).decode(new ByteReader(encodeMessage(table, asked.apiVersion, body as never)));
      given.push({ token, ...asked, body: decoded });
      this.#happened.answers.push({ token, ...asked, body: decoded });
    }
    this.#onEvent?.({ records: [...records], answers: given });
    if (!this.#isWaitingChecked) return;
    const waiting = [...this.#shard.waiting()].sort((a, b) => a - b);
    assert(`${waiting}` === `${[...this.open.keys()]}`, `waiting tells ${waiting}, open are ${[...this.open.keys()]}`);
  }
}

/** A topic id that says its name: "orders0AAAAAAAAAAAAAAA". */
function topicIdOf(name: string, number: number): string {
  return `${`${name.replaceAll(/[^A-Za-z0-9]/g, '')}${number}`.padEnd(21, 'A').slice(0, 21)}A`;
}
