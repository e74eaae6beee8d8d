// Keeps the partitions of one worker as the image says: opens the logs of those that placement gave it, raises leader epochs, follows
// topic configurations, and gives up what was deleted (deleted-logs.ts).
// Invariants: each directory has one worker that decides whose it is: the owner of the partition whose name it bears, worker 0 where it bears
// none of the cluster's. So none is put aside that another worker has just made.
// A disk's error takes its log directory offline; at the start it ends the broker where that cannot do without the directory. Files are not
// closed under a reader.
// Runs on: every worker.
import { resolveTopicConfig } from '../config/topic-config.ts';
import { parentDirectory } from '../log/file-names.ts';
import type { Log } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import { brokerOverrides } from '../metadata/config-rules.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { type MetadataChange, type PartitionImage, RESOURCE, type TopicImage } from '../metadata/image-types.ts';
import { INTERNAL_TOPICS } from '../metadata/topic-names.ts';
import { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import type { UnmadePartition } from '../partition/unmade-partition.ts';
import { workerOf } from '../scheduler/placement.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import { DeletedLogs } from './deleted-logs.ts';
import { DirectorySyncs } from './directory-syncs.ts';
import type { KnownDirectories } from './known-directories.ts';
import { LogOpener } from './log-opener.ts';
import { SlicedWork } from './sliced-work.ts';
import { findPartition } from './topic-partitions.ts';
import { UnopenedLogs } from './unopened-logs.ts';
import type { BrokerWorkerData, LogEnds, OpenedLogs } from './worker-data.ts';

/** How soon a stop looks again whether files are read or synced, and for how long at most. */
const CLOSE_RECHECK_MS = 5;
const CLOSE_WAIT_MAX_MS = 5000;

export class PartitionLogs {
  readonly #runtime: Runtime;
  readonly #data: BrokerWorkerData;
  readonly #host: PartitionHost;
  readonly #directories: KnownDirectories;
  readonly #logger: Logger;
  readonly #opener: LogOpener;
  /** Which partitions there are has changed: the checkpoints must say so before a topic of the same name takes their rows for its own. */
  readonly #onPartitionsChanged: () => void;
  /** Called once, with what the start found. */
  readonly #onOpened: (opened: OpenedLogs) => void;
  /** What opening logs has made; in the course of things nobody waits for it. */
  readonly #syncs: DirectorySyncs;
  readonly #deleted: DeletedLogs;
  readonly #unopened: UnopenedLogs;
  /** Partitions of new topics, whose logs are to be made. */
  readonly #makings: SlicedWork<UnmadePartition>;
  /** Who waits for what the start has made; null once that is on the medium. */
  #behindStart: (() => void)[] | null = [];
  #image: ClusterImage | null = null;
  #isFirst = true;
  #isClosing = false;

  constructor(
    runtime: Runtime,
    data: BrokerWorkerData,
    host: PartitionHost,
    directories: KnownDirectories,
    logger: Logger,
    events: { readonly onPartitionsChanged: () => void; readonly onOpened: (opened: OpenedLogs) => void },
  ) {
    this.#runtime = runtime;
    this.#data = data;
    this.#host = host;
    this.#directories = directories;
    this.#logger = logger;
    this.#opener = new LogOpener(runtime, data, directories, logger, (directory, error) => host.takeOffline(directory, error));
    this.#onPartitionsChanged = events.onPartitionsChanged;
    this.#onOpened = events.onOpened;
    this.#makings = new SlicedWork(
      runtime,
      ({ slot }) => this.#make(slot),
      () => this.#syncs.whenSynced(() => {}),
    );
    host.onWanted((partition) => this.#makings.add(partition, true));
    this.#deleted = new DeletedLogs(runtime, host);
    this.#unopened = new UnopenedLogs(directories, runtime);
    this.#syncs = new DirectorySyncs(runtime.storage, (directory, error) => host.takeOffline(directory, error));
  }

  /** The logs that the start finds are open. */
  get hasOpened(): boolean {
    return !this.#isFirst;
  }

  /** Follows a change of the image. */
  onChange(change: MetadataChange, image: ClusterImage): void {
    if (this.#isClosing) return;
    this.#image = image;
    const isFirst = this.#isFirst;
    if (isFirst) this.#directories.claimUnnamed(image);
    const beganMs = this.#runtime.clock.monotonicMs();
    if (isFirst && this.#runtime.workerIndex === 0)
      this.#opener.setUnknownAside(image, (directory, change) => this.#guard(directory, change));
    for (const topic of change.topicsDeleted) for (const partition of topic.partitions) this.#delete(topic, partition, image);
    for (const topic of change.topicsCreated) for (const partition of topic.partitions) this.#wantOpen(topic, partition, image);
    for (const { topic, before, after } of change.partitionsChanged) {
      const replica = before === null ? undefined : this.#host.replica(after.slot);
      // A partition that had no leader at the start, as Apache Kafka leaves those of a broker that stops, has no log open yet.
      if (replica === undefined) this.#wantOpen(topic, after, image);
      else if (!replica.isOffline) replica.raiseLeaderEpoch(after.leaderEpoch);
    }
    if (change.configsChanged.length > 0) this.#reconfigure(change, image);
    this.#isFirst = false;
    if (isFirst) this.#onOpened(this.#opened(this.#runtime.clock.monotonicMs() - beganMs));
    if (isFirst || change.topicsDeleted.length > 0) this.#onPartitionsChanged();
  }

  /**
   * Calls `task` when what the start has made, and each name that a deletion has changed so far, is on the medium: at once where that is so,
   * in order otherwise. The logs of new topics are made behind that: the metadata log names them, and a start makes those that are missing.
   */
  whenSynced(task: () => void): void {
    const waiting = this.#behindStart;
    if (waiting === null) {
      this.#deleted.whenSynced(task);
      return;
    }
    waiting.push(task);
    if (waiting.length > 1) return;
    this.#syncs.whenSynced(() => {
      this.#behindStart = null;
      for (const each of waiting) this.#deleted.whenSynced(each);
    });
  }

  /** Calls `task` when what opening the logs of `replicas` has made is on the medium: at once where it is. */
  whenMadeSynced(replicas: readonly LeaderReplica[], task: () => void): void {
    if (replicas.some(({ log }) => log.unsyncedPaths.length > 0)) this.#syncs.whenSynced(task);
    else task();
  }

  /** Ends of all logs here, for the checkpoints; of those that are not open, what the checkpoints said at the start. */
  ends(): LogEnds[] {
    const open = [...this.#host.replicas()].map(({ logDirectory, topic, partition, log, highWatermark }) => ({
      directory: logDirectory,
      topic,
      partition,
      recoveryPoint: log.recoveryPoint,
      logStartOffset: log.logStartOffset,
      highWatermark,
    }));
    return [...open, ...this.#unopened.ends(this.#image, (slot) => this.#host.replica(slot) !== undefined)];
  }

  /**
   * Closes all logs once no thread reads their files and no sync is under way; `done` hears the paths of the log directories where one could not
   * be closed cleanly, so that the next start checks. Other workers may still serve fetches by their leases (tail-leases.ts): what they would read is void from
   * here on, and who is inside a read is waited for. Closed under them, a descriptor's number would soon be another file's.
   * A sync that ends in the pool has its error to itself: a second one of the same file would succeed.
   */
  close(done: (unclean: readonly string[]) => void): void {
    this.#isClosing = true;
    this.#makings.drop();
    this.#deleted.close();
    this.#host.close();
    this.#syncs.whenSynced(() => {}); // A next start that finds a clean stop believes that it is.
    const { clock } = this.#runtime;
    const deadlineMs = clock.monotonicMs() + CLOSE_WAIT_MAX_MS;
    const look = (): void => {
      const isSyncing = this.#syncs.isRunning || this.#deleted.isSyncing;
      const isBusy = isSyncing || this.#logs().some(([log, slot]) => log.isFlushing || this.#host.words.hasReaders(slot));
      if (isBusy && clock.monotonicMs() < deadlineMs) this.#runtime.after(CLOSE_RECHECK_MS, look);
      else done(this.#closeUnread());
    };
    look();
  }

  #logs(): [Log, number][] {
    return [...[...this.#host.replicas()].map(({ log, slot }): [Log, number] => [log, slot]), ...this.#deleted.waiting()];
  }

  #closeUnread(): string[] {
    const unclean = this.#unopened.unchecked(this.#image, (slot) => this.#host.replica(slot) !== undefined);
    for (const [log, slot] of this.#logs()) {
      try {
        const isBusy = log.isFlushing || this.#host.words.hasReaders(slot);
        if (isBusy) throw new StorageError('EBUSY', log.directory, 'closing');
        if (this.#host.replica(slot)?.log === log) log.close({ clean: !this.#host.isOffline(parentDirectory(log.directory)) });
        else this.#deleted.remove(log);
        if (log.unsyncedPaths.length > 0) unclean.add(parentDirectory(log.directory)); // The pool has not come to it.
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.#logger.error('a log could not be closed', { error: error.message });
        unclean.add(parentDirectory(log.directory));
      }
    }
    return [...unclean];
  }

  #opened(tookMs: number): OpenedLogs {
    const logs = [...this.#host.replicas()].map(({ log }) => log);
    const checked = logs.filter(
      (log) => log.recoveredBytes > 0 || this.#directories.byPath(parentDirectory(log.directory))?.hadCleanShutdown === false,
    );
    const cut = logs.filter(({ recoveredCutBytes }) => recoveredCutBytes > 0);
    return {
      logs: logs.length,
      checkedLogs: checked.length,
      checkedBytes: checked.reduce((sum, { recoveredBytes }) => sum + recoveredBytes, 0),
      cutLogs: cut.length,
      cutBytes: cut.reduce((sum, { recoveredCutBytes }) => sum + recoveredCutBytes, 0),
      tookMs,
    };
  }

  #isOurs(topic: TopicImage, partition: number): boolean {
    return workerOf(this.#runtime.workerCount, topic.id, partition) === this.#runtime.workerIndex;
  }

  /**
   * At the start all are opened at once, and so is later what the start has found: a partition without a leader until then. The topics of
   * coordinators, too: those are built on the logs as soon as the image names them. Any other is made in slices, between which connections
   * are served: on ext4 its files take the better part of a millisecond, and longer where the disk is busy.
   */
  #wantOpen(topic: TopicImage, partition: PartitionImage, image: ClusterImage): void {
    if (!this.#isOurs(topic, partition.partition)) return;
    const isLater = !this.#isFirst && !INTERNAL_TOPICS.has(topic.name) && this.#directories.found(topic, partition.partition) === null;
    const directory = isLater ? this.#directories.of(partition) : null;
    const isLed = partition.leader === this.#data.config.nodeId && this.#host.replica(partition.slot) === undefined;
    if (directory === null || !this.#directories.isOnline(directory) || !isLed) {
      this.#open(topic, partition, image);
      return;
    }
    this.#makings.add(this.#host.addUnmade(partition.slot, topic.id, partition.partition, partition.leaderEpoch, directory.path));
  }

  /** Unless it is made already, or was deleted, or will not be made since the disk has failed: then nobody waits for it any more. */
  #make(slot: number): void {
    const wanted = this.#host.unmade(slot);
    const image = this.#image;
    const topic = wanted === undefined ? null : (image?.topicById(wanted.topicId) ?? null);
    const partition = topic === null || wanted === undefined ? null : findPartition(topic, wanted.partition);
    if (image !== null && topic !== null && partition !== null) this.#open(topic, partition, image);
    this.#host.removeUnmade(slot); // Nothing where it is made.
  }

  /** An error of the disk takes the log directory offline, and the broker goes on: false. A start that cannot do without the directory does not. */
  #guard(directory: string, change: () => void): boolean {
    try {
      change();
      return true;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (this.#isFirst && this.#directories.isNeeded(directory)) throw error;
      this.#host.takeOffline(directory, error);
      return false;
    }
  }

  /**
   * Where it was found it is opened; what was found nowhere is made where the metadata says. What may lie in a directory that is offline is
   * left out: who asks for it is told so.
   */
  #open(topic: TopicImage, partition: PartitionImage, image: ClusterImage): void {
    const { nodeId } = this.#data.config;
    if (!this.#isOurs(topic, partition.partition) || !partition.replicas.includes(nodeId)) return;
    if (this.#host.replica(partition.slot) !== undefined) return; // It was wanted twice: by the first image, and by a change before it was open.
    const found = this.#directories.found(topic, partition.partition);
    const directory = found === null ? this.#directories.of(partition) : this.#directories.byPath(found.directory);
    const isThere = directory !== null && this.#directories.isOnline(directory);
    if (isThere && partition.leader !== nodeId) return;
    const guard = (path: string, change: () => void): boolean => this.#guard(path, change);
    if (isThere) this.#opener.setOthersAside(topic, partition.partition, directory, found, guard);
    const isOpen =
      isThere &&
      this.#directories.isOnline(directory) &&
      this.#guard(directory.path, () => {
        const log = this.#opener.open(topic, partition.partition, directory, found, image);
        this.#syncs.noteOpened(log);
        const { slot, leaderEpoch } = partition;
        this.#host.add(new LeaderReplica(slot, topic.name, topic.id, partition.partition, log, leaderEpoch, this.#host.words));
      });
    if (!isOpen) this.#host.leaveOut(partition.slot);
  }

  #delete(topic: TopicImage, partition: PartitionImage, image: ClusterImage): void {
    if (!this.#isOurs(topic, partition.partition)) return;
    const delayMs = resolveTopicConfig(new Map(), this.#data.config, brokerOverrides(image, this.#data.config.nodeId)).fileDeleteDelayMs;
    const replica = this.#host.replica(partition.slot);
    this.#host.removeUnmade(partition.slot);
    if (replica === undefined) this.#host.remove(partition.slot, () => {});
    else this.#deleted.delete(replica, delayMs);
  }

  #reconfigure(change: MetadataChange, image: ClusterImage): void {
    const isForAll = change.configsChanged.some(({ resourceType }) => resourceType === RESOURCE.BROKER);
    const topics = new Set(
      change.configsChanged.filter(({ resourceType }) => resourceType === RESOURCE.TOPIC).map((each) => each.resourceName),
    );
    for (const { topic, log } of this.#host.replicas()) {
      if (isForAll || topics.has(topic)) log.config = this.#opener.configOf(topic, image);
    }
  }
}
