// A broker's life as the log tells it: registered (fenced), its directories told, unfenced with a new leadership for what it holds, gone.
// Invariant: after each start the leader epoch of every partition that the broker leads is higher than it was: clients see
// truncation by it.
// Pure.
import { ERROR } from '../protocol/errors.ts';
import type { OperationResult } from './controller.ts';
import type { ClusterImage } from './image.ts';
import { type EndpointImage, type FeatureRangeImage, NO_LEADER, type PartitionImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { type PartitionChangeRecord, partitionChange, registrationChange } from './record-forms.ts';
import { isDirectoryOnline, mayLead, withoutReplica } from './replica-directories.ts';

export interface ControllerRegistration {
  readonly controllerId: number;
  readonly incarnationId: string;
  readonly endPoints: readonly EndpointImage[];
  readonly features: readonly FeatureRangeImage[];
}

export interface BrokerRegistration {
  readonly brokerId: number;
  /** New at each start of the process. */
  readonly incarnationId: string;
  readonly endPoints: readonly EndpointImage[];
  readonly features: readonly FeatureRangeImage[];
  readonly rack: string | null;
  /** Ids of the broker's log directories. */
  readonly logDirs: readonly string[];
}

export function registerController(registration: ControllerRegistration): MetadataRecord {
  return {
    type: 'RegisterControllerRecord',
    controllerId: registration.controllerId,
    incarnationId: registration.incarnationId,
    zkMigrationReady: false,
    endPoints: [...registration.endPoints],
    features: [...registration.features],
  };
}

/** Registers a broker, fenced; its epoch is the offset of the record. */
export function registerBroker(registration: BrokerRegistration, nextOffset: number): OperationResult<{ brokerEpoch: number }> {
  const record: MetadataRecord = {
    type: 'RegisterBrokerRecord',
    brokerId: registration.brokerId,
    isMigratingZkBroker: false,
    incarnationId: registration.incarnationId,
    brokerEpoch: nextOffset,
    endPoints: [...registration.endPoints],
    features: [...registration.features],
    rack: registration.rack,
    fenced: true,
    inControlledShutdown: false,
    logDirs: [...registration.logDirs],
    cordonedLogDirs: null,
  };
  return { records: [record], response: { brokerEpoch: nextOffset } };
}

/** The broker tells which of its directories get no new replicas: with its first heartbeat, and whenever that changes. */
export function tellCordonedDirectories(brokerId: number, brokerEpoch: number, cordoned: readonly string[]): MetadataRecord {
  return registrationChange(brokerId, brokerEpoch, { cordonedLogDirs: [...cordoned] });
}

/**
 * Lets the broker serve: unfences it and makes it the leader, anew, of every partition that only it can lead; of none whose directory is
 * offline.
 */
export function unfenceBroker(image: ClusterImage, brokerId: number, brokerEpoch: number): MetadataRecord[] {
  const records: MetadataRecord[] = [registrationChange(brokerId, brokerEpoch, { fenced: -1 })];
  for (const topic of image.topics) {
    for (const partition of topic.partitions) {
      if (!partition.replicas.includes(brokerId)) continue;
      const isThere = isDirectoryOnline(image, partition, brokerId);
      const change = isThere ? leadership(partition, brokerId) : withoutReplica(image, partition, brokerId);
      if (change !== null) records.push({ ...partitionChange(topic.id, partition.partition), ...change });
    }
  }
  return records;
}

/** Takes a broker out of service. */
export function fenceBroker(brokerId: number, brokerEpoch: number): MetadataRecord {
  return registrationChange(brokerId, brokerEpoch, { fenced: 1 });
}

export interface UnregisterInput {
  readonly brokerId: number;
  /** The broker that is asked, which is the controller's own. */
  readonly ownId: number;
}

export interface Unregistered {
  readonly errorCode: number;
  readonly errorMessage: string;
}

/**
 * Takes a broker out of the cluster, and out of what its partitions count on. Apache Kafka unregisters itself, too, when it is told to, and is
 * a broker without a cluster until its next start, with partitions that nobody leads; here that is refused.
 */
export function unregisterBroker(image: ClusterImage, { brokerId, ownId }: UnregisterInput): OperationResult<Unregistered> {
  const broker = image.broker(brokerId);
  if (broker === null) {
    const errorMessage = `Broker ID ${brokerId} is not currently registered`;
    return { records: [], response: { errorCode: ERROR.BROKER_ID_NOT_REGISTERED, errorMessage } };
  }
  if (brokerId === ownId) {
    const errorMessage = `Broker ${brokerId} is the one that answers: it cannot leave the cluster that it is the controller of`;
    return { records: [], response: { errorCode: ERROR.INVALID_REQUEST, errorMessage } };
  }
  const records: MetadataRecord[] = [];
  for (const topic of image.topics) {
    for (const partition of topic.partitions) {
      const change = withoutBroker(image, partition, brokerId);
      if (change !== null) records.push({ ...partitionChange(topic.id, partition.partition), ...change });
    }
  }
  records.push({ type: 'UnregisterBrokerRecord', brokerId, brokerEpoch: broker.brokerEpoch });
  return { records, response: { errorCode: ERROR.NONE, errorMessage: '' } };
}

/** The last one in sync stays in sync: what it holds is what was acknowledged. */
function withoutBroker(image: ClusterImage, partition: PartitionImage, brokerId: number): Partial<PartitionChangeRecord> | null {
  const { isr, leader } = partition;
  if (!isr.includes(brokerId) && leader !== brokerId) return null;
  const others = isr.filter((each) => each !== brokerId);
  const successor = others.find((each) => mayLead(image, partition, each)) ?? NO_LEADER;
  return { ...(others.length === 0 ? {} : { isr: others }), ...(leader === brokerId ? { leader: successor } : {}) };
}

/** What makes `brokerId` the partition's leader in a new epoch, or null where it may not lead. */
function leadership(partition: PartitionImage, brokerId: number): Partial<PartitionChangeRecord> | null {
  if (partition.leader === brokerId && partition.isr.includes(brokerId)) return { leader: brokerId };
  if (partition.leader !== NO_LEADER) return null;
  // Nobody leads (an orderly stop left it so): whoever holds all that was acknowledged may.
  if (partition.isr.includes(brokerId)) return { leader: brokerId };
  if (!partition.eligibleLeaderReplicas.includes(brokerId) && partition.replicas.length > 1) return null;
  return { leader: brokerId, isr: [brokerId], eligibleLeaderReplicas: [], lastKnownElr: [] };
}
