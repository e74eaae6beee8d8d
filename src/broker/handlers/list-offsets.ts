// ListOffsets: the offset at a time, or at one of the named places of a log (−1 latest, −2 earliest, −3 largest timestamp, …).
// Source: the protocol guide; KIP-79, KIP-734 (−3), KIP-405 (−4), KIP-1005 (−5), KIP-1023 (−6).
import type { PartitionCall } from '../../partition/partition-client.ts';
import { LIST_OFFSETS, listOffsetsEntry, listOffsetsReply } from '../../partition/partition-messages.ts';
import { type ListOffsetsResponse, listOffsetsRequest, listOffsetsResponse } from '../../protocol/apis/list-offsets.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type PartitionAnswer = ListOffsetsResponse['topics'][number]['partitions'][number];

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
    const { image } = metadata;
    const seen = new Set<string>();
    const duplicates = new Set<string>();
    for (const { name, partitions: asked } of body.topics) {
      for (const { partitionIndex } of asked) {
        const key = `${name}-${partitionIndex}`;
        if (seen.has(key)) duplicates.add(key);
        seen.add(key);
      }
    }
    let call: PartitionCall | null = null;
    const waiting: PartitionAnswer[] = [];
    const topics = body.topics.map(({ name, partitions: asked }) => ({
      name,
      partitions: firstOfEach(asked).map(({ partitionIndex, timestamp, currentLeaderEpoch }) => {
        const topic = image.topicByName(name);
        const partition = topic === null ? null : findPartition(topic, partitionIndex);
        const result: PartitionAnswer = { partitionIndex, errorCode: ERROR.NONE, timestamp: -1, offset: -1, leaderEpoch: -1 };
        if (duplicates.has(`${name}-${partitionIndex}`)) result.errorCode = ERROR.INVALID_REQUEST;
        else if (timestamp < 0 && request.apiVersion < (SPECIFIER_SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
          result.errorCode = ERROR.UNSUPPORTED_VERSION;
        } else if (topic === null || partition === null) result.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else {
          call ??= partitions.begin(LIST_OFFSETS, seen.size, done);
          const at = call.add(workerOf(runtime.workerCount, topic.id, partitionIndex));
          call.requestWords[at] = partition.slot;
          call.requestWords[at + listOffsetsEntry.currentLeaderEpoch] = currentLeaderEpoch;
          call.requestWords[at + listOffsetsEntry.isolation] = body.isolationLevel;
          call.requestFloats[(at + listOffsetsEntry.timestamp) >> 1] = timestamp;
          waiting.push(result);
        }
        return result;
      }),
    }));
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

/** A partition that is named twice is answered once. */
function firstOfEach<P extends { readonly partitionIndex: number }>(asked: readonly P[]): P[] {
  const seen = new Set<number>();
  return asked.filter(({ partitionIndex }) => !seen.has(partitionIndex) && seen.add(partitionIndex));
}
