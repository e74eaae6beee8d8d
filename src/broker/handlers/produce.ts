// Produce: finds each batch's partition, sends the owners where the bytes lie, answers when all of them have.
// The batches stay where the socket's reads put them; nothing is copied here.
// Source: the protocol guide; KIP-98 (idempotence), KIP-110 (zstd), KIP-467 (record errors), KIP-516 (topic ids).
import { ZERO_UUID } from '../../base/uuid.ts';
import { INTERNAL_TOPICS } from '../../metadata/topic-names.ts';
import type { IncomingRequest } from '../../network/incoming-request.ts';
import type { PartitionCall } from '../../partition/partition-client.ts';
import { PRODUCE, produceEntry, produceReply } from '../../partition/partition-messages.ts';
import { readRefusal } from '../../partition/refusal-text.ts';
import { type ProduceRequest, type ProduceResponse, produceRequest, produceResponse } from '../../protocol/apis/produce.ts';
import { ERROR, errorName } from '../../protocol/errors.ts';
import {
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  batchSizeBytes,
  COMPRESSION,
  compressionType,
  isTransactional,
  readMagic,
} from '../../protocol/records/batch.ts';
import type { RecordsRange } from '../../protocol/schema.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import { withoutRepeats } from '../produce-repeats.ts';
import { findPartition, findTopic } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type TopicAnswer = ProduceResponse['responses'][number];
type PartitionAnswer = TopicAnswer['partitionResponses'][number];

const NO_ACKS = 0;
/** Kafka's own name for a client that may write to the coordinators' topics. */
const ADMIN_CLIENT_ID = '__admin_client';
/** From here on an unknown topic is UNKNOWN_TOPIC_ID. */
const TOPIC_IDS_SINCE = 13;
/** A producer of an older version is not to send zstd: consumers of its time cannot read it (KIP-110). */
const ZSTD_SINCE = 7;

/** Refusals that do not tell where the log starts, in Apache Kafka's answers. */
const ANSWERED_WITHOUT_LOG: ReadonlySet<number> = new Set([
  ERROR.CORRUPT_MESSAGE,
  ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  ERROR.NOT_LEADER_OR_FOLLOWER,
  ERROR.MESSAGE_TOO_LARGE,
  ERROR.RECORD_LIST_TOO_LARGE,
  ERROR.KAFKA_STORAGE_ERROR,
]);

/** Of every answer that has none; shared, since there is one for each batch that comes, and nobody writes to them. */
const NO_RECORD_ERRORS: PartitionAnswer['recordErrors'] = [];
const NO_LEADER: PartitionAnswer['currentLeader'] = { leaderId: -1, leaderEpoch: -1 };

export function produceHandler(context: BrokerContext): Handler {
  const { metadata, partitions, runtime } = context;
  return (request) => {
    const body = decodeBody(request, produceRequest);
    // A transactional id alone promises nothing: only batches that say so belong to a transaction.
    if (hasTransactionalBatch(request, body)) {
      // There is no transaction coordinator here: nobody can have begun the transaction.
      finish(request, body, refuseAll(body, ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
      return true;
    }
    const { image } = metadata;
    const areAcksKnown = body.acks >= -1 && body.acks <= 1;
    let call: PartitionCall | null = null;
    /** Entries of the call that are not one batch of today's format: rare. */
    let oddEntries: Set<number> | null = null;
    const responses = withoutRepeats(body.topicData).map(({ name, topicId, partitionData }): TopicAnswer => {
      const topic = findTopic(image, name, topicId);
      const isClosed = topic !== null && INTERNAL_TOPICS.has(topic.name) && request.clientId !== ADMIN_CLIENT_ID;
      const partitionResponses = partitionData.map(({ index, records }): PartitionAnswer => {
        const partition = topic === null ? null : findPartition(topic, index);
        if (topic === null || partition === null) {
          const isIdUnknown = topic === null && request.apiVersion >= TOPIC_IDS_SINCE;
          return emptyAnswer(index, isIdUnknown ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION);
        }
        if (records === null || records.length === 0) {
          return emptyAnswer(index, ERROR.INVALID_RECORD, 'A produce request must have one record batch per partition');
        }
        const { position, length } = records as RecordsRange;
        const isWhole = isOneBatch(request.bytes, position, length);
        if (request.apiVersion < ZSTD_SINCE && isWhole && compressionType(request.bytes, position) === COMPRESSION.ZSTD) {
          return emptyAnswer(index, ERROR.UNSUPPORTED_COMPRESSION_TYPE);
        }
        if (!areAcksKnown) return emptyAnswer(index, ERROR.INVALID_REQUIRED_ACKS);
        if (isClosed) return emptyAnswer(index, ERROR.INVALID_TOPIC_EXCEPTION);
        call ??= partitions.begin(PRODUCE, countPartitions(body), onDone);
        if (!isWhole) {
          oddEntries ??= new Set();
          oddEntries.add(call.count);
        }
        const at = call.add(workerOf(runtime.workerCount, topic.id, index));
        call.requestWords[at] = partition.slot;
        call.requestWords[at + produceEntry.position] = position;
        call.requestWords[at + produceEntry.length] = length;
        return emptyAnswer(index, ERROR.NONE);
      });
      return { name, topicId, partitionResponses };
    });
    if (call === null) finish(request, body, responses);
    else partitions.send(call);
    return true;

    function onDone(done: PartitionCall): void {
      let entry = 0;
      for (const { partitionResponses } of responses) {
        for (const answer of partitionResponses) {
          if (answer.errorCode !== ERROR.NONE) continue; // Refused above: no entry of the call.
          fill(answer, done, entry, request.bytes, oddEntries?.has(entry) ?? false);
          entry++;
        }
      }
      partitions.end(done);
      finish(request, body, responses);
    }
  };
}

/** What the owner says of an entry of the call. `isOdd`: the entry is not one batch of today's format. */
function fill(answer: PartitionAnswer, call: PartitionCall, entry: number, bytes: Uint8Array, isOdd: boolean): void {
  const at = call.reply(entry);
  answer.errorCode = call.replyWords[at] as number;
  answer.baseOffset = call.replyFloats[(at + produceReply.baseOffset) >> 1] as number;
  answer.logAppendTimeMs = call.replyFloats[(at + produceReply.logAppendTimeMs) >> 1] as number;
  answer.logStartOffset = call.replyFloats[(at + produceReply.logStartOffset) >> 1] as number;
  if (answer.errorCode === ERROR.NONE) return;
  if (ANSWERED_WITHOUT_LOG.has(answer.errorCode) || (answer.errorCode === ERROR.INVALID_RECORD && isOdd)) answer.logStartOffset = -1;
  const { errorMessage, recordErrors } = readRefusal(
    bytes,
    call.requestWords[entry * call.requestEntryWords + produceEntry.position] as number,
    call.replyWords[at + produceReply.refusalBytes] as number,
  );
  answer.errorMessage = errorMessage;
  answer.recordErrors = recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }));
}

/** acks=0 hears nothing; an error then closes the connection, so that the producer learns of it and looks for new metadata. */
function finish(request: IncomingRequest, body: ProduceRequest, responses: TopicAnswer[]): void {
  if (body.acks !== NO_ACKS) {
    answer(request, produceResponse, { responses, throttleTimeMs: 0, nodeEndpoints: [] });
    return;
  }
  for (const { name, topicId, partitionResponses } of responses) {
    const failed = partitionResponses.find((partition) => partition.errorCode !== ERROR.NONE);
    if (failed === undefined) continue;
    const topic = topicId === ZERO_UUID ? name : topicId;
    request.close(`Produce with acks=0 to ${topic}-${failed.index} failed: ${errorName(failed.errorCode)} ${failed.errorMessage ?? ''}`);
    return;
  }
  request.noReply();
}

/** What every producer since 0.11 sends: one batch of today's format and nothing else. */
function isOneBatch(bytes: Uint8Array, position: number, length: number): boolean {
  return length >= BATCH_OVERHEAD_BYTES && batchSizeBytes(bytes, position) === length && readMagic(bytes, position) === BATCH_MAGIC;
}

function emptyAnswer(index: number, errorCode: number, errorMessage: string | null = null): PartitionAnswer {
  return {
    index,
    errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: NO_RECORD_ERRORS,
    errorMessage,
    currentLeader: NO_LEADER,
  };
}

function refuseAll(body: ProduceRequest, errorCode: number): TopicAnswer[] {
  return withoutRepeats(body.topicData).map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => emptyAnswer(index, errorCode)),
  }));
}

function countPartitions(body: ProduceRequest): number {
  let count = 0;
  for (const { partitionData } of body.topicData) count += partitionData.length;
  return count;
}

function hasTransactionalBatch(request: IncomingRequest, body: ProduceRequest): boolean {
  for (const { partitionData } of body.topicData) {
    for (const { records } of partitionData) {
      if (records === null || records.length < BATCH_OVERHEAD_BYTES) continue;
      if (isTransactional(request.bytes, (records as RecordsRange).position)) return true;
    }
  }
  return false;
}
