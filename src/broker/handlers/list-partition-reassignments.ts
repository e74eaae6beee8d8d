// ListPartitionReassignments: the partitions whose replicas are on their way to other brokers.
// Source: KIP-455.
import {
  type ListPartitionReassignmentsResponse,
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from '../../protocol/apis/list-partition-reassignments.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type TopicAnswer = ListPartitionReassignmentsResponse['topics'][number];

export function listPartitionReassignmentsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { image } = context.metadata;
    const asked = decodeBody(request, listPartitionReassignmentsRequest).topics;
    const topics: TopicAnswer[] = [];
    const add = (name: string, indexes: Iterable<number>): void => {
      const topic = image.topicByName(name);
      if (topic === null) return;
      const partitions: TopicAnswer['partitions'] = [];
      for (const partitionIndex of indexes) {
        const partition = findPartition(topic, partitionIndex);
        if (partition === null || partition.addingReplicas.length + partition.removingReplicas.length === 0) continue;
        const { replicas, addingReplicas, removingReplicas } = partition;
        partitions.push({
          partitionIndex,
          replicas: [...replicas],
          addingReplicas: [...addingReplicas],
          removingReplicas: [...removingReplicas],
        });
      }
      if (partitions.length > 0) topics.push({ name, partitions });
    };
    if (asked === null) for (const { name, partitions } of image.topics) add(name, partitions.keys());
    else for (const { name, partitionIndexes } of asked) add(name, partitionIndexes);
    answer(request, listPartitionReassignmentsResponse, { throttleTimeMs: 0, errorCode: ERROR.NONE, errorMessage: null, topics });
    return true;
  };
}
