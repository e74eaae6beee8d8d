// DescribeProducers: who writes to partitions with a producer id, as the logs' owners know it.
// Source: KIP-664.
import { topicNameFault } from '../../metadata/topic-names.ts';
import { UNKNOWN_NAME_MESSAGE } from '../../metadata/topics.ts';
import {
  type DescribeProducersResponse,
  describeProducersRequest,
  describeProducersResponse,
} from '../../protocol/apis/describe-producers.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import type { PartitionAddress } from '../partition-questions.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type PartitionAnswer = DescribeProducersResponse['topics'][number]['partitions'][number];

export function describeProducersHandler(context: BrokerContext): Handler {
  const { metadata, questions, runtime } = context;
  return (request) => {
    const body = decodeBody(request, describeProducersRequest);
    const asked: PartitionAddress[] = [];
    const waiting: PartitionAnswer[] = [];
    const topics = body.topics.map(({ name, partitionIndexes }) => {
      const topic = metadata.image.topicByName(name);
      const fault = topicNameFault(name);
      const partitions = partitionIndexes.map((partitionIndex): PartitionAnswer => {
        const result: PartitionAnswer = { partitionIndex, errorCode: ERROR.NONE, errorMessage: null, activeProducers: [] };
        const partition = topic === null ? null : findPartition(topic, partitionIndex);
        if (fault !== null) {
          result.errorCode = ERROR.INVALID_TOPIC_EXCEPTION;
          result.errorMessage = fault;
        } else if (topic === null) {
          result.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
          result.errorMessage = UNKNOWN_NAME_MESSAGE;
        } else if (partition === null) result.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else if (partition.replicas.includes(context.nodeId) && context.directories.isOffline(partition))
          result.errorCode = ERROR.KAFKA_STORAGE_ERROR;
        else if (partition.leader !== context.nodeId) result.errorCode = ERROR.NOT_LEADER_OR_FOLLOWER;
        else {
          asked.push({ slot: partition.slot, owner: workerOf(runtime.workerCount, topic.id, partitionIndex) });
          waiting.push(result);
        }
        return result;
      });
      return { name, partitions };
    });
    questions.ask('producers', asked, (answers) => {
      for (const [index, result] of waiting.entries()) {
        const found = answers[index];
        if (typeof found === 'object') result.activeProducers = found.map((producer) => ({ ...producer }));
        else result.errorCode = found ?? ERROR.UNKNOWN_SERVER_ERROR;
      }
      answer(request, describeProducersResponse, { throttleTimeMs: 0, topics });
    });
    return true;
  };
}
