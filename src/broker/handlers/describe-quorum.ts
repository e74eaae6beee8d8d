// DescribeQuorum: who votes on the metadata log and how far each has come, as the controller knows it.
// Source: KIP-595, KIP-836 (when replicas fetched), KIP-853 (directories, nodes).
import { ZERO_UUID } from '../../base/uuid.ts';
import { CLUSTER_METADATA_TOPIC } from '../../metadata/topic-names.ts';
import { UNKNOWN_NAME_MESSAGE } from '../../metadata/topics.ts';
import { type DescribeQuorumRequest, describeQuorumRequest, describeQuorumResponse } from '../../protocol/apis/describe-quorum.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const DIRECTORIES_SINCE = 2;
/** Kafka's answer has an empty text where there is no error. */
const NO_ERROR = { errorCode: ERROR.NONE, errorMessage: '' };
const UNKNOWN = {
  errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: UNKNOWN_NAME_MESSAGE,
  leaderId: 0,
  leaderEpoch: 0,
  highWatermark: 0,
  currentVoters: [],
  observers: [],
};

export function describeQuorumHandler(context: BrokerContext): Handler {
  return (request) => {
    const body = decodeBody(request, describeQuorumRequest);
    if (!isOfMetadata(body)) {
      const topics = body.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...UNKNOWN })),
      }));
      answer(request, describeQuorumResponse, { ...NO_ERROR, topics, nodes: [] });
      return true;
    }
    const hasDirectories = request.apiVersion >= DIRECTORIES_SINCE;
    context.controller.ask('describeQuorum', null, ({ voters, ...quorum }) => {
      const currentVoters = voters.map(({ directoryId, ...voter }) => ({
        ...voter,
        replicaDirectoryId: hasDirectories ? directoryId : ZERO_UUID,
      }));
      // No address: nobody listens for other controllers, whatever the metadata log says of this one for those who read it later.
      const nodes = voters.map(({ replicaId }) => ({ nodeId: replicaId, listeners: [] }));
      const partition = { partitionIndex: 0, ...NO_ERROR, ...quorum, currentVoters, observers: [] };
      answer(request, describeQuorumResponse, {
        ...NO_ERROR,
        topics: [{ topicName: CLUSTER_METADATA_TOPIC, partitions: [partition] }],
        nodes: hasDirectories ? nodes : [],
      });
    });
    return true;
  };
}

/** Whether the one partition that has a quorum is asked for, and nothing else. */
function isOfMetadata({ topics }: DescribeQuorumRequest): boolean {
  const [topic] = topics;
  const isAlone = topics.length === 1 && topic?.partitions.length === 1;
  return isAlone && topic.topicName === CLUSTER_METADATA_TOPIC && topic.partitions[0]?.partitionIndex === 0;
}
