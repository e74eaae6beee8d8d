// The image written out as records that replay to the same image: what a snapshot holds.
// Invariant: replaying them into an empty image gives the same state, slots aside (those are numbered anew).
// Pure.
import type { ClusterImage } from './image.ts';
import type { PartitionImage } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';

/** The feature that says which records may stand in a log: it comes first, since a reader must know. */
const METADATA_VERSION = 'metadata.version';

/** All of the image, in an order in which each record finds what it refers to. */
export function* imageRecords(image: ClusterImage): Generator<MetadataRecord> {
  const metadataVersion = image.features.get(METADATA_VERSION);
  if (metadataVersion !== undefined) yield { type: 'FeatureLevelRecord', name: METADATA_VERSION, featureLevel: metadataVersion };
  for (const [name, featureLevel] of image.features) {
    if (name !== METADATA_VERSION) yield { type: 'FeatureLevelRecord', name, featureLevel };
  }
  for (const broker of image.brokers) {
    yield {
      type: 'RegisterBrokerRecord',
      brokerId: broker.brokerId,
      isMigratingZkBroker: false,
      incarnationId: broker.incarnationId,
      brokerEpoch: broker.brokerEpoch,
      endPoints: [...broker.endPoints],
      features: [...broker.features],
      rack: broker.rack,
      fenced: broker.isFenced,
      inControlledShutdown: broker.isInControlledShutdown,
      logDirs: [...broker.logDirs],
      cordonedLogDirs: broker.cordonedLogDirs === null ? null : [...broker.cordonedLogDirs],
    };
  }
  for (const controller of image.controllers) {
    yield {
      type: 'RegisterControllerRecord',
      controllerId: controller.controllerId,
      incarnationId: controller.incarnationId,
      zkMigrationReady: false,
      endPoints: [...controller.endPoints],
      features: [...controller.features],
    };
  }
  for (const topic of image.topics) {
    yield { type: 'TopicRecord', name: topic.name, topicId: topic.id };
    for (const partition of topic.partitions) yield partitionRecord(topic.id, partition);
  }
  for (const resourceType of image.configuredTypes) {
    for (const resourceName of image.configuredResources(resourceType)) {
      for (const [name, value] of image.configsOf(resourceType, resourceName)) {
        yield { type: 'ConfigRecord', resourceType, resourceName, name, value };
      }
    }
  }
  if (image.nextProducerId > 0) {
    yield { type: 'ProducerIdsRecord', brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId };
  }
  yield* image.unservedRecords;
}

function partitionRecord(topicId: string, partition: PartitionImage): MetadataRecord {
  const { eligibleLeaderReplicas, lastKnownElr } = partition;
  return {
    type: 'PartitionRecord',
    partitionId: partition.partition,
    topicId,
    replicas: [...partition.replicas],
    isr: [...partition.isr],
    removingReplicas: [...partition.removingReplicas],
    addingReplicas: [...partition.addingReplicas],
    leader: partition.leader,
    leaderRecoveryState: partition.leaderRecoveryState,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    directories: [...partition.directories],
    eligibleLeaderReplicas: eligibleLeaderReplicas.length === 0 ? null : [...eligibleLeaderReplicas],
    lastKnownElr: lastKnownElr.length === 0 ? null : [...lastKnownElr],
  };
}
