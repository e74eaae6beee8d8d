// One shard on its way through the log: loads it, asks it, appends what it decides, and lets answers go when they are true.
// Invariants: records are replayed in the turn in which they are appended, before the shard hears anything else; an answer, of a read too,
// leaves only when the high watermark has reached the end of the log at which it was decided; a shard whose append failed is dropped with
// all that it knew, never mended.
// Runs on: the owner of the partition. Not here: who asked and how answers travel (coordinator-host.ts), what is decided (the shard).
import type { Random } from '../base/random.ts';
import type { LeaderReplica, ReplicaListener } from '../partition/leader-replica.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import { ERROR } from '../protocol/errors.ts';
import { BATCH_OVERHEAD_BYTES } from '../protocol/records/batch.ts';
import { BatchBuilder } from '../protocol/records/batch-builder.ts';
import type { Runtime, TimerHandle } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  type Answer,
  type CoordinatorShard,
  type Decision,
  type Question,
  RECORD_OVERHEAD_BYTES,
  type RecordCodec,
  type ShardEnvironment,
  type TopicsView,
} from './shard.ts';
import { LOADING, type RangeReader, ShardLoader } from './shard-loader.ts';

/** What makes a topic's partitions shards. */
export interface CoordinatorKind<Record> {
  readonly topic: string;
  readonly codec: RecordCodec<Record>;
  readonly create: (environment: ShardEnvironment) => CoordinatorShard<Record>;
}

export interface ShardActorOptions<Record> {
  readonly kind: CoordinatorKind<Record>;
  readonly replica: LeaderReplica;
  readonly host: PartitionHost;
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'after'>;
  readonly reader: RangeReader;
  readonly topics: TopicsView;
  readonly logger: Logger;
  /** Takes the answer to a question on its way. */
  readonly answer: (token: number, body: unknown) => void;
  /** Answers a question with an error, in the shape of its API. */
  readonly refuse: (token: number, errorCode: number) => void;
  /** Wants `load` to be called, once a turn, until it says that nothing is left to do. */
  readonly loadLater: (shard: ShardActor<Record>) => void;
}

type DeletedTopics = Parameters<CoordinatorShard<unknown>['onTopicsChanged']>[0];

/** A shard that broke its word about the size of a decision is built anew, but not again at once. */
const RELOAD_PAUSE_MS = 200;

/** One per thread: filled and emptied within one call. It grows to the largest batch. */
const builder = new BatchBuilder();

const LOADING_STATE = 0;
const ACTIVE = 1;
const DROPPED = 2;

interface Settled {
  readonly endOffset: number;
  readonly answer: Answer;
}

export class ShardActor<Record> implements ReplicaListener {
  readonly #options: ShardActorOptions<Record>;
  #state = LOADING_STATE;
  #shard: CoordinatorShard<Record>;
  #loader: ShardLoader<Record> | null = null;
  #loadStartedMs = 0;
  /** Questions that the shard was asked and whose answers have not left. */
  readonly #open = new Set<number>();
  /** Decided, and waiting for the high watermark; ends rise. */
  #settled: Settled[] = [];
  readonly #timers = new Map<string, TimerHandle>();
  #deletedWhileLoading: DeletedTopics[number][] = [];
  #hasTopicsChanged = false;

  constructor(options: ShardActorOptions<Record>) {
    this.#options = options;
    this.#shard = options.kind.create(this.#environment());
    options.replica.listener = this;
    this.#startLoading();
  }

  get isActive(): boolean {
    return this.#state === ACTIVE;
  }

  get slot(): number {
    return this.#options.replica.slot;
  }

  /** For invariants in tests: the questions that are open here. */
  get openCount(): number {
    return this.#open.size;
  }

  /** See CoordinatorShard; nothing unless it is loaded. */
  census(): Iterable<{ readonly protocol: string; readonly state: string }> {
    return this.#state === ACTIVE ? (this.#shard.census?.() ?? []) : [];
  }

  ask(question: Question): void {
    if (this.#state !== ACTIVE) {
      const error = this.#state === LOADING_STATE ? ERROR.COORDINATOR_LOAD_IN_PROGRESS : ERROR.NOT_COORDINATOR;
      this.#options.refuse(question.token, error);
      return;
    }
    this.#open.add(question.token);
    this.#apply(this.#shard.ask(question));
  }

  /** Topics were made, changed or deleted; the view shows it already. */
  onTopicsChanged(deleted: DeletedTopics): void {
    if (this.#state === ACTIVE) {
      this.#apply(this.#shard.onTopicsChanged(deleted));
    } else if (this.#state === LOADING_STATE) {
      this.#hasTopicsChanged = true;
      this.#deletedWhileLoading.push(...deleted);
    }
  }

  /** One piece of the loading. True: call again in the next turn. */
  load(): boolean {
    if (this.#state !== LOADING_STATE || this.#loader === null) return false;
    switch (this.#loader.run()) {
      case LOADING.MORE:
        return true;
      case LOADING.WAITING:
        return false;
      case LOADING.FAILED:
        this.#options.logger.error(`loading ${this.#name} failed`);
        this.#reloadLater();
        return false;
      default:
        this.#loaded(this.#loader);
        return false;
    }
  }

  /** ReplicaListener: the high watermark has moved. */
  onCommitted(): void {
    this.#flush();
  }

  /** ReplicaListener: nothing is taken any more; what was decided and not written never was. */
  onOffline(): void {
    this.drop(ERROR.NOT_COORDINATOR);
  }

  /** The end: what is open is refused with `errorCode`, and nothing is heard any more. */
  drop(errorCode: number): void {
    if (this.#state === DROPPED) return;
    this.#state = DROPPED;
    this.#forget(errorCode);
  }

  get #name(): string {
    const { topic, partition } = this.#options.replica;
    return `${topic}-${partition}`;
  }

  #environment(): ShardEnvironment {
    const { replica, runtime, topics } = this.#options;
    const random: Random = runtime.random;
    return {
      partition: replica.partition,
      wallMs: () => runtime.clock.wallMs(),
      random,
      topics,
      timers: { set: (key, delayMs) => this.#setTimer(key, delayMs), cancel: (key) => this.#cancelTimer(key) },
      get recordBytesMax() {
        return batchBytesMax(replica) - BATCH_OVERHEAD_BYTES - RECORD_OVERHEAD_BYTES;
      },
      get decisionBytesMax() {
        return batchBytesMax(replica) - BATCH_OVERHEAD_BYTES;
      },
    };
  }

  #startLoading(): void {
    const { kind, replica, host, runtime, reader, loadLater } = this.#options;
    this.#state = LOADING_STATE;
    this.#loadStartedMs = runtime.clock.monotonicMs();
    this.#loader = new ShardLoader({
      replica,
      words: host.words,
      reader,
      clock: runtime.clock,
      codec: kind.codec,
      replay: (record) => this.#shard.replay(record),
      onReady: () => {
        if (this.#state === LOADING_STATE) loadLater(this);
      },
    });
    if (replica.isOffline) this.drop(ERROR.NOT_COORDINATOR);
    else if (replica.highWatermark === replica.log.logStartOffset) this.load();
    else loadLater(this);
  }

  #loaded(loader: ShardLoader<Record>): void {
    const { logger, runtime } = this.#options;
    this.#loader = null;
    this.#state = ACTIVE;
    const { recordCount, unreadableCount } = loader;
    const tookMs = Math.round(runtime.clock.monotonicMs() - this.#loadStartedMs);
    if (unreadableCount > 0) logger.warn(`${this.#name} holds records that cannot be read`, { records: unreadableCount });
    if (recordCount > 0) logger.debug(`loaded ${this.#name}`, { records: recordCount, ms: tookMs });
    this.#apply(this.#shard.onLoaded());
    if (!this.#hasTopicsChanged || this.#state !== ACTIVE) return;
    const deleted = this.#deletedWhileLoading;
    this.#deletedWhileLoading = [];
    this.#hasTopicsChanged = false;
    this.#apply(this.#shard.onTopicsChanged(deleted));
  }

  #apply({ records, answers, isDivisible = false }: Decision<Record>): void {
    if (this.#state !== ACTIVE) return;
    if (records.length > 0 && !this.#append(records, isDivisible)) return;
    const { log } = this.#options.replica;
    for (const answer of answers) this.#settled.push({ endOffset: log.stagedEnd, answer });
    this.#flush();
  }

  /** Appends and replays; false where that cannot be: the shard is dropped then. */
  #append(records: readonly Record[], isDivisible: boolean): boolean {
    const { kind, replica, host, runtime, logger } = this.#options;
    if (replica.isOffline) {
      this.drop(ERROR.NOT_COORDINATOR);
      return false;
    }
    const bytesMax = batchBytesMax(replica);
    const timestampMs = runtime.clock.wallMs();
    const batches: Uint8Array[] = [];
    builder.reset();
    for (const record of records) {
      if (builder.tryAppend(kind.codec, record, timestampMs, bytesMax)) continue;
      if (builder.recordCount > 0 && isDivisible) {
        batches.push(builder.build());
        if (builder.reset().tryAppend(kind.codec, record, timestampMs, bytesMax)) continue;
      }
      // What the shard holds besides its records may speak of these already: it is built anew from them.
      logger.error(`${this.#name} decided on more than a batch of its log takes`, { records: records.length, batchBytesMax: bytesMax });
      this.#reloadLater(ERROR.UNKNOWN_SERVER_ERROR);
      return false;
    }
    batches.push(builder.build());
    for (const batch of batches) host.appendOwn(replica, batch);
    for (const record of records) this.#shard.replay(record);
    return true;
  }

  /** Lets the answers go that the high watermark has reached. */
  #flush(): void {
    const { replica, answer } = this.#options;
    const settled = this.#settled;
    let count = 0;
    while (count < settled.length && (settled[count] as Settled).endOffset <= replica.highWatermark) {
      const { token, body } = (settled[count] as Settled).answer;
      count++;
      this.#open.delete(token);
      answer(token, body);
    }
    if (count === settled.length) settled.length = 0;
    else if (count > 0) settled.splice(0, count);
  }

  /** Builds the shard anew after a pause in which it answers nothing. */
  #reloadLater(errorCode: number = ERROR.COORDINATOR_LOAD_IN_PROGRESS): void {
    const { kind, runtime } = this.#options;
    this.#state = LOADING_STATE;
    this.#forget(errorCode);
    this.#shard = kind.create(this.#environment());
    runtime.after(RELOAD_PAUSE_MS, () => {
      if (this.#state === LOADING_STATE && this.#loader === null) this.#startLoading();
    });
  }

  #forget(errorCode: number): void {
    this.#loader = null;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#settled = [];
    const open = [...this.#open];
    this.#open.clear();
    for (const token of open) this.#options.refuse(token, errorCode);
  }

  #setTimer(key: string, delayMs: number): void {
    this.#timers.get(key)?.cancel();
    const timer = this.#options.runtime.after(delayMs, () => {
      this.#timers.delete(key);
      if (this.#state === ACTIVE) this.#apply(this.#shard.onTimer(key));
    });
    this.#timers.set(key, timer);
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}

/** What the log takes in one piece. */
function batchBytesMax({ log }: LeaderReplica): number {
  return Math.min(log.config.maxMessageBytes, log.config.segmentBytes);
}
