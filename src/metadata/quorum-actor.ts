// The controller of the cluster: carries out raft's effects over the metadata log, decides operations on its own image and answers
// them once every worker has applied what they were decided on.
// Invariant: appliedOnAll <= committed <= flushed <= appended = the image's end. An operation's records are one batch, or one metadata
// transaction over several, so that a crash keeps all of them or none.
// Runs on: worker 0. Not the image that requests are answered from: that is each worker's MetadataActor.
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { type Storage, StorageError } from '../log/storage.ts';
import type { RaftEffect } from '../raft/effects.ts';
import type { RaftEvent } from '../raft/events.ts';
import { Raft } from '../raft/raft.ts';
import type { TimerHandle } from '../scheduler/runtime.ts';
import { AppliedWaits } from './applied-waits.ts';
import { bootstrapRecords, SUPPORTED_FEATURES } from './bootstrap.ts';
import { type ControllerRegistration, registerController } from './brokers.ts';
import { encodeLeaderChange, encodeQuorumRecords } from './control-batches.ts';
import type { ControllerDefaults, ControllerEnv, Operation } from './controller.ts';
import { RECORDS_PER_OPERATION_MAX } from './controller.ts';
import { ClusterImage } from './image.ts';
import { imageRecords } from './image-records.ts';
import { loadMetadata } from './metadata-loader.ts';
import type { MetadataLog } from './metadata-log.ts';
import type { MetadataAppliedMessage, MetadataMessage } from './metadata-messages.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { encodeRecordBatch, visitRecordBatches } from './record-batch.ts';
import { concatenated, encodeSnapshot, visitSnapshot } from './snapshot-file.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { type QuorumDescription, SoleVoter } from './sole-voter.ts';

/** The wait before an election among several voters; the only voter never waits. */
const ELECTION_TIMEOUT_MS = 1000;

export interface QuorumActorOptions {
  readonly clusterId: string;
  readonly nodeId: number;
  /** Id of the log directory that holds the metadata log. */
  readonly directoryId: string;
  /** Path of `__cluster_metadata-0`. */
  readonly directory: string;
  readonly storage: Storage;
  readonly log: MetadataLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly after: (delayMs: number, task: () => void) => TimerHandle;
  readonly workerCount: number;
  /** Brings a message to the MetadataActor of every worker, this one included, in order. */
  readonly broadcast: (message: MetadataMessage) => void;
  /** The disk refused the metadata log: nothing more is written to it, and what was open has been refused. Called once. */
  readonly onFailure: (error: StorageError) => void;
  readonly defaults: ControllerDefaults;
  /** How other controllers would reach this one; stands in the voters' record. */
  readonly controllerEndPoint: { readonly name: string; readonly host: string; readonly port: number; readonly securityProtocol: number };
  /** New at each start of the process. */
  readonly incarnationId: string;
  /** metadata.max.idle.interval.ms; 0 writes no NO_OP records. */
  readonly idleIntervalMs: number;
  /** metadata.log.max.record.bytes.between.snapshots */
  readonly snapshotBytes: number;
  /** metadata.log.max.snapshot.interval.ms; 0 is never by time. */
  readonly snapshotIntervalMs: number;
}

/** A batch in the log that is not committed yet. */
interface UncommittedBatch {
  readonly bytes: Uint8Array;
  readonly endOffset: number;
  readonly epoch: number;
  /** Nothing in it changes an image. */
  readonly isIdle: boolean;
}

export class QuorumActor {
  readonly #options: QuorumActorOptions;
  readonly #raft: Raft;
  readonly #snapshots: SnapshotKeeper;
  readonly #voter: SoleVoter;
  readonly #waits: AppliedWaits;
  readonly #uncommitted: UncommittedBatch[] = [];
  /** Operations that came before this node led. */
  #early: (() => void)[] = [];
  #image: ClusterImage;
  #hasSentState = false;
  #isFlushing = false;
  #isStopped = false;
  #isSuspended = false;
  #hasFailed = false;
  /** The log, or the snapshot it follows, names the voters (kraft.version 1). */
  #hasVotersInLog = false;
  /** End of the last batch that changes an image, or of the state that workers begin with. */
  #changeEnd = 0;
  #lastAppendMs = 0;
  #lastRecordTimestampMs = 0;
  #idleTimer: TimerHandle | null = null;

  constructor(options: QuorumActorOptions) {
    this.#options = options;
    this.#image = new ClusterImage(options.clusterId);
    this.#snapshots = new SnapshotKeeper(options.storage, options.directory, options.log, options);
    this.#waits = new AppliedWaits(options.workerCount);
    this.#voter = new SoleVoter(options);
    this.#raft = new Raft({
      nodeId: options.nodeId,
      directoryId: options.directoryId,
      electionTimeoutMs: ELECTION_TIMEOUT_MS,
      random: options.random,
    });
  }

  /** The leader epoch of the quorum. */
  get epoch(): number {
    return this.#raft.epoch;
  }
  /** All records below are committed; 0 before anything is. */
  get highWatermark(): number {
    return Math.max(this.#raft.highWatermark, 0);
  }
  /** All records below are applied on every worker. */
  get appliedOnAll(): number {
    return this.#waits.appliedOnAll;
  }
  /** The controller's own image, ahead of the commit. */
  get image(): ClusterImage {
    return this.#image;
  }

  /**
   * Loads snapshot and log, takes the leadership in a new epoch, sends every worker the state and, in a new cluster, writes its first
   * records. `ready` is called when all workers have applied that. Throws ImageError (the metadata cannot be read) and StorageError.
   */
  start(ready: () => void): void {
    const options = this.#options;
    const quorumState = this.#voter.readState();
    const loaded = loadMetadata(options.storage, options.directory, options.log, this.#image);
    const voters = this.#voter.check(loaded.voters);
    this.#hasVotersInLog = loaded.voters !== null;
    this.#snapshots.loaded(loaded.snapshots, loaded.replayedBytes, options.clock.monotonicMs());
    this.#early.push(() => this.#activate(ready));
    this.#step({
      type: 'started',
      nowMs: options.clock.monotonicMs(),
      quorumState,
      voters,
      logEndOffset: options.log.logEndOffset,
      lastEpoch: Math.max(options.log.lastEpoch, this.#image.epoch),
    });
  }

  /**
   * Runs an operation on the newest image and appends its records; `done` hears the response once the state it was decided on is
   * committed and applied on every worker. `refuse` is called instead where the disk refuses the records or their sync, or has refused
   * something before: whether the next start finds them nobody knows then.
   */
  submit<Response>(operation: Operation<Response>, done: (response: Response) => void, refuse: () => void = () => {}): void {
    if (this.#isStopped) return;
    if (this.#hasFailed) {
      refuse();
      return;
    }
    if (!this.#hasSentState) {
      this.#early.push(() => this.submit(operation, done, refuse));
      return;
    }
    const { records, response } = operation(this.#image, this.#env());
    if (records.length > 0 && !this.#appendRecords(records)) refuse();
    else this.#whenAppliedOnAll(() => done(response), refuse);
  }

  /**
   * The log directory has failed: nothing more is written on the controller's own account, and who asks for operations is to refuse them.
   * What is appended already may still be committed: this log has not failed.
   */
  suspend(): void {
    this.#isSuspended = true;
    this.#idleTimer?.cancel();
  }

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  /** A worker has applied what it was sent. */
  receive(message: MetadataAppliedMessage): void {
    this.#waits.applied(message.worker, message.endOffset);
  }

  /** Who votes, and how far each has come: this node alone, which has all that it has written at any time. */
  describe(): QuorumDescription {
    return this.#voter.describe({
      leaderEpoch: this.#raft.epoch,
      highWatermark: this.highWatermark,
      logEndOffset: this.#options.log.logEndOffset,
      hasVotersInLog: this.#hasVotersInLog,
      nowMs: this.#options.clock.wallMs(),
    });
  }

  /** Stops taking operations and closes the log. Nothing is lost by not stopping. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#idleTimer?.cancel();
    try {
      this.#options.log.close({ clean: !this.#hasFailed && !this.#isSuspended });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // What is committed is on the medium, and the next start checks this log whatever the stop was like.
      this.#options.log.close({ clean: false });
    }
  }

  /** The first commit of this leadership has been sent to the workers: the cluster may change. */
  #activate(ready: () => void): void {
    if (this.#image.features.size === 0) this.#appendRecords(bootstrapRecords());
    this.#appendRecords([registerController(this.#registration())]);
    this.#whenAppliedOnAll(ready, () => {});
    this.#startIdleTimer();
  }

  #registration(): ControllerRegistration {
    const { nodeId, incarnationId, controllerEndPoint } = this.#options;
    return { controllerId: nodeId, incarnationId, endPoints: [controllerEndPoint], features: SUPPORTED_FEATURES };
  }

  #step(event: RaftEvent): void {
    for (const effect of this.#raft.step(event)) this.#perform(effect);
  }

  #perform(effect: RaftEffect): void {
    switch (effect.type) {
      case 'persist-quorum-state':
        this.#voter.writeState(effect.state);
        return;
      case 'append-leader-change': {
        const place = this.#place();
        const quorumRecords = effect.isLogEmpty && this.#hasVotersInLog ? encodeQuorumRecords(effect.voters.voters) : [];
        const change = { leaderId: effect.leaderId, voterIds: effect.voters.ids(), grantingVoterIds: effect.grantingVoterIds };
        this.#append(encodeLeaderChange(place, change, quorumRecords), 1 + quorumRecords.length, true);
        // A transaction that its writer did not live to end: nobody will. It had no effect, and neither has this.
        if (this.#image.isInTransaction) this.#appendBatch([{ type: 'AbortTransactionRecord', reason: 'The controller restarted' }], true);
        return;
      }
      case 'committed':
        this.#onCommitted(effect.endOffset);
        return;
      case 'became-leader':
      case 'request-votes':
        // Nobody else votes or leads: a quorum of one (other voters are refused at the start).
        return;
    }
  }

  #env(): ControllerEnv {
    const { clock, random, defaults } = this.#options;
    return { nowMs: clock.wallMs(), random, defaults, nextOffset: this.#options.log.logEndOffset };
  }

  #place(): { baseOffset: number; leaderEpoch: number; timestampMs: number } {
    this.#lastRecordTimestampMs = this.#options.clock.wallMs();
    return { baseOffset: this.#options.log.logEndOffset, leaderEpoch: this.#raft.epoch, timestampMs: this.#lastRecordTimestampMs };
  }

  /** False when the disk refused them. */
  #appendRecords(records: readonly MetadataRecord[]): boolean {
    const isIdle = records.every((record) => record.type === 'NoOpRecord');
    if (records.length <= RECORDS_PER_OPERATION_MAX) return this.#appendBatch(records, isIdle);
    // Too many for one batch: between the marks of a transaction they still happen together.
    if (!this.#appendBatch([{ type: 'BeginTransactionRecord', name: 'Large operation' }], false)) return false;
    for (let at = 0; at < records.length; at += RECORDS_PER_OPERATION_MAX) {
      if (!this.#appendBatch(records.slice(at, at + RECORDS_PER_OPERATION_MAX), false)) return false;
    }
    return this.#appendBatch([{ type: 'EndTransactionRecord' }], false);
  }

  #appendBatch(records: readonly MetadataRecord[], isIdle: boolean): boolean {
    return this.#append(encodeRecordBatch(records, this.#place()), records.length, isIdle);
  }

  /** Writes a batch, replays it from its own bytes (what is replayed is what a restart would read) and asks for the sync. */
  #append(bytes: Uint8Array, recordCount: number, isIdle: boolean): boolean {
    if (this.#hasFailed) return false;
    const { log } = this.#options;
    const endOffset = log.logEndOffset + recordCount;
    try {
      log.append(bytes, this.#lastRecordTimestampMs);
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#lastAppendMs = this.#options.clock.monotonicMs();
    visitRecordBatches(bytes, { record: (record, offset) => this.#image.replay(record, offset) });
    this.#image.endOffset = endOffset;
    this.#image.epoch = this.#raft.epoch;
    this.#image.takeChange();
    if (!isIdle) this.#changeEnd = endOffset;
    this.#uncommitted.push({ bytes, endOffset, epoch: this.#raft.epoch, isIdle });
    this.#snapshots.noteAppended(bytes.length);
    this.#step({ type: 'appended', logEndOffset: endOffset });
    this.#flush();
    return true;
  }

  /** One sync at a time; what is appended meanwhile shares the next one. */
  #flush(): void {
    if (this.#isFlushing || this.#isStopped) return;
    this.#isFlushing = true;
    const endOffset = this.#options.log.logEndOffset;
    this.#options.log.flushLater((error: StorageError | null) => {
      this.#isFlushing = false;
      if (this.#isStopped || this.#hasFailed) return;
      if (error !== null) {
        this.#fail(error);
        return;
      }
      this.#step({ type: 'flushed', endOffset });
      if (this.#options.log.logEndOffset > endOffset) this.#flush();
      else this.#snapshotWhenDue();
    });
  }

  #onCommitted(endOffset: number): void {
    const committed: UncommittedBatch[] = [];
    while (this.#uncommitted.length > 0 && (this.#uncommitted[0] as UncommittedBatch).endOffset <= endOffset) {
      committed.push(this.#uncommitted.shift() as UncommittedBatch);
    }
    if (!this.#hasSentState) {
      this.#sendState(endOffset);
      return;
    }
    const batches = committed.filter((batch) => !batch.isIdle);
    if (batches.length === 0) return; // Nothing to see: the offset goes along with the next batch.
    const bytes = concatenated(batches.map((batch) => batch.bytes));
    this.#options.broadcast({ type: 'metadata-batch', bytes, endOffset, epoch: this.#raft.epoch });
  }

  /**
   * The start: workers get the state as records, not its history, so that slots are given to partitions that are there. The
   * controller's image is made from the same records, and has the same slots.
   */
  #sendState(endOffset: number): void {
    const epoch = this.#raft.epoch;
    const bytes = this.#encodeImage();
    const image = new ClusterImage(this.#options.clusterId);
    visitSnapshot(bytes, { record: (record, offset) => image.replay(record, offset) });
    image.endOffset = this.#options.log.logEndOffset;
    image.epoch = epoch;
    image.kraftVersion = this.#hasVotersInLog ? 1 : 0;
    image.takeChange();
    this.#image = image;
    this.#hasSentState = true;
    this.#options.broadcast({ type: 'metadata-snapshot', bytes, endOffset, epoch });
    this.#changeEnd = Math.max(this.#changeEnd, endOffset);
    const early = this.#early;
    this.#early = [];
    for (const task of early) task();
  }

  /** The controller's image as a snapshot. */
  #encodeImage(): Uint8Array {
    return encodeSnapshot({
      epoch: this.#raft.epoch,
      timestampMs: this.#options.clock.wallMs(),
      lastContainedLogTimestamp: this.#lastRecordTimestampMs,
      quorumRecords: this.#hasVotersInLog ? encodeQuorumRecords(this.#raft.voters.voters) : [],
      records: imageRecords(this.#image),
    });
  }

  /** Called when nothing is on its way to the disk: the image is what is committed. */
  #snapshotWhenDue(): void {
    if (this.#isSuspended) return;
    const monotonicMs = this.#options.clock.monotonicMs();
    const isAllCommitted = this.#raft.highWatermark === this.#options.log.logEndOffset;
    if (!this.#hasSentState || !isAllCommitted || this.#image.isInTransaction || !this.#snapshots.isDue(monotonicMs)) return;
    try {
      this.#snapshots.write({ endOffset: this.#options.log.logEndOffset, epoch: this.#image.epoch }, this.#encodeImage(), monotonicMs);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Replies at once where nothing that the answer rests on is still to be applied. */
  #whenAppliedOnAll(reply: () => void, refuse: () => void): void {
    this.#waits.whenApplied(this.#changeEnd, reply, refuse);
  }

  /** A quiet log still gets a record now and then, so that others can tell a leader that is idle from one that is gone. */
  #startIdleTimer(): void {
    const { idleIntervalMs, clock, after } = this.#options;
    if (idleIntervalMs <= 0 || this.#isStopped || this.#isSuspended) return;
    const quietMs = clock.monotonicMs() - this.#lastAppendMs;
    this.#idleTimer = after(Math.max(idleIntervalMs - quietMs, 1), () => {
      if (this.#isStopped || this.#isSuspended) return;
      if (clock.monotonicMs() - this.#lastAppendMs >= idleIntervalMs) this.#appendRecords([{ type: 'NoOpRecord' }]);
      this.#startIdleTimer();
    });
  }

  /**
   * Only what is committed is still answered as done, once it is applied. The controller's image is ahead of that for good, and is not asked
   * any more. A sync that is under way is not heard: who waited for it has been refused.
   */
  #fail(cause: unknown): void {
    if (!(cause instanceof StorageError)) throw cause;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.suspend();
    this.#uncommitted.length = 0;
    this.#waits.refuseBeyond(this.highWatermark);
    this.#options.onFailure(cause);
  }
}
