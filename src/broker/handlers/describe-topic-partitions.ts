// DescribeTopicPartitions: topics in the order of their names, partition by partition, a page at a time.
// Source: KIP-966.
import { ZERO_UUID } from '../../base/uuid.ts';
import { INTERNAL_TOPICS, topicNameFault } from '../../metadata/topic-names.ts';
import {
  type DescribeTopicPartitionsResponse,
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
} from '../../protocol/apis/describe-topic-partitions.ts';
import { TOPIC_OPERATIONS, UNREQUESTED_OPERATIONS } from '../../protocol/authorized-operations.ts';
import { ERROR } from '../../protocol/errors.ts';
import { listenerOf } from '../broker-answers.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';
import { topicAnswer } from './metadata.ts';

type Response = DescribeTopicPartitionsResponse;

export function describeTopicPartitionsHandler(context: BrokerContext): Handler {
  const { metadata, config } = context;
  return (request) => {
    const body = decodeBody(request, describeTopicPartitionsRequest);
    const { image } = metadata;
    const { cursor } = body;
    const listener = listenerOf(request, context);
    const isAll = body.topics.length === 0;
    const wanted = isAll ? [...image.topics].map((topic) => topic.name) : [...new Set(body.topics.map((topic) => topic.name))];
    const names = wanted.filter((name) => name >= (cursor?.topicName ?? '')).sort();
    if (cursor !== null && (cursor.partitionIndex < 0 || (!isAll && !names.includes(cursor.topicName)))) {
      const refused = body.topics.map(({ name }) => missingTopic(name, ERROR.INVALID_REQUEST, UNREQUESTED_OPERATIONS));
      answer(request, describeTopicPartitionsResponse, { throttleTimeMs: 0, topics: refused, nextCursor: null });
      return true;
    }
    let left = Math.max(Math.min(config.maxRequestPartitionSizeLimit, body.responsePartitionLimit), 1);
    const topics: Response['topics'] = [];
    let nextCursor: Response['nextCursor'] = null;
    for (const name of names) {
      if (left === 0) {
        nextCursor = { topicName: name, partitionIndex: 0 };
        break;
      }
      const topic = image.topicByName(name);
      if (topic === null) {
        const errorCode = topicNameFault(name) === null ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.INVALID_TOPIC_EXCEPTION;
        topics.push(missingTopic(name, errorCode, TOPIC_OPERATIONS));
        continue;
      }
      const first = name === cursor?.topicName ? cursor.partitionIndex : 0;
      const page = topicAnswer(topic, context, { listener, namesListeners: false }).partitions.slice(first, first + left);
      const partitions = page.map((partition) => {
        const { eligibleLeaderReplicas = [], lastKnownElr = [] } = topic.partitions[partition.partitionIndex] ?? {};
        // A partition that nobody leads is no error here: its leader is −1.
        return {
          ...partition,
          errorCode: ERROR.NONE,
          eligibleLeaderReplicas: [...eligibleLeaderReplicas],
          lastKnownElr: [...lastKnownElr],
        };
      });
      const common = { errorCode: ERROR.NONE, name, topicId: topic.id, isInternal: INTERNAL_TOPICS.has(name) };
      topics.push({ ...common, partitions, topicAuthorizedOperations: TOPIC_OPERATIONS });
      left -= partitions.length;
      if (first + partitions.length < topic.partitions.length) {
        nextCursor = { topicName: name, partitionIndex: first + partitions.length };
        break;
      }
    }
    answer(request, describeTopicPartitionsResponse, { throttleTimeMs: 0, topics, nextCursor });
    return true;
  };
}

function missingTopic(name: string, errorCode: number, topicAuthorizedOperations: number): Response['topics'][number] {
  return { errorCode, name, topicId: ZERO_UUID, isInternal: INTERNAL_TOPICS.has(name), partitions: [], topicAuthorizedOperations };
}
