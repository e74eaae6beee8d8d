// ListOffsets: the offset at a time, or at one of the named places of a log (−1 latest, −2 earliest, −3 largest timestamp, …).
// Source: the protocol guide; KIP-79, KIP-734 (−3), KIP-405 (−4), KIP-1005 (−5), KIP-1023 (−6).
import type { PartitionCall } from '../../partition/partition-client.ts';
import { LIST_OFFSETS, listOffsetsEntry, listOffsetsReply, READ_COMMITTED, READ_UNCOMMITTED } from '../../partition/partition-messages.ts';
import {
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  listOffsetsRequest,
  listOffsetsResponse,
} from '../../protocol/apis/list-offsets.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type TopicAnswer = ListOffsetsResponse['topics'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

/** First version that knows each named place. */
const SPECIFIER_SINCE: ReadonlyMap<number, number> = new Map([
  [-1, 1],
  [-2, 1],
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
]);

export function listOffsetsHandler(context: BrokerContext): Handler {
  const { metadata, partitions, runtime } = context;
  return (request) => {
    const body = decodeBody(request, listOffsetsRequest);
    if (body.isolationLevel !== READ_UNCOMMITTED && body.isolationLevel !== READ_COMMITTED) {
      answer(request, listOffsetsResponse, refuseAll(body));
      return true;
    }
    const { image } = metadata;
    const count = body.topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
    let call: PartitionCall | null = null;
    const waiting: PartitionAnswer[] = [];
    const topics: TopicAnswer[] = [];
    for (const { name, partitions: asked } of once(body.topics)) {
      const topic = image.topicByName(name);
      const results: PartitionAnswer[] = [];
      topics.push({ name, partitions: results });
      for (const { partitionIndex, timestamp, currentLeaderEpoch, isRepeated } of asked) {
        const partition = topic === null ? null : findPartition(topic, partitionIndex);
        const result: PartitionAnswer = { partitionIndex, errorCode: ERROR.NONE, timestamp: -1, offset: -1, leaderEpoch: -1 };
        results.push(result);
        if (isRepeated) result.errorCode = ERROR.INVALID_REQUEST;
        else if (timestamp < 0 && request.apiVersion < (SPECIFIER_SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
          result.errorCode = ERROR.UNSUPPORTED_VERSION;
        } else if (topic === null || partition === null) result.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else {
          call ??= partitions.begin(LIST_OFFSETS, count, done);
          const at = call.add(workerOf(runtime.workerCount, topic.id, partitionIndex));
          call.requestWords[at] = partition.slot;
          call.requestWords[at + listOffsetsEntry.currentLeaderEpoch] = currentLeaderEpoch;
          call.requestWords[at + listOffsetsEntry.isolation] = body.isolationLevel;
          call.requestFloats[(at + listOffsetsEntry.timestamp) >> 1] = timestamp;
          waiting.push(result);
        }
      }
    }
    if (call === null) answer(request, listOffsetsResponse, { throttleTimeMs: 0, topics });
    else partitions.send(call);
    return true;

    function done(finished: PartitionCall): void {
      waiting.forEach((result, entry) => {
        const at = finished.reply(entry);
        result.errorCode = finished.replyWords[at] as number;
        // Version 1 to 3 cannot carry the epoch, and asking it to would be an error of ours.
        if (request.apiVersion >= 4) result.leaderEpoch = finished.replyWords[at + listOffsetsReply.leaderEpoch] as number;
        result.timestamp = finished.replyFloats[(at + listOffsetsReply.timestamp) >> 1] as number;
        result.offset = finished.replyFloats[(at + listOffsetsReply.offset) >> 1] as number;
      });
      partitions.end(finished);
      answer(request, listOffsetsResponse, { throttleTimeMs: 0, topics });
    }
  };
}

/** What Apache Kafka says of an isolation level that there is not. */
function refuseAll({ topics }: ListOffsetsRequest): ListOffsetsResponse {
  const refused = { errorCode: ERROR.UNKNOWN_SERVER_ERROR, timestamp: -1, offset: -1, leaderEpoch: -1 };
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...refused })),
    })),
  };
}

type PartitionAsked = ListOffsetsRequest['topics'][number]['partitions'][number];

/** The topics of a request, each once and not without partitions; of a partition that is named twice one, which says so. */
function once(topics: ListOffsetsRequest['topics']): { name: string; partitions: (PartitionAsked & { isRepeated: boolean })[] }[] {
  const byName = new Map<string, Map<number, PartitionAsked & { isRepeated: boolean }>>();
  for (const { name, partitions } of topics) {
    const known = byName.get(name) ?? new Map<number, PartitionAsked & { isRepeated: boolean }>();
    if (partitions.length > 0) byName.set(name, known);
    for (const asked of partitions) known.set(asked.partitionIndex, { ...asked, isRepeated: known.has(asked.partitionIndex) });
  }
  return [...byName].map(([name, partitions]) => ({ name, partitions: [...partitions.values()] }));
}
