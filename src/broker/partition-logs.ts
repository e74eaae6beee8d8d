// Keeps the partitions of one worker as the image says: opens the logs of those that placement gave it, raises leader epochs, follows
// topic configurations, and removes what was deleted once nobody reads it.
// Invariant: a log is opened only in a directory that belongs to its topic; what lies there under another id is put aside first.
// Runs on: every worker.
import { randomUuid } from '../base/uuid.ts';
import { resolveTopicConfig } from '../config/topic-config.ts';
import { markedDirectoryName, partitionDirectoryName, STRAY_DIRECTORY_SUFFIX } from '../log/file-names.ts';
import { Log, type LogConfig } from '../log/log.ts';
import { StorageError } from '../log/storage.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { type MetadataChange, type PartitionImage, RESOURCE, type TopicImage } from '../metadata/image-types.ts';
import { brokerOverrides } from '../metadata/topic-config-rules.ts';
import { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import { workerOf } from '../scheduler/placement.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { BrokerWorkerData, LogEnds } from './worker-data.ts';

export class PartitionLogs {
  readonly #runtime: Runtime;
  readonly #data: BrokerWorkerData;
  readonly #host: PartitionHost;
  readonly #logger: Logger;
  /** Which partitions there are has changed: the checkpoints must say so before a topic of the same name takes their rows for its own. */
  readonly #onPartitionsChanged: () => void;
  /** Logs of deleted topics whose directories wait for file.delete.delay.ms. */
  readonly #doomed = new Set<Log>();
  #isFirst = true;
  #hasFailed = false;

  constructor(runtime: Runtime, data: BrokerWorkerData, host: PartitionHost, logger: Logger, onPartitionsChanged: () => void) {
    this.#runtime = runtime;
    this.#data = data;
    this.#host = host;
    this.#logger = logger;
    this.#onPartitionsChanged = onPartitionsChanged;
  }

  /** Follows a change of the image. */
  onChange(change: MetadataChange, image: ClusterImage): void {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (isFirst) this.#setUnknownAside(image);
    for (const topic of change.topicsDeleted) for (const partition of topic.partitions) this.#delete(topic, partition, image);
    for (const topic of change.topicsCreated) for (const partition of topic.partitions) this.#open(topic, partition, image);
    for (const { topic, before, after } of change.partitionsChanged) {
      if (before === null) this.#open(topic, after, image);
      else this.#host.replica(after.slot)?.raiseLeaderEpoch(after.leaderEpoch);
    }
    if (change.configsChanged.length > 0) this.#reconfigure(change, image);
    if (isFirst || change.topicsDeleted.length > 0) this.#onPartitionsChanged();
  }

  /** Ends of all logs here, for the checkpoints. */
  ends(): LogEnds[] {
    return [...this.#host.replicas()].map(({ topic, partition, log, highWatermark }) => ({
      topic,
      partition,
      recoveryPoint: log.recoveryPoint,
      logStartOffset: log.logStartOffset,
      highWatermark,
    }));
  }

  /** Closes all logs; false where one could not be closed cleanly, so that the next start checks. */
  close(): boolean {
    this.#host.close();
    let isClean = !this.#hasFailed;
    for (const replica of this.#host.replicas()) {
      try {
        replica.log.close({ clean: !replica.isOffline });
        isClean &&= !replica.isOffline;
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.#logger.error(`closing ${replica.topic}-${replica.partition} failed`, { error: error.message });
        isClean = false;
      }
    }
    for (const log of this.#doomed) log.remove();
    this.#doomed.clear();
    return isClean;
  }

  /** A write failed: noted, so that the stop is not called clean. */
  noteFailure(): void {
    this.#hasFailed = true;
  }

  #isOurs(topic: TopicImage, partition: number): boolean {
    return workerOf(this.#runtime.workerCount, topic.id, partition) === this.#runtime.workerIndex;
  }

  #open(topic: TopicImage, partition: PartitionImage, image: ClusterImage): void {
    if (!this.#isOurs(topic, partition.partition) || partition.leader !== this.#data.config.nodeId) return;
    const { storage, clock, random } = this.#runtime;
    const name = partitionDirectoryName(topic.name, partition.partition);
    const found = this.#data.found.get(name);
    const isOwn = found !== undefined && found.topicId === topic.id;
    if (!isOwn && storage.isDirectory(`${this.#data.directory}/${name}`)) this.#setAside(name);
    const log = Log.open({
      storage,
      directory: `${this.#data.directory}/${name}`,
      topicId: topic.id,
      config: this.#configOf(topic.name, image),
      nowMs: clock.wallMs(),
      cleanShutdown: isOwn ? this.#data.hadCleanShutdown : true,
      recoveryPoint: isOwn ? found.recoveryPoint : 0,
      logStartOffset: isOwn ? found.logStartOffset : 0,
      writebackBytes: this.#data.config.writebackBytes,
      onWritebackError: (error) => this.#host.takeOffline(error),
      random,
    });
    if (log.recoveredCutBytes > 0) this.#logger.warn(`recovery of ${name} cut a torn tail`, { bytes: log.recoveredCutBytes });
    this.#host.add(
      new LeaderReplica(partition.slot, topic.name, topic.id, partition.partition, log, partition.leaderEpoch, this.#host.words),
    );
  }

  #delete(topic: TopicImage, partition: PartitionImage, image: ClusterImage): void {
    if (!this.#isOurs(topic, partition.partition)) return;
    const delayMs = resolveTopicConfig(new Map(), this.#data.config, brokerOverrides(image, this.#data.config.nodeId)).fileDeleteDelayMs;
    const replica = this.#host.replica(partition.slot);
    if (replica === undefined) return;
    const { log } = replica;
    this.#host.remove(partition.slot, () => {
      this.#runtime.after(delayMs, () => {
        if (this.#doomed.delete(log)) log.remove();
      });
    });
    // The name is free from here on, for a topic that is made anew; whoever still reads has the files open.
    this.#doomed.add(log);
    if (!replica.isOffline) log.markDeleted(randomUuid(this.#runtime.random));
  }

  #reconfigure(change: MetadataChange, image: ClusterImage): void {
    const isForAll = change.configsChanged.some(({ resourceType }) => resourceType === RESOURCE.BROKER);
    const topics = new Set(
      change.configsChanged.filter(({ resourceType }) => resourceType === RESOURCE.TOPIC).map((each) => each.resourceName),
    );
    for (const { topic, log } of this.#host.replicas()) {
      if (isForAll || topics.has(topic)) log.config = this.#configOf(topic, image);
    }
  }

  #configOf(topic: string, image: ClusterImage): LogConfig {
    const { config } = this.#data;
    const topicConfig = resolveTopicConfig(image.configsOf(RESOURCE.TOPIC, topic), config, brokerOverrides(image, config.nodeId));
    const { timestampBeforeMaxMs, timestampAfterMaxMs } = topicConfig;
    return { ...topicConfig, timestampBeforeMaxMs, timestampAfterMaxMs };
  }

  /** Directories of topics that the cluster does not know, left by a crash between a deletion's commit and its renaming. */
  #setUnknownAside(image: ClusterImage): void {
    if (this.#runtime.workerIndex !== 0) return;
    for (const [name, { topicId }] of this.#data.found) {
      if (topicId === null || image.topicById(topicId) === null) this.#setAside(name);
    }
  }

  #setAside(name: string): void {
    const { storage, random } = this.#runtime;
    const { directory } = this.#data;
    const stray = markedDirectoryName(name, randomUuid(random), STRAY_DIRECTORY_SUFFIX);
    if (!storage.isDirectory(`${directory}/${name}`)) return;
    storage.rename(`${directory}/${name}`, `${directory}/${stray}`);
    storage.syncDirectory(directory);
    this.#logger.warn(`${name} belongs to no topic of this cluster`, { putAsideAs: stray });
  }
}
