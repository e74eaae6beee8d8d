// What a worker knows of the tails that its consumers follow: when that answers a fetch without the owner, and when it is forgotten.
import { beforeEach, expect, test } from 'vitest';
import { AbortedTransactions } from '../../src/broker/aborted-transactions.ts';
import { BEGUN, FetchAnswer } from '../../src/broker/fetch-answer.ts';
import { type FetchPartition, FetchSessions } from '../../src/broker/fetch-sessions.ts';
import { PendingFetch } from '../../src/broker/pending-fetch.ts';
import { createSegmentReader } from '../../src/broker/segment-reader.ts';
import { TailLeases } from '../../src/broker/tail-leases.ts';
import { WaitingFetches } from '../../src/broker/waiting-fetches.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { MetadataActor } from '../../src/metadata/metadata-actor.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { encodeRecordBatch } from '../../src/metadata/record-batch.ts';
import { PartitionCall, PartitionClient } from '../../src/partition/partition-client.ts';
import { FETCH_PLAN, fetchReply } from '../../src/partition/partition-messages.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import type { FetchRequest } from '../../src/protocol/apis/fetch.ts';
import { createLocalRuntime } from '../../src/scheduler/worker-runtime.ts';
import { batch } from '../log/log-fixtures.ts';

const SLOTS = 8;
const DESCRIPTOR = 77;
const TOPIC_IDS = ['Yh6JWqR4QEKKkBrX6UixQw', 'HbwrFzDRSlKLpRs_d8iVNw'] as const;
const BODY = { maxBytes: 1 << 20, isolationLevel: 0 } as FetchRequest;

let words: PartitionWords;
let metadata: MetadataActor;
let leases: TailLeases;

beforeEach(() => {
  const region = new SharedArrayBuffer(partitionRegionBytes(SLOTS, 1));
  words = new PartitionWords({ region, slotCount: SLOTS, workerCount: 1, selfIndex: 0, signal: () => {} });
  metadata = new MetadataActor({ clusterId: 'leases', workerIndex: 0, sendApplied: () => {} });
  leases = new TailLeases(words, metadata);
});

/** The owner has written up to `end`, `position` bytes of the segment that begins with `segment`. */
function publish(slot: number, end: number, position: number, { segment = 0, start = 0, stable = end, epoch = 0 } = {}): void {
  const log = { writtenEnd: end, liveSegmentBaseOffset: segment, liveSegmentSizeBytes: position };
  words.publish(slot, epoch, start, stable, end, log);
}

function learn(slot: number, offset: number, position: number): void {
  leases.learn(slot, words.stateVersion(slot), DESCRIPTOR, words.liveSegment(slot), offset, position);
}

/** What a fetch from `fetchOffset` is told without a question to the owner; null where he must be asked. */
function planned(slot: number, fetchOffset: number, asked: Partial<FetchPartition> = {}, body: Partial<FetchRequest> = {}) {
  const call = new PartitionCall(FETCH_PLAN, 1);
  const partition = { fetchOffset, partitionMaxBytes: 1 << 20, currentLeaderEpoch: -1, lastFetchedEpoch: -1, ...asked };
  if (!leases.plan(call, slot, partition as FetchPartition, { ...BODY, ...body }, 1 << 20)) {
    expect(call.count).toBe(0); // The entry is the owner's to fill.
    return null;
  }
  const at = call.reply(0);
  return {
    descriptor: call.replyWords[at + fetchReply.descriptor],
    position: call.replyFloats[(at + fetchReply.position) >> 1],
    length: call.replyWords[at + fetchReply.length],
    highWatermark: call.replyFloats[(at + fetchReply.highWatermark) >> 1],
  };
}

function apply(...records: MetadataRecord[]): void {
  const baseOffset = metadata.appliedOffset;
  const bytes = encodeRecordBatch(records, { baseOffset, leaderEpoch: 1, timestampMs: 0 });
  metadata.receive({ type: 'metadata-batch', bytes, endOffset: baseOffset + records.length, epoch: 1 });
}

/** A topic of two partitions; their slots. */
function makeTopic(name: string, topicId: string): number[] {
  const partition = (partitionId: number): MetadataRecord => ({
    type: 'PartitionRecord',
    ...{ partitionId, topicId, replicas: [1], isr: [1], removingReplicas: [], addingReplicas: [], leader: 1, leaderRecoveryState: 0 },
    ...{ leaderEpoch: 0, partitionEpoch: 0, directories: [topicId], eligibleLeaderReplicas: null, lastKnownElr: null },
  });
  apply({ type: 'TopicRecord', name, topicId }, partition(0), partition(1));
  return metadata.image.topicByName(name)?.partitions.map(({ slot }) => slot) ?? [];
}

test('a consumer that follows the tail is answered without the owner, records and all', () => {
  publish(0, 10, 1000);
  expect(planned(0, 10)).toBeNull();
  learn(0, 10, 1000);
  expect(planned(0, 10)).toEqual({ descriptor: -1, position: 1000, length: 0, highWatermark: 10 });
  for (let end = 11; end < 40; end++) {
    publish(0, end, end * 100);
    expect(planned(0, end - 1)).toEqual({ descriptor: DESCRIPTOR, position: (end - 1) * 100, length: 100, highWatermark: end });
    learn(0, end, end * 100); // As the answer's last batch teaches.
  }
});

test('an answer that reaches the tail teaches where the next fetch begins', () => {
  const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: (error) => expect.unreachable(String(error)) });
  const storage = new MemoryStorage();
  const file = storage.open('log', 'create');
  const batches = [batch({ values: ['a', 'b'] }), batch({ values: ['c'], baseOffset: 2 })];
  const sizeBytes = file.writeGathered(batches, 0);
  publish(0, 3, sizeBytes);
  const call = new PartitionCall(FETCH_PLAN, 1);
  call.add(0);
  const at = call.reply(0); // What its owner says: all of it.
  call.replyWords[at + fetchReply.descriptor] = file.descriptor;
  call.replyWords[at + fetchReply.length] = sizeBytes;
  call.replyWords[at + fetchReply.firstBatchBytes] = batches[0]?.length ?? 0;
  call.replyWords[at + fetchReply.divergingEpoch] = -1;
  call.replyFloats[(at + fetchReply.highWatermark) >> 1] = 3;
  const partition: FetchPartition = {
    ...{ topic: 't', topicId: TOPIC_IDS[0], partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 },
    ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1, knownHighWatermark: -1, knownLogStartOffset: -1 },
  };
  const answer = new FetchAnswer(
    words,
    leases,
    new AbortedTransactions(storage, () => null),
    createSegmentReader(runtime),
    BODY,
    { errorCode: 0, sessionId: 0, isIncremental: false, partitions: [partition] },
    [{ partition, error: 0, isMissing: false, isNew: false, slot: 0, index: 0 }],
    call,
    metadata.image,
    'PLAINTEXT',
  );
  const replyBytes = Buffer.alloc(1 << 16);
  const request = { apiVersion: 11, replyBytes, connection: { sendsFiles: false }, tryBeginReply: () => 0 };
  expect(answer.begin(request as never)).toBe(BEGUN);
  const ends: boolean[] = [];
  answer.read(replyBytes, (isWhole) => ends.push(isWhole));
  expect(ends).toEqual([true]);
  expect(planned(0, 3)).toEqual({ descriptor: -1, position: sizeBytes, length: 0, highWatermark: 3 });
  runtime.close();
});

test('the owner is asked where the tail does not suffice', () => {
  publish(0, 10, 1000);
  learn(0, 10, 1000);
  publish(0, 12, 1200, { stable: 11, epoch: 3 });
  expect(planned(0, 10)).not.toBeNull();
  expect(planned(0, 9), 'a seek').toBeNull();
  expect(planned(0, 10, { partitionMaxBytes: 199 }), 'a limit that cuts').toBeNull();
  expect(planned(0, 10, {}, { maxBytes: 199 }), 'a limit that cuts').toBeNull();
  expect(planned(0, 10, {}, { isolationLevel: 1 }), 'an open transaction').toBeNull();
  expect(planned(0, 10, { currentLeaderEpoch: 2 }), 'another epoch').toBeNull();
  expect(planned(0, 10, { currentLeaderEpoch: 3 })).not.toBeNull();
  expect(planned(0, 10, { lastFetchedEpoch: 3 }), 'a question about divergence').toBeNull();
  publish(0, 13, 100, { segment: 12 });
  expect(planned(0, 10), 'another segment').toBeNull();
  learn(0, 13, 100);
  expect(planned(0, 13)).not.toBeNull();
  words.raiseStateVersion(0);
  expect(planned(0, 13), 'another state').toBeNull();
});

test('what DeleteRecords has taken is not served, though its place in the file is remembered', () => {
  publish(0, 10, 1000);
  learn(0, 10, 1000);
  publish(0, 12, 1200);
  learn(0, 12, 1200);
  publish(0, 14, 1400, { start: 11 });
  expect(planned(0, 10)).toBeNull();
  expect(planned(0, 12)).toMatchObject({ position: 1200, length: 200 });
});

test('what is known of a topic goes with it, and a read that ends later does not bring it back', () => {
  const [first = -1, second = -1] = makeTopic('short', TOPIC_IDS[0]);
  const [other = -1] = makeTopic('long', TOPIC_IDS[1]);
  for (const slot of [first, second, other]) {
    publish(slot, 10, 1000);
    learn(slot, 10, 1000);
  }
  expect(leases.count).toBe(3);
  const stateVersion = words.stateVersion(first);
  words.raiseStateVersion(first); // Its owner, who hears of it first.
  apply({ type: 'RemoveTopicRecord', topicId: TOPIC_IDS[0] });
  expect(leases.count).toBe(1);
  expect(planned(other, 10)).not.toBeNull();
  leases.learn(first, stateVersion, DESCRIPTOR, 0, 11, 1100);
  expect(leases.count).toBe(1);
});

test('what a lease finds is looked for in the page cache, unless it came while the fetch was waiting for it', () => {
  const runtime = createLocalRuntime({ sharedBytes: 64, onFailure: (error) => expect.unreachable(String(error)) });
  const [slot = -1] = makeTopic('tail', TOPIC_IDS[0]);
  const file = new MemoryStorage().open('log', 'create');
  const batches = [10, 11, 12, 13].map((baseOffset) => batch({ values: [`${baseOffset}`], baseOffset }));
  const sizeBytes = batches[0]?.length ?? 0;
  file.writeGathered(batches, 0);
  publish(slot, 10, 0);
  for (const [i] of batches.entries()) leases.learn(slot, words.stateVersion(slot), file.descriptor, 0, 10 + i, i * sizeBytes);
  const looked: number[] = [];
  const real = createSegmentReader(runtime);
  const waiting = new WaitingFetches(runtime, words);
  const context = {
    ...{ runtime, metadata, words, config: { listeners: [] } },
    partitions: new PartitionClient(
      runtime.exchange,
      () => 0,
      () => {},
    ),
    reader: {
      ...real,
      isCached: (_descriptor: number, position: number) => {
        looked.push(position / sizeBytes);
        return true;
      },
    },
  };
  const aborted = new AbortedTransactions(new MemoryStorage(), () => null);
  const state = { sessions: new FetchSessions(1, { below: () => 0, fill: () => {} }), waiting, leases, aborted };
  let answered = 0;
  const fetchFrom = (fetchOffset: number, minBytes = 1): PendingFetch => {
    const partition: FetchPartition = {
      ...{ topic: 'tail', topicId: TOPIC_IDS[0], partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 },
      ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1, knownHighWatermark: -1, knownLogStartOffset: -1 },
    };
    const request = {
      ...{
        apiVersion: 11,
        replyBytes: Buffer.alloc(1 << 16),
        connection: { sendsFiles: false, isClosed: false, listener: 0, state: null },
      },
      ...{ tryBeginReply: () => 0, noteError: () => {}, endReply: () => answered++ },
    };
    const body = { ...BODY, minBytes, maxWaitMs: 60_000, replicaId: -1, replicaState: { replicaId: -1 } };
    const plan = { errorCode: 0, sessionId: 0, isIncremental: false, partitions: [partition] };
    const fetch = new PendingFetch(context as never, state, request as never, body as never, plan);
    fetch.start();
    return fetch;
  };
  publish(slot, 11, sizeBytes);
  fetchFrom(10); // It was there already, nobody knows for how long.
  expect([answered, looked]).toEqual([1, [0]]);
  const atEnd = fetchFrom(11);
  expect(answered).toBe(1);
  publish(slot, 12, 2 * sizeBytes);
  waiting.remove(atEnd);
  atEnd.wake();
  expect([answered, looked]).toEqual([2, [0]]);
  const behindEnd = fetchFrom(11, 2 * sizeBytes); // Half of it was there.
  expect(answered).toBe(2);
  publish(slot, 13, 3 * sizeBytes);
  waiting.remove(behindEnd);
  behindEnd.wake();
  expect([answered, looked]).toEqual([3, [0, 1]]);
  runtime.close();
});
