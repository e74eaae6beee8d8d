// The options of the topics that coordinators keep their state in.
// Pure. What becomes of them: src/metadata/internal-topics.ts.
import { MIB } from '../base/units.ts';
import { bytes, count } from './define.ts';

const DEFAULT_PARTITIONS = 50;
const DEFAULT_REPLICAS = 3;
const DEFAULT_SEGMENT_BYTES = 100 * MIB;

const FEWER = 'fewer where there are fewer brokers when it is made (Kafka then does not make it)';

export const internalTopicOptions = {
  offsetsTopicNumPartitions: count('offsets.topic.num.partitions', {
    default: DEFAULT_PARTITIONS,
    min: 1,
    doc: 'Partitions of the offsets topic. Of no effect once it is there.',
  }),
  offsetsTopicReplicationFactor: count('offsets.topic.replication.factor', {
    type: 'SHORT',
    default: DEFAULT_REPLICAS,
    min: 1,
    doc: `Replicas of the offsets topic; ${FEWER}.`,
  }),
  offsetsTopicSegmentBytes: bytes('offsets.topic.segment.bytes', {
    default: DEFAULT_SEGMENT_BYTES,
    min: 1,
    doc: 'Segment size of the offsets topic: small, since compaction leaves the newest segment alone.',
  }),
  transactionStateLogNumPartitions: count('transaction.state.log.num.partitions', {
    default: DEFAULT_PARTITIONS,
    min: 1,
    doc: 'Partitions of the transaction topic. Of no effect once it is there.',
  }),
  transactionStateLogReplicationFactor: count('transaction.state.log.replication.factor', {
    type: 'SHORT',
    default: DEFAULT_REPLICAS,
    min: 1,
    doc: `Replicas of the transaction topic; ${FEWER}.`,
  }),
  transactionStateLogMinIsr: count('transaction.state.log.min.isr', {
    default: 2,
    min: 1,
    doc: 'Replicas that must have a record of the transaction topic; no more than it is made with.',
  }),
  transactionStateLogSegmentBytes: bytes('transaction.state.log.segment.bytes', {
    default: DEFAULT_SEGMENT_BYTES,
    min: 1,
    doc: 'Segment size of the transaction topic.',
  }),
  shareStateTopicNumPartitions: count('share.coordinator.state.topic.num.partitions', {
    default: DEFAULT_PARTITIONS,
    min: 1,
    doc: 'Partitions of the share state topic. Of no effect once it is there.',
  }),
  shareStateTopicReplicationFactor: count('share.coordinator.state.topic.replication.factor', {
    type: 'SHORT',
    default: DEFAULT_REPLICAS,
    min: 1,
    doc: `Replicas of the share state topic; ${FEWER}.`,
  }),
  shareStateTopicMinIsr: count('share.coordinator.state.topic.min.isr', {
    type: 'SHORT',
    default: 2,
    min: 1,
    doc: 'Replicas that must have a record of the share state topic; no more than it is made with.',
  }),
  shareStateTopicSegmentBytes: bytes('share.coordinator.state.topic.segment.bytes', {
    default: DEFAULT_SEGMENT_BYTES,
    min: 1,
    doc: 'Segment size of the share state topic.',
  }),
};
