// The topics that coordinators keep their state in: what each of them is made like, whoever asks for it first.
// Invariant: one that is made can be written to with acks=all; its replicas and min.insync.replicas shrink to the brokers there are.
// Pure. Not their contents, and not a CreateTopics that names one of them: that makes what it says.
// Source: the configurations are those of Apache Kafka 4.3.1 (test/golden/answers/internal-topics.json).
import type { BrokerConfig } from '../config/broker-config.ts';
import type { ClusterImage } from './image.ts';
import { usableBrokers } from './replica-placement.ts';
import { CONSUMER_OFFSETS_TOPIC, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC } from './topic-names.ts';
import type { CreatableTopic } from './topics.ts';

/** What to ask CreateTopics for; null where `name` is no internal topic. */
export function internalTopic(name: string, config: BrokerConfig, image: ClusterImage): CreatableTopic | null {
  const brokerCount = usableBrokers(image).length;
  switch (name) {
    case CONSUMER_OFFSETS_TOPIC:
      return creatable(name, config.offsetsTopicNumPartitions, shrunk(config.offsetsTopicReplicationFactor, brokerCount), {
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': config.offsetsTopicSegmentBytes,
      });
    case TRANSACTION_STATE_TOPIC: {
      const replicationFactor = shrunk(config.transactionStateLogReplicationFactor, brokerCount);
      return creatable(name, config.transactionStateLogNumPartitions, replicationFactor, {
        'cleanup.policy': 'compact',
        'compression.type': 'uncompressed',
        'min.insync.replicas': shrunk(config.transactionStateLogMinIsr, replicationFactor),
        'segment.bytes': config.transactionStateLogSegmentBytes,
        'unclean.leader.election.enable': false,
      });
    }
    case SHARE_GROUP_STATE_TOPIC: {
      const replicationFactor = shrunk(config.shareStateTopicReplicationFactor, brokerCount);
      return creatable(name, config.shareStateTopicNumPartitions, replicationFactor, {
        'cleanup.policy': 'delete',
        'compression.type': 'producer',
        'min.insync.replicas': shrunk(config.shareStateTopicMinIsr, replicationFactor),
        'retention.ms': -1,
        'segment.bytes': config.shareStateTopicSegmentBytes,
      });
    }
    default:
      return null;
  }
}

/** At least 1: without any broker it is the placement of replicas that refuses. */
function shrunk(wanted: number, most: number): number {
  return Math.max(1, Math.min(wanted, most));
}

function creatable(
  name: string,
  numPartitions: number,
  replicationFactor: number,
  configs: Readonly<Record<string, string | number | boolean>>,
): CreatableTopic {
  return {
    name,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value: String(value) })),
  };
}
