// In which log directory of its broker a replica lies: named by the controller when the partition is made, put right when a broker's start finds
// it elsewhere, and without a leader while the directory is offline.
// Invariant: the directory that a record names for a new replica is one that its broker has told to be online.
// Apache Kafka's controller leaves the choice to a broker with several directories, and records what that tells it afterwards; a broker follows
// a choice of the controller as well, so that one record does here. Which one is chosen is the same.
// Pure. Source: KIP-858; the records of a directory that fails were recorded from Apache Kafka 4.3.1.
import { ZERO_UUID } from '../base/uuid.ts';
import { type ClusterImage, isActive, isElrOn } from './image.ts';
import { type BrokerImage, NO_LEADER, type PartitionImage, type TopicImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { type PartitionChangeRecord, partitionChange, registrationChange } from './record-forms.ts';

/** Not told by the broker yet: written before brokers told of directories. */
const MIGRATING = ZERO_UUID;
/** The broker is to choose. */
export const UNASSIGNED = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** The id of the directory where a broker's replica lies, as far as the metadata says; a reserved one where it does not. */
export function directoryOf({ replicas, directories }: PartitionImage, brokerId: number): string {
  return directories[replicas.indexOf(brokerId)] ?? MIGRATING;
}

/** Whether the broker may lead the partition: it is active, and the directory of its replica is not known to be offline. */
export function mayLead(image: ClusterImage, partition: PartitionImage, brokerId: number): boolean {
  return isActive(image, brokerId) && isDirectoryOnline(image, partition, brokerId);
}

/** Whether the directory of a broker's replica is not known to be offline. */
export function isDirectoryOnline(image: ClusterImage, partition: PartitionImage, brokerId: number): boolean {
  const directory = directoryOf(partition, brokerId);
  const online = image.broker(brokerId)?.logDirs ?? [];
  return directory === MIGRATING || directory === UNASSIGNED || online.length === 0 || online.includes(directory);
}

export function uncordonedDirectories({ logDirs, cordonedLogDirs }: BrokerImage): string[] {
  return logDirs.filter((directory) => !(cordonedLogDirs ?? []).includes(directory));
}

/** Where new replicas go: into the directory of their broker with the fewest, those of the same operation counted. One for each operation. */
export class DirectoryChoice {
  readonly #image: ClusterImage;
  /** By broker, how many replicas each directory has; counted where a broker has several. */
  readonly #counts = new Map<number, Map<string, number>>();

  constructor(image: ClusterImage) {
    this.#image = image;
  }

  /** The directory that a broker's new replica goes to; a reserved id where the broker has told of none. */
  next(brokerId: number): string {
    const broker = this.#image.broker(brokerId);
    const directories = broker === null ? [] : uncordonedDirectories(broker);
    if (directories.length <= 1) return directories[0] ?? MIGRATING;
    let counts = this.#counts.get(brokerId);
    if (counts === undefined) {
      counts = this.#count(brokerId);
      this.#counts.set(brokerId, counts);
    }
    let least = directories[0] as string;
    for (const directory of directories) if ((counts.get(directory) ?? 0) < (counts.get(least) ?? 0)) least = directory;
    counts.set(least, (counts.get(least) ?? 0) + 1);
    return least;
  }

  #count(brokerId: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { partitions } of this.#image.topics) {
      for (const partition of partitions) {
        if (!partition.replicas.includes(brokerId)) continue;
        const directory = directoryOf(partition, brokerId);
        counts.set(directory, (counts.get(directory) ?? 0) + 1);
      }
    }
    return counts;
  }
}

export interface FoundReplicas {
  readonly brokerId: number;
  /** The id of the directory in which the broker has found the replica; null: in none that it can read. */
  readonly foundIn: (topic: TopicImage, partition: number) => string | null;
  /** The broker has directories that it cannot read: what was found nowhere may lie there. */
  readonly hasOffline: boolean;
}

export interface ToldReplicas {
  readonly records: readonly MetadataRecord[];
  /** By the id of a directory which the broker does not have any more, how many replicas lay there: what was in them is gone with it. */
  readonly lost: ReadonlyMap<string, number>;
}

/**
 * Brings the metadata in line with what a broker has found at its start, once it is registered: a replica is where it was found. One that is
 * named in no directory of the broker is made anew elsewhere, unless it may be in one that is offline.
 */
export function tellFoundReplicas(image: ClusterImage, { brokerId, foundIn, hasOffline }: FoundReplicas): ToldReplicas {
  const online = image.broker(brokerId)?.logDirs ?? [];
  const choice = new DirectoryChoice(image);
  const records: MetadataRecord[] = [];
  const lost = new Map<string, number>();
  for (const topic of image.topics) {
    for (const partition of topic.partitions) {
      if (!partition.replicas.includes(brokerId)) continue;
      const named = directoryOf(partition, brokerId);
      const found = foundIn(topic, partition.partition);
      const stays = online.includes(named) || hasOffline;
      const directory = found ?? (stays ? named : choice.next(brokerId));
      if (directory === named) continue;
      if (found === null && named !== MIGRATING && named !== UNASSIGNED) lost.set(named, (lost.get(named) ?? 0) + 1);
      const directories = partition.replicas.map((each) => (each === brokerId ? directory : directoryOf(partition, each)));
      records.push({ ...partitionChange(topic.id, partition.partition), directories });
    }
  }
  return { records, lost };
}

/** Directories of a broker have failed: what it leads there has another leader, or none, and new replicas go elsewhere. */
export function tellFailedDirectories(image: ClusterImage, brokerId: number, failed: readonly string[]): MetadataRecord[] {
  const broker = image.broker(brokerId);
  const gone = broker?.logDirs.filter((directory) => failed.includes(directory)) ?? [];
  if (broker === null || gone.length === 0) return [];
  const records: MetadataRecord[] = [];
  for (const topic of image.topics) {
    for (const partition of topic.partitions) {
      if (!partition.replicas.includes(brokerId) || !gone.includes(directoryOf(partition, brokerId))) continue;
      const change = withoutReplica(image, partition, brokerId);
      if (change !== null) records.push({ ...partitionChange(topic.id, partition.partition), ...change });
    }
  }
  const left = broker.logDirs.filter((directory) => !gone.includes(directory));
  // An empty list would say that nothing changes.
  if (left.length > 0) records.push(registrationChange(brokerId, broker.brokerEpoch, { logDirs: left }));
  return records;
}

/** What a partition is left with that cannot count on one of its replicas; null: it did not. The last one in sync may lead again. */
export function withoutReplica(image: ClusterImage, partition: PartitionImage, brokerId: number): Partial<PartitionChangeRecord> | null {
  const { isr, leader, eligibleLeaderReplicas } = partition;
  if (!isr.includes(brokerId) && leader !== brokerId) return null;
  if (isr.length === 1 && leader === NO_LEADER && !isElrOn(image)) return null;
  const others = isr.filter((each) => each !== brokerId);
  const successor = leader === brokerId ? (others.find((each) => mayLead(image, partition, each)) ?? NO_LEADER) : leader;
  const newLeader = successor === leader ? {} : { leader: successor };
  if (others.length > 0) return { isr: others, ...newLeader };
  if (!isElrOn(image)) return newLeader;
  return { isr: [], ...newLeader, eligibleLeaderReplicas: [...new Set([...eligibleLeaderReplicas, brokerId])], lastKnownElr: [brokerId] };
}
