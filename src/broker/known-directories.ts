// The log directories as a worker knows them: which the broker was given, which of them failed, and where a partition lies.
// Invariant: a directory that is offline stays so until the broker starts again.
// Runs on: every worker. Which have failed since the start is the partition host's to say.
import { parsePartitionDirectory, partitionDirectoryName } from '../log/file-names.ts';
import type { ClusterImage } from '../metadata/image.ts';
import type { PartitionImage, TopicImage } from '../metadata/image-types.ts';
import { directoryOf } from '../metadata/replica-directories.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import { findPartition } from './topic-partitions.ts';
import type { BrokerWorkerData, FoundLog, GivenDirectory } from './worker-data.ts';

/** In cordoned.log.dirs. */
const ALL = '*';

export class KnownDirectories {
  /** log.dirs, in their order. */
  readonly given: readonly GivenDirectory[];
  /** Holds the cluster's metadata log; one of `given` or not. */
  readonly metadataPath: string;
  /** log.dirs as they were written. */
  readonly #names: readonly string[];
  readonly #nodeId: number;
  readonly #host: PartitionHost;
  readonly #found: Map<string, readonly FoundLog[]>;
  #isClaimed = false;

  constructor(data: BrokerWorkerData, host: PartitionHost) {
    this.given = data.directories;
    this.metadataPath = data.metadataDirectory.path;
    this.#names = data.config.logDirs;
    this.#nodeId = data.config.nodeId;
    this.#host = host;
    this.#found = new Map(data.found); // Where all workers are one thread, it is everybody's.
  }

  isOnline({ path, failure }: GivenDirectory): boolean {
    return failure === null && !this.#host.isOffline(path);
  }

  /** Those that take partitions still. */
  online(): GivenDirectory[] {
    return this.given.filter((directory) => this.isOnline(directory));
  }

  get hasOffline(): boolean {
    return this.given.some((directory) => !this.isOnline(directory));
  }

  /** Without it the broker takes and keeps nothing: it holds the metadata log, or is the last one for partitions. */
  isNeeded(path: string): boolean {
    return path === this.metadataPath || this.given.every((directory) => directory.path === path || !this.isOnline(directory));
  }

  /** Ids of those that cordoned.log.dirs names, which stand there as in log.dirs. */
  cordoned(names: readonly string[]): string[] {
    const isNamed = (index: number): boolean => names.includes(ALL) || names.includes(this.#names[index] ?? '');
    return this.given.flatMap(({ id }, index) => (id !== null && isNamed(index) ? [id] : []));
  }

  byPath(path: string): GivenDirectory | null {
    return this.given.find((directory) => directory.path === path) ?? null;
  }

  /** Where a partition of this broker lies, as the metadata says; null: in a directory that this broker does not have, or cannot read. */
  of(partition: PartitionImage): GivenDirectory | null {
    const id = directoryOf(partition, this.#nodeId);
    return this.given.find((directory) => directory.id === id) ?? null;
  }

  /** Whether a partition of this broker lies in a directory that is offline. */
  isOffline(partition: PartitionImage): boolean {
    const directory = this.of(partition);
    return directory === null || !this.isOnline(directory);
  }

  /** The path of a partition's files; null where nobody can read them. */
  pathOf(image: ClusterImage, topicName: string, partition: number): string | null {
    const topic = image.topicByName(topicName);
    const wanted = topic === null ? null : findPartition(topic, partition);
    const directory = wanted === null ? null : this.of(wanted);
    return directory === null ? null : `${directory.path}/${partitionDirectoryName(topicName, partition)}`;
  }

  /**
   * To be called with the first image, and of no effect later: a log that does not say whose it is belongs to the topic that has its name by then,
   * as in Apache Kafka, unless the partition's own is there as well, or may be in a directory that is offline.
   */
  claimUnnamed(image: ClusterImage): void {
    if (this.#isClaimed) return;
    this.#isClaimed = true;
    for (const [name, found] of this.#found) {
      const unnamed = found.find((each) => each.isUnnamedLog);
      const parsed = unnamed === undefined ? null : parsePartitionDirectory(name);
      const topic = parsed === null ? null : image.topicByName(parsed.topic);
      const partition = topic === null || parsed === null ? null : findPartition(topic, parsed.partition);
      if (topic === null || partition === null || found.some(({ topicId }) => topicId === topic.id)) continue;
      const directory = this.of(partition);
      if (directory !== null && !this.isOnline(directory)) continue;
      this.#found.set(
        name,
        found.map((each) => (each === unnamed ? { ...each, topicId: topic.id } : each)),
      );
    }
  }

  /** The partition as the start found it; null: nowhere. What bears its name and belongs to another topic is not it. */
  found(topic: TopicImage, partition: number): FoundLog | null {
    const named = this.#found.get(partitionDirectoryName(topic.name, partition));
    return named?.find((each) => each.topicId === topic.id) ?? null;
  }

  /** All that the start found, by the names of the partitions. */
  allFound(): ReadonlyMap<string, readonly FoundLog[]> {
    return this.#found;
  }
}
