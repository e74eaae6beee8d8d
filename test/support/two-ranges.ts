// A fetch of two partitions whose owners have planned it: what is left to do is the answer.
import { randomBytes } from 'node:crypto';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIB } from '../../src/base/units.ts';
import { AbortedTransactions } from '../../src/broker/aborted-transactions.ts';
import { FetchAnswer, type FetchEntry } from '../../src/broker/fetch-answer.ts';
import type { FetchPartition } from '../../src/broker/fetch-sessions.ts';
import type { SegmentReader } from '../../src/broker/segment-reader.ts';
import { TailLeases } from '../../src/broker/tail-leases.ts';
import { FileStorage } from '../../src/log/file-storage.ts';
import { ClusterImage } from '../../src/metadata/image.ts';
import { PartitionCall } from '../../src/partition/partition-client.ts';
import { FETCH_PLAN, fetchReply } from '../../src/partition/partition-messages.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import type { FetchRequest } from '../../src/protocol/apis/fetch.ts';

/** A file of 4 MiB of random bytes, and what a fetch of the first and the third MiB of it (or the beginnings of them), of slots 0 and 1, looks like to FetchAnswer. */
export function twoRanges(
  directory: string,
  name: string,
  reader: SegmentReader = {} as SegmentReader,
  { isLeased = false, isNew = false, length = MIB } = {},
): { bytes: Buffer; path: string; descriptor: number; answer: FetchAnswer; words: PartitionWords } {
  const bytes = randomBytes(4 * MIB);
  const path = join(directory, name);
  writeFileSync(path, bytes);
  const descriptor = openSync(path, 'r');
  const region = new SharedArrayBuffer(partitionRegionBytes(8, 1));
  const words = new PartitionWords({ region, slotCount: 8, workerCount: 1, selfIndex: 0, signal: () => {} });
  const call = new PartitionCall(FETCH_PLAN, 8);
  const entries: FetchEntry[] = [0, 1].map((partition) => {
    call.add(0);
    const at = call.reply(partition);
    call.replyWords[at + fetchReply.descriptor] = descriptor;
    call.replyWords[at + fetchReply.length] = length;
    call.replyWords[at + fetchReply.firstBatchBytes] = length;
    call.replyWords[at + fetchReply.divergingEpoch] = -1;
    call.replyWords[at + fetchReply.isLeased] = isLeased ? 1 : 0;
    call.replyFloats[(at + fetchReply.position) >> 1] = 2 * partition * MIB;
    const asked: FetchPartition = {
      topic: 't',
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
      partition,
      fetchOffset: 0,
      partitionMaxBytes: MIB,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      knownHighWatermark: -1,
      knownLogStartOffset: -1,
    };
    return { partition: asked, error: 0, isMissing: false, isNew, slot: partition, index: partition };
  });
  const plan = { errorCode: 0, sessionId: 0, isIncremental: false, partitions: entries.map((entry) => entry.partition) };
  const answer = new FetchAnswer(
    words,
    new TailLeases(words, { onChange: () => {} }),
    new AbortedTransactions(new FileStorage(), (topic, partition) => `${directory}/${topic}-${partition}`),
    reader,
    { maxBytes: 8 * MIB, isolationLevel: 0 } as FetchRequest,
    plan,
    entries,
    call,
    new ClusterImage('cold'),
    'PLAINTEXT',
  );
  return { bytes, path, descriptor, answer, words };
}

/** The part of an IncomingRequest that an answer uses, which lies at `position`; −1: there is no memory for it. */
export function answerRequest(position = 0): {
  apiVersion: number;
  replyBytes: Buffer;
  connection: { sendsFiles: boolean };
  tryBeginReply: (sizeBytes: number) => number;
} {
  const replyBytes = Buffer.from(new SharedArrayBuffer(4 * MIB));
  return { apiVersion: 11, replyBytes, connection: { sendsFiles: false }, tryBeginReply: () => position };
}
