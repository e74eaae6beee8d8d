// OffsetForLeaderEpoch: where a leader epoch ends in a log, for clients that look for a truncation.
// Source: KIP-101, KIP-320.
import type { PartitionCall } from '../../partition/partition-client.ts';
import { EPOCH_END, epochEndEntry, epochEndReply } from '../../partition/partition-messages.ts';
import {
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpochRequest,
  offsetForLeaderEpochResponse,
} from '../../protocol/apis/offset-for-leader-epoch.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type PartitionAnswer = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number];

export function offsetForLeaderEpochHandler(context: BrokerContext): Handler {
  const { metadata, partitions, runtime } = context;
  return (request) => {
    const body = decodeBody(request, offsetForLeaderEpochRequest);
    const count = body.topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
    let call: PartitionCall | null = null;
    const waiting: PartitionAnswer[] = [];
    const topics = body.topics.map(({ topic: name, partitions: asked }) => ({
      topic: name,
      partitions: asked.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const topic = metadata.image.topicByName(name);
        const partition = topic === null ? null : findPartition(topic, index);
        const result: PartitionAnswer = { partition: index, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, leaderEpoch: -1, endOffset: -1 };
        if (topic !== null && partition !== null) {
          call ??= partitions.begin(EPOCH_END, count, done);
          const at = call.add(workerOf(runtime.workerCount, topic.id, index));
          call.requestWords[at] = partition.slot;
          call.requestWords[at + epochEndEntry.currentLeaderEpoch] = currentLeaderEpoch;
          call.requestWords[at + epochEndEntry.leaderEpoch] = leaderEpoch;
          waiting.push(result);
        }
        return result;
      }),
    }));
    if (call === null) answer(request, offsetForLeaderEpochResponse, { throttleTimeMs: 0, topics });
    else partitions.send(call);
    return true;

    function done(finished: PartitionCall): void {
      waiting.forEach((result, entry) => {
        const at = finished.reply(entry);
        result.errorCode = finished.replyWords[at] as number;
        result.leaderEpoch = finished.replyWords[at + epochEndReply.leaderEpoch] as number;
        result.endOffset = finished.replyFloats[(at + epochEndReply.endOffset) >> 1] as number;
      });
      partitions.end(finished);
      answer(request, offsetForLeaderEpochResponse, { throttleTimeMs: 0, topics });
    }
  };
}
