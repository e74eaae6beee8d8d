// What is asked of logs whose files are not in the page cache: nothing of them is read on the loop, and the answers are those that a log in
// memory would have given.
import { mkdtempSync, readSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MAX_TIMESTAMP } from '../../src/log/named-offsets.ts';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { PartitionClient } from '../../src/partition/partition-client.ts';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import {
  DELETE_RECORDS,
  deleteRecordsEntry,
  FETCH_PLAN,
  fetchEntry,
  fetchReply,
  LIST_OFFSETS,
  listOffsetsEntry,
  listOffsetsReply,
} from '../../src/partition/partition-messages.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { BRINGS_AT_ONCE_MAX } from '../../src/scheduler/cold-reads.ts';
import { createLocalRuntime, type WorkerRuntime } from '../../src/scheduler/worker-runtime.ts';
import { append, batch, NOW_MS, openLog } from '../log/log-fixtures.ts';
import { ColdStorage } from '../support/cold-storage.ts';

const SLOTS = 12;
/** Of batches, a record each. */
const COUNT = 3000;
const SEGMENT_BYTES = 300_000;
const TOPIC_IDS = ['Yh6JWqR4QEKKkBrX6UixQw', 'HbwrFzDRSlKLpRs_d8iVNw'] as const;

let directory = '';
let storage: ColdStorage;
let runtime: WorkerRuntime;
let host: PartitionHost;
let client: PartitionClient;
let failures: string[] = [];
let onStorageFailure: () => void = () => {};
/** Rejects what was asked. */
let unanswered: ((error: Error) => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(process.cwd(), 'node_modules/.cold-'));
  storage = new ColdStorage();
  failures = [];
  onStorageFailure = () => {};
  unanswered = [];
  runtime = createLocalRuntime({
    sharedBytes: partitionRegionBytes(SLOTS, 1),
    storage,
    onFailure: (error) => {
      failures.push(error.message);
      for (const reject of unanswered) reject(error);
    },
  });
  const words = new PartitionWords({ region: runtime.shared, slotCount: SLOTS, workerCount: 1, selfIndex: 0, signal: () => {} });
  host = new PartitionHost(
    runtime,
    words,
    () => 0,
    () => onStorageFailure(),
  );
  client = new PartitionClient(
    runtime.exchange,
    () => 0,
    () => runtime.wake(),
  );
  runtime.open({ onControl() {}, onSupervisor() {}, onConnection() {}, stop: (done) => done() });
  for (const slot of [0, 1]) addLog(slot, COUNT, SEGMENT_BYTES);
});

function addLog(slot: number, count: number, segmentBytes: number): void {
  const path = `${directory}/topic-${slot}`;
  const topicId = TOPIC_IDS[slot] ?? TOPIC_IDS[0];
  const config = { segmentBytes, indexIntervalBytes: 500 };
  const written = openLog({ storage, directory: path, topicId, config });
  for (let n = 0; n < count; n++) append(written, batch({ values: [`${slot}-${n}`.padEnd(300, '.')], timestampMs: NOW_MS + n }));
  written.close({ clean: true });
  const log = openLog({ storage: runtime.storage, directory: path, topicId, config, cleanShutdown: true, recoveryPoint: count });
  expect(log.segmentCount).toBeGreaterThan(3);
  host.add(new LeaderReplica(slot, 'topic', topicId, slot, log, 0, host.words));
}

afterEach(() => {
  expect(failures).toEqual([]);
  for (const replica of host.replicas()) replica.log.closeFiles();
  runtime.close();
  rmSync(directory, { recursive: true, force: true });
});

type Plan = { error: number; descriptor: number; position: number; firstBatchBytes: number };

/** Plans of one fetch, an offset for each partition. */
function plan(...offsets: number[]): Promise<Plan[]> {
  return new Promise((done, reject) => {
    unanswered.push(reject);
    const call = client.begin(FETCH_PLAN, offsets.length, () => {
      const { replyWords, replyFloats } = call;
      done(
        offsets.map((_, slot) => {
          const at = call.reply(slot);
          const word = (field: number): number => replyWords[at + field] as number;
          const position = replyFloats[(at + fetchReply.position) >> 1] as number;
          return { error: word(0), descriptor: word(fetchReply.descriptor), position, firstBatchBytes: word(fetchReply.firstBatchBytes) };
        }),
      );
      client.end(call);
    });
    for (const [slot, offset] of offsets.entries()) {
      const at = call.add(0);
      call.requestWords.fill(0, at, at + call.requestEntryWords);
      call.requestWords[at] = slot;
      call.requestWords[at + fetchEntry.maxBytes] = 10_000;
      call.requestWords[at + fetchEntry.currentLeaderEpoch] = -1;
      call.requestWords[at + fetchEntry.lastFetchedEpoch] = -1;
      call.requestFloats[(at + fetchEntry.fetchOffset) >> 1] = offset;
    }
    client.send(call);
  });
}

function offsetOf(timestamp: number): Promise<{ error: number; offset: number; timestamp: number }> {
  return new Promise((done, reject) => {
    unanswered.push(reject);
    const call = client.begin(LIST_OFFSETS, 1, () => {
      const at = call.reply(0);
      const float = (field: number): number => call.replyFloats[(at + field) >> 1] as number;
      done({
        error: call.replyWords[at] as number,
        offset: float(listOffsetsReply.offset),
        timestamp: float(listOffsetsReply.timestamp),
      });
      client.end(call);
    });
    const at = call.add(0);
    call.requestWords.fill(0, at, at + call.requestEntryWords);
    call.requestWords[at + listOffsetsEntry.currentLeaderEpoch] = -1;
    call.requestFloats[(at + listOffsetsEntry.timestamp) >> 1] = timestamp;
    client.send(call);
  });
}

/** The error of the answer. */
function deleteRecords(slot: number, offset: number): Promise<number> {
  return new Promise((done, reject) => {
    unanswered.push(reject);
    const call = client.begin(DELETE_RECORDS, 1, () => {
      done(call.replyWords[call.reply(0)] as number);
      client.end(call);
    });
    const at = call.add(0);
    call.requestWords.fill(0, at, at + call.requestEntryWords);
    call.requestWords[at] = slot;
    call.requestFloats[(at + deleteRecordsEntry.offset) >> 1] = offset;
    client.send(call);
  });
}

function replica(slot: number): LeaderReplica {
  const found = host.replica(slot);
  if (found === undefined) throw new Error(`no replica ${slot}`);
  return found;
}

/** What a plan leads to begins with the record of that partition and offset. */
function expectRecord(plan: Plan | undefined, slot: number, offset: number): void {
  expect(plan?.error).toBe(ERROR.NONE);
  if (plan === undefined) return;
  const bytes = Buffer.alloc(plan.firstBatchBytes);
  readSync(plan.descriptor, bytes, 0, bytes.length, plan.position);
  expect(bytes.toString('latin1')).toContain(`${slot}-${offset}...`);
}

/** Until questions wait for so many places. */
async function untilHeld(count: number): Promise<void> {
  while ((storage.held?.length ?? 0) < count && failures.length === 0) await new Promise((done) => setImmediate(done));
}

/** The disk answers, now and from here on. */
function release(): void {
  const held = storage.held ?? [];
  storage.held = null;
  for (const end of held) end();
}

test('a fetch of old records is planned by what the pool has read: indexes and headers, of several partitions at a time', async () => {
  storage.evict();
  for (const offset of [1, 700, 701, 1500, 2999]) {
    const plans = await plan(offset, COUNT - offset);
    expectRecord(plans[0], 0, offset);
    expectRecord(plans[1], 1, COUNT - offset);
  }
  const count = storage.brought.length;
  for (const suffix of ['.log', '.index', '.timeindex']) expect(storage.brought.some((path) => path.endsWith(suffix))).toBe(true);
  // What was brought is there: the same once more takes nothing from the disk.
  const [again] = await plan(700, COUNT - 700);
  expectRecord(again, 0, 700);
  expect(storage.brought.length).toBe(count);
  // Gone again, behind a first look-up: an index block and headers.
  storage.evict();
  const [evicted] = await plan(700);
  expectRecord(evicted, 0, 700);
  expect(storage.brought.slice(count).map((path) => extname(path))).toEqual(['.index', '.log']);
});

test('offsets are found by time, and that of the largest, without a read on the loop', async () => {
  for (const n of [0, 1, 1234, 2999]) {
    storage.evict();
    expect(await offsetOf(NOW_MS + n)).toEqual({ error: ERROR.NONE, offset: n, timestamp: NOW_MS + n });
  }
  expect(await offsetOf(NOW_MS + COUNT)).toEqual({ error: ERROR.NONE, offset: -1, timestamp: -1 });
  storage.evict();
  expect(await offsetOf(MAX_TIMESTAMP)).toEqual({ error: ERROR.NONE, offset: COUNT - 1, timestamp: NOW_MS + COUNT - 1 });
  expect(storage.brought.length).toBeGreaterThan(0);
});

test('who asks for what is there is answered meanwhile', async () => {
  await plan(2000);
  storage.evict();
  storage.held = [];
  const cold = plan(700);
  await untilHeld(1);
  expect(await offsetOf(-1)).toEqual({ error: ERROR.NONE, offset: COUNT, timestamp: -1 });
  release();
  expectRecord((await cold)[0], 0, 700);
});

test('a question about many cold partitions leaves jobs of its worker to others, and the answers are right', async () => {
  for (let slot = 2; slot < SLOTS; slot++) addLog(slot, 60, 4000);
  storage.evict();
  storage.held = [];
  let plans: Plan[] | null = null;
  const answers = plan(...Array.from({ length: SLOTS }, (_, slot) => 20 + slot)).then((all) => {
    plans = all;
  });
  // What the first look finds cold is asked for in one turn.
  await untilHeld(BRINGS_AT_ONCE_MAX);
  expect(storage.brought.length).toBe(BRINGS_AT_ONCE_MAX);
  // Another job of the worker ends while the disk has answered nothing.
  await new Promise<void>((done, reject) => {
    unanswered.push(reject);
    runtime.submit(
      () => Promise.resolve(),
      () => done(),
    );
  });
  let endedCount = 0;
  for (; plans === null && failures.length === 0; await new Promise((done) => setImmediate(done))) {
    expect(storage.brought.length - endedCount).toBeLessThanOrEqual(BRINGS_AT_ONCE_MAX);
    const end = storage.held.shift();
    if (end === undefined) continue;
    endedCount++;
    end();
  }
  await answers;
  expect(endedCount).toBeGreaterThan(SLOTS);
  for (let slot = 0; slot < SLOTS; slot++) expectRecord(plans?.[slot], slot, 20 + slot);
});

/** For what reads on the loop, as it may. */
function patiently(task: () => void): void {
  storage.isPatient = true;
  task();
  storage.isPatient = false;
}

const meanwhile: { what: string; happens: () => void; error: number }[] = [
  { what: 'deleted', happens: () => host.remove(0, ({ log }) => log.closeFiles()), error: ERROR.UNKNOWN_TOPIC_OR_PARTITION },
  { what: 'offline', happens: () => host.takeOffline(directory, new Error('gone')), error: ERROR.KAFKA_STORAGE_ERROR },
  { what: 'stopping', happens: () => host.close(), error: ERROR.NOT_LEADER_OR_FOLLOWER },
  { what: 'without these records', happens: () => void replica(0).deleteRecords(1000), error: ERROR.OFFSET_OUT_OF_RANGE },
  { what: 'cut in front of them', happens: () => patiently(() => replica(0).log.truncateTo(500)), error: ERROR.OFFSET_OUT_OF_RANGE },
  {
    what: 'without their segments',
    happens: () => {
      replica(0).deleteRecords(2500);
      replica(0).log.head.deleteTrimmed();
      replica(0).log.head.removeDeleted();
    },
    error: ERROR.OFFSET_OUT_OF_RANGE,
  },
];

test.each(meanwhile)('a log that is $what by the time the disk has answered is asked as it is then', async ({ happens, error }) => {
  storage.evict();
  storage.held = [];
  const answer = plan(700);
  await untilHeld(1);
  happens();
  release();
  expect((await answer)[0]?.error).toBe(error);
});

test('what follows from a failure of the disk may read what is cold', async () => {
  storage.evict();
  storage.isBroken = true;
  let bytes = 0;
  onStorageFailure = () =>
    patiently(() => {
      storage.isBroken = false;
      const file = runtime.storage.open(`${directory}/topic-1/00000000000000000000.log`, 'read');
      bytes = file.read(new Uint8Array(100), 0, 100, 0);
      file.close();
    });
  expect((await plan(700))[0]?.error).toBe(ERROR.KAFKA_STORAGE_ERROR);
  expect(bytes).toBe(100);
});

test('who waits for a log in the directory that a question finds failed is answered as well', async () => {
  host.addUnmade(2, TOPIC_IDS[0], 2, 0, directory);
  storage.evict();
  storage.isBroken = true;
  const [deleted, plans] = await Promise.all([deleteRecords(2, 0), plan(700, 1500)]);
  expect([deleted, ...plans.map(({ error }) => error)]).toEqual(Array(3).fill(ERROR.KAFKA_STORAGE_ERROR));
});

test('what is written and rolled meanwhile changes nothing for who reads in front of it', async () => {
  append(replica(0).log, batch()); // Looks at the first batch of the segment, once.
  storage.evict();
  storage.held = [];
  const answers = [plan(700), plan(0, 1500)];
  await untilHeld(3);
  for (let n = 0; n < 1200; n++) append(replica(0).log, batch({ values: [`later-${n}`.padEnd(300, '.')] }));
  release();
  const [[first] = [], [second, third] = []] = await Promise.all(answers);
  expectRecord(first, 0, 700);
  expectRecord(second, 0, 0);
  expectRecord(third, 1, 1500);
});

test('a question comes to its end on a disk that forgets what it was asked for', async () => {
  storage.evict();
  storage.isForgetful = true;
  storage.isPatient = true;
  const [answer] = await plan(700);
  expectRecord(answer, 0, 700);
});
