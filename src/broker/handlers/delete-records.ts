// DeleteRecords: each partition's owner moves its log start; the answer waits until that is on the medium.
// Source: the protocol guide; KIP-107.
import { INTERNAL_TOPICS } from '../../metadata/topic-names.ts';
import type { PartitionCall } from '../../partition/partition-client.ts';
import { DELETE_RECORDS, deleteRecordsEntry, deleteRecordsReply } from '../../partition/partition-messages.ts';
import { type DeleteRecordsResponse, deleteRecordsRequest, deleteRecordsResponse } from '../../protocol/apis/delete-records.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type TopicAnswer = DeleteRecordsResponse['topics'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

const NO_LOW_WATERMARK = -1;

export function deleteRecordsHandler(context: BrokerContext): Handler {
  const { metadata, partitions, runtime } = context;
  return (request) => {
    const { topics } = decodeBody(request, deleteRecordsRequest);
    const { image } = metadata;
    const count = topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
    const waiting: PartitionAnswer[] = [];
    const answers: TopicAnswer[] = [];
    let call: PartitionCall | null = null;
    for (const [name, offsets] of lastOfEach(topics)) {
      const topic = image.topicByName(name);
      const results: PartitionAnswer[] = [];
      answers.push({ name, partitions: results });
      for (const [partitionIndex, offset] of offsets) {
        const partition = topic === null ? null : findPartition(topic, partitionIndex);
        const result = { partitionIndex, lowWatermark: NO_LOW_WATERMARK, errorCode: ERROR.NONE as number };
        results.push(result);
        if (topic === null || partition === null) result.errorCode = ERROR.UNKNOWN_TOPIC_OR_PARTITION;
        else if (INTERNAL_TOPICS.has(name)) result.errorCode = ERROR.INVALID_TOPIC_EXCEPTION;
        else {
          call ??= partitions.begin(DELETE_RECORDS, count, done);
          const at = call.add(workerOf(runtime.workerCount, topic.id, partitionIndex));
          call.requestWords[at] = partition.slot;
          call.requestFloats[(at + deleteRecordsEntry.offset) >> 1] = offset;
          waiting.push(result);
        }
      }
    }
    if (call === null) answer(request, deleteRecordsResponse, { throttleTimeMs: 0, topics: answers });
    else partitions.send(call);
    return true;

    function done(finished: PartitionCall): void {
      for (const [entry, result] of waiting.entries()) {
        const at = finished.reply(entry);
        result.errorCode = finished.replyWords[at] as number;
        result.lowWatermark = finished.replyFloats[(at + deleteRecordsReply.lowWatermark) >> 1] as number;
      }
      partitions.end(finished);
      answer(request, deleteRecordsResponse, { throttleTimeMs: 0, topics: answers });
    }
  };
}

/** By topic and partition the offset that is named last; topics without partitions are not answered. */
function lastOfEach(topics: readonly { name: string; partitions: readonly { partitionIndex: number; offset: number }[] }[]) {
  const byName = new Map<string, Map<number, number>>();
  for (const { name, partitions } of topics) {
    if (partitions.length === 0) continue;
    const known = byName.get(name) ?? new Map<number, number>();
    byName.set(name, known);
    for (const { partitionIndex, offset } of partitions) known.set(partitionIndex, offset);
  }
  return byName;
}
