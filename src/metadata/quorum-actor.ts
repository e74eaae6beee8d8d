// The controller of the cluster: carries out raft's effects over the metadata log, decides operations on its own image and answers
// them once every worker has applied what they were decided on.
// Invariant: appliedOnAll <= committed <= flushed <= appended = the image's end.
// Runs on: worker 0. Not the image that requests are answered from: that is each worker's MetadataActor. Not here: how records come into the
// log (metadata-writer.ts).
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
import { startedMinInsync } from './features.ts';
import { IdleRecords } from './idle-records.ts';
import { ClusterImage } from './image.ts';
import { imageRecords } from './image-records.ts';
import { loadMetadata } from './metadata-loader.ts';
import type { MetadataLog } from './metadata-log.ts';
import type { MetadataAppliedMessage, MetadataMessage } from './metadata-messages.ts';
import { MetadataWriter } from './metadata-writer.ts';
import { encodeSnapshot, visitSnapshot } from './snapshot-file.ts';
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

export class QuorumActor {
  readonly #options: QuorumActorOptions;
  readonly #raft: Raft;
  readonly #snapshots: SnapshotKeeper;
  readonly #voter: SoleVoter;
  readonly #waits: AppliedWaits;
  readonly #writer: MetadataWriter;
  readonly #idle: IdleRecords;
  /** Operations that came before this node led. */
  #early: (() => void)[] = [];
  /** End of the newest record that deletes a topic. */
  #deletionsEnd = 0;
  #hasSentState = false;
  #isStopped = false;
  #isSuspended = false;
  /** The log, or the snapshot it follows, names the voters (kraft.version 1). */
  #hasVotersInLog = false;

  constructor(options: QuorumActorOptions) {
    this.#options = options;
    this.#writer = new MetadataWriter({
      log: options.log,
      clock: options.clock,
      image: new ClusterImage(options.clusterId),
      epoch: () => this.#raft.epoch,
      onAppended: (logEndOffset, sizeBytes) => {
        this.#snapshots.noteAppended(sizeBytes);
        this.#step({ type: 'appended', logEndOffset });
      },
      onFlushed: (endOffset) => this.#step({ type: 'flushed', endOffset }),
      onSettled: () => this.#snapshotWhenDue(),
      onFailed: (error) => this.#failed(error),
    });
    const { clock, after, idleIntervalMs } = options;
    this.#idle = new IdleRecords({
      clock,
      after,
      idleIntervalMs,
      lastAppendMs: () => this.#writer.lastAppendMs,
      write: () => this.#writer.appendRecords([{ type: 'NoOpRecord' }]),
    });
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
    return this.#writer.image;
  }

  /**
   * Loads snapshot and log, takes the leadership in a new epoch, sends every worker the state and, in a new cluster, writes its first
   * records. `ready` is called when all workers have applied that. Throws ImageError (the metadata cannot be read) and StorageError.
   */
  start(ready: () => void): void {
    const options = this.#options;
    const quorumState = this.#voter.readState();
    const loaded = loadMetadata(options.storage, options.directory, options.log, this.image);
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
      lastEpoch: Math.max(options.log.lastEpoch, this.image.epoch),
    });
  }

  /**
   * Runs an operation on the newest image and appends its records; `done` hears the response once the state it was decided on is
   * committed and applied on every worker. `refuse` is called instead where the disk refuses the records or their sync, or has refused
   * something before: whether the next start finds them nobody knows then.
   */
  submit<Response>(operation: Operation<Response>, done: (response: Response) => void, refuse: () => void = () => {}): void {
    if (this.#isStopped) return;
    if (this.#writer.hasFailed) {
      refuse();
      return;
    }
    if (!this.#hasSentState) {
      this.#early.push(() => this.submit(operation, done, refuse));
      return;
    }
    const { records, response } = operation(this.image, this.#env());
    if (records.length > 0 && !this.#writer.appendRecords(records)) refuse();
    else this.#whenAppliedOnAll(() => done(response), refuse);
    if (records.some(({ type }) => type === 'RemoveTopicRecord')) this.#deletionsEnd = this.#writer.changeEnd;
  }

  /**
   * As `submit`, for what may make topics: run when every worker has applied each deletion. A topic of the same name may be another worker's,
   * which would make its directory where the one before still has to rename its own.
   */
  submitCreation<Response>(operation: Operation<Response>, done: (response: Response) => void, refuse: () => void): void {
    if (this.#deletionsEnd <= this.appliedOnAll) this.submit(operation, done, refuse);
    else this.#whenAppliedOnAll(() => this.submitCreation(operation, done, refuse), refuse);
  }

  /**
   * The log directory has failed: nothing more is written on the controller's own account, and who asks for operations is to refuse them.
   * What is appended already may still be committed: this log has not failed.
   */
  suspend(): void {
    this.#isSuspended = true;
    this.#idle.stop();
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
    this.#writer.stop();
    this.#idle.stop();
    try {
      this.#options.log.close({ clean: !this.#writer.hasFailed && !this.#isSuspended });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // What is committed is on the medium, and the next start checks this log whatever the stop was like.
      this.#options.log.close({ clean: false });
    }
  }

  /** The first commit of this leadership has been sent to the workers: the cluster may change. */
  #activate(ready: () => void): void {
    const { defaults, clusterId } = this.#options;
    if (this.image.features.size === 0) this.#writer.appendRecords(bootstrapRecords(startedMinInsync(defaults, clusterId)));
    this.#writer.appendRecords([registerController(this.#registration())]);
    this.#whenAppliedOnAll(ready, () => {});
    this.#idle.start();
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
        const place = this.#writer.place();
        const quorumRecords = effect.isLogEmpty && this.#hasVotersInLog ? encodeQuorumRecords(effect.voters.voters) : [];
        const change = { leaderId: effect.leaderId, voterIds: effect.voters.ids(), grantingVoterIds: effect.grantingVoterIds };
        this.#writer.append(encodeLeaderChange(place, change, quorumRecords), 1 + quorumRecords.length, true);
        // A transaction that its writer did not live to end: nobody will. It had no effect, and neither has this.
        if (this.image.isInTransaction) {
          this.#writer.appendBatch([{ type: 'AbortTransactionRecord', reason: 'The controller restarted' }], true);
        }
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

  #onCommitted(endOffset: number): void {
    const bytes = this.#writer.takeCommitted(endOffset);
    if (!this.#hasSentState) {
      this.#sendState(endOffset);
      return;
    }
    if (bytes === null) return; // Nothing to see: the offset goes along with the next batch.
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
    this.#writer.image = image;
    this.#hasSentState = true;
    this.#options.broadcast({ type: 'metadata-snapshot', bytes, endOffset, epoch });
    this.#writer.changeEnd = Math.max(this.#writer.changeEnd, endOffset);
    const early = this.#early;
    this.#early = [];
    for (const task of early) task();
  }

  /** The controller's image as a snapshot. */
  #encodeImage(): Uint8Array {
    return encodeSnapshot({
      epoch: this.#raft.epoch,
      timestampMs: this.#options.clock.wallMs(),
      lastContainedLogTimestamp: this.#writer.lastRecordTimestampMs,
      quorumRecords: this.#hasVotersInLog ? encodeQuorumRecords(this.#raft.voters.voters) : [],
      records: imageRecords(this.image),
    });
  }

  /** Called when nothing is on its way to the disk: the image is what is committed. */
  #snapshotWhenDue(): void {
    if (this.#isSuspended) return;
    const monotonicMs = this.#options.clock.monotonicMs();
    const isAllCommitted = this.#raft.highWatermark === this.#options.log.logEndOffset;
    if (!this.#hasSentState || !isAllCommitted || this.image.isInTransaction || !this.#snapshots.isDue(monotonicMs)) return;
    try {
      this.#snapshots.write({ endOffset: this.#options.log.logEndOffset, epoch: this.image.epoch }, this.#encodeImage(), monotonicMs);
    } catch (error) {
      this.#writer.fail(error);
    }
  }

  /** Replies at once where nothing that the answer rests on is still to be applied. */
  #whenAppliedOnAll(reply: () => void, refuse: () => void): void {
    this.#waits.whenApplied(this.#writer.changeEnd, reply, refuse);
  }

  /**
   * Only what is committed is still answered as done, once it is applied. The controller's image is ahead of that for good, and is not asked
   * any more. A sync that is under way is not heard: who waited for it has been refused.
   */
  #failed(error: StorageError): void {
    this.suspend();
    this.#waits.refuseBeyond(this.highWatermark);
    this.#options.onFailure(error);
  }
}
