// One shard over a real log in memory: what it decides is appended and replayed, answers come in their order and not before the write,
// a failure drops it whole, and it is loaded again from what the log holds.
import { afterEach, describe, expect, it } from 'vitest';
import { RECORD_OVERHEAD_BYTES } from '../../src/coordinator/shard.ts';
import { createReadPlan } from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import type { Storage } from '../../src/log/storage.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { BATCH_OVERHEAD_BYTES, COMPRESSION, recomputeCrc } from '../../src/protocol/records/batch.ts';
import { BatchBuilder, type BatchOptions } from '../../src/protocol/records/batch-builder.ts';
import { buildControlBatch, CONTROL_TYPE } from '../../src/protocol/records/control.ts';
import type { Record } from '../../src/protocol/records/record.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import { FaultyStorage } from '../log/faulty-storage.ts';
import { encodeRecord } from '../support/record-bytes.ts';
import { type ToyApp, toyTopic } from './toy-app.ts';
import { type BenchOptions, ToyBench, until } from './toy-bench.ts';
import { OVERSIZED, type ToyRecord, type ToyShard, toyCodec } from './toy-shard.ts';

const benches: ToyBench[] = [];

async function start(options: BenchOptions = {}): Promise<ToyBench> {
  const bench = await ToyBench.start(options);
  benches.push(bench);
  return bench;
}

afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop();
});

/** The records of a partition's log, and how many batches they are in. */
function logged(app: ToyApp, partition: number): { records: readonly Record[]; batchCount: number } {
  const log = app.logs.get(partition);
  if (log === undefined) throw new Error(`no log ${partition}`);
  const bytes = new Uint8Array(log.sizeBytes());
  const plan = createReadPlan();
  log.planRead(0, bytes.length, log.writtenEnd, true, plan);
  plan.file?.read(bytes, 0, plan.length, plan.position);
  let batchCount = 0;
  for (let at = 0; at < plan.length; batchCount++) at += 12 + Buffer.from(bytes.buffer).readInt32BE(at + 8);
  return { records: readAllRecords(bytes, 0, plan.length), batchCount };
}

function shardOf(bench: ToyBench, partition = 0): ToyShard {
  const shard = bench.local.shards.get(partition);
  if (shard === undefined) throw new Error(`no shard ${partition}`);
  return shard;
}

function texts(records: readonly Record[]): [string, string | null][] {
  return records.map(({ key, value }) => [
    Buffer.from(key?.subarray(2) ?? []).toString(),
    value === null ? null : Buffer.from(value).toString(),
  ]);
}

describe('a decision', () => {
  it('is in the log and in the state when it is answered', async () => {
    const bench = await start();
    expect(await bench.keep(0, 'a', 'one')).toMatchObject({ errorCode: 0, assignment: new Uint8Array(Buffer.from('one')) });
    expect(texts(logged(bench.local, 0).records)).toEqual([['a', 'one']]);
    expect(shardOf(bench).state.get('a')).toBe('one');
    expect(await bench.has(0, 'a')).toMatchObject({ errorCode: ERROR.NONE });
    expect(await bench.has(0, 'b')).toMatchObject({ errorCode: ERROR.UNKNOWN_MEMBER_ID });
    expect(await bench.has(1, 'a')).toMatchObject({ errorCode: ERROR.UNKNOWN_MEMBER_ID });
  });

  it('of one turn leaves in one write with the others, and answers keep the order of the questions', async () => {
    const storage = new FaultyStorage();
    const bench = await start({ storage });
    const writes = storage.counts.writes;
    const answers = [bench.keep(0, 'a', '1'), bench.has(0, 'a'), bench.keep(0, 'b', '2'), bench.has(0, 'b'), bench.has(0, 'c')];
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 0, ERROR.UNKNOWN_MEMBER_ID]);
    expect(bench.order).toEqual([1, 2, 3, 4, 5]);
    expect(logged(bench.local, 0)).toMatchObject({ batchCount: 2 });
    expect(storage.counts.writes - writes).toBeLessThanOrEqual(2);
  });

  it('that answers earlier questions answers them in its order, before its own', async () => {
    const bench = await start();
    const waiting = [bench.wait(2, 'g'), bench.wait(2, 'other'), bench.wait(2, 'g')];
    await bench.leave(2, 'g');
    expect(bench.order).toEqual([1, 3, 4]);
    expect(await Promise.all([waiting[0], waiting[2]])).toMatchObject([{ memberId: 'g' }, { memberId: 'g' }]);
    await bench.leave(2, 'other');
    expect(await waiting[1]).toMatchObject({ memberId: 'other' });
    expect(bench.local.coordinators.openCount).toBe(0);
  });

  it('may come of a timer', async () => {
    const bench = await start();
    expect(await bench.wait(0, 'g', 20)).toMatchObject({ memberId: 'g' });
    expect([...shardOf(bench).waiting()]).toEqual([]);
  });

  it('larger than a batch may be is divided between its records, where it says that it may be', async () => {
    const bench = await start({ logConfig: { maxMessageBytes: 4096 } });
    const shard = shardOf(bench);
    await until(() => shard.loaded === 1);
    shard.ask = (question) => ({
      records: Array.from({ length: 10 }, (_, i): ToyRecord => ({ key: `k${i}`, value: 'v'.repeat(1500) })),
      answers: [{ token: question.token, body: { throttleTimeMs: 0, errorCode: 0 } }],
      isDivisible: true,
    });
    expect(await bench.has(0, 'any')).toMatchObject({ errorCode: 0 });
    const { records, batchCount } = logged(bench.local, 0);
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(batchCount).toBe(5);
    expect(shard.state.size).toBe(10);
  });

  it('is one batch as long as it keeps within its bound, however small segments are; a larger one is refused whole', async () => {
    const bench = await start({ logConfig: { maxMessageBytes: 100_000, segmentBytes: 4096 } });
    const shard = shardOf(bench);
    await until(() => shard.loaded === 1);
    const { decisionBytesMax, recordBytesMax } = shard.environment;
    expect([decisionBytesMax, recordBytesMax]).toEqual([4096 - BATCH_OVERHEAD_BYTES, decisionBytesMax - RECORD_OVERHEAD_BYTES]);
    const count = 10;
    // A key takes two bytes more than its text.
    const valueBytes = Math.floor(decisionBytesMax / count) - RECORD_OVERHEAD_BYTES - 4;
    const decide = (more: number): void => {
      shard.ask = (question) => ({
        records: Array.from({ length: count }, (_, i): ToyRecord => ({ key: `k${i}`, value: 'v'.repeat(valueBytes + more) })),
        answers: [{ token: question.token, body: { throttleTimeMs: 0, errorCode: 0 } }],
      });
    };
    decide(0);
    expect(await bench.has(0, 'any')).toMatchObject({ errorCode: 0 });
    expect(logged(bench.local, 0).batchCount).toBe(1);
    decide(100);
    expect(await bench.has(0, 'any')).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR });
    expect(logged(bench.local, 0).records).toHaveLength(count);
    await until(() => shardOf(bench).loaded === 1);
    expect(shardOf(bench).state.get('k0')).toBe('v'.repeat(valueBytes));
  });

  it('of a timer is none of the shard that was built anew meanwhile', async () => {
    const bench = await start({ logConfig: { maxMessageBytes: 4096 } });
    const waiting = bench.wait(0, 'g', 300);
    expect(await bench.keep(0, OVERSIZED, '')).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR });
    expect(await waiting).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR });
    await until(() => shardOf(bench).loaded === 1);
    const fired: string[] = [];
    const shard = shardOf(bench);
    const { onTimer } = shard;
    shard.onTimer = (key) => {
      fired.push(key);
      return onTimer.call(shard, key);
    };
    // One of its own, behind the other's time.
    expect(await bench.wait(0, 'h', 400)).toMatchObject({ memberId: 'h' });
    expect(fired).toHaveLength(1);
  });

  it('with a record that no batch holds is refused, and nothing of it stays', async () => {
    const bench = await start({ logConfig: { maxMessageBytes: 4096 } });
    await bench.keep(0, 'kept', 'v');
    const waiting = bench.wait(0, 'g');
    expect(await bench.keep(0, OVERSIZED, '')).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR });
    expect(await waiting).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR });
    expect(texts(logged(bench.local, 0).records)).toEqual([['kept', 'v']]);
    // Built anew after a pause, with all that the log holds.
    expect(await bench.keep(0, 'b', '2')).toMatchObject({ errorCode: ERROR.COORDINATOR_LOAD_IN_PROGRESS });
    await until(() => shardOf(bench).loaded === 1);
    expect([...shardOf(bench).state]).toEqual([['kept', 'v']]);
    expect(await bench.has(0, 'kept')).toMatchObject({ errorCode: 0 });
    expect(bench.failures).toEqual([]);
  });
});

describe('a failed write', () => {
  it('refuses what waited for it, reads included, and all that was waiting', async () => {
    const storage = new FaultyStorage();
    const bench = await start({ storage });
    await bench.keep(0, 'a', '1');
    const waiting = bench.wait(1, 'g');
    await bench.has(1, 'g'); // Heard behind it.
    storage.roomBytes = 10;
    const answers = [bench.keep(0, 'b', '2'), bench.has(0, 'b'), bench.has(0, 'a')];
    // The directory is gone for all of its partitions.
    expect((await Promise.all([...answers, waiting])).map(({ errorCode }) => errorCode)).toEqual([16, 16, 16, 16]);
    expect(await bench.has(0, 'a')).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
    expect(await bench.keep(1, 'c', '3')).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
    expect(bench.local.coordinators.openCount).toBe(0);
    expect(bench.failures).toEqual([]);
  });

  it('is forgotten by who starts on the same disk', async () => {
    const storage = new FaultyStorage();
    const bench = await start({ storage });
    await bench.keep(0, 'a', '1');
    storage.roomBytes = 10;
    await bench.keep(0, 'b', '2');
    await bench.stop();
    storage.roomBytes = Number.POSITIVE_INFINITY;
    const again = await start({ storage });
    await until(() => shardOf(again).loaded === 1);
    expect([...shardOf(again).state]).toEqual([['a', '1']]);
  });
});

describe('loading', () => {
  /** A disk on which partition 0 holds what `fill` appends. */
  async function diskWith(batches: readonly Uint8Array[]): Promise<Storage> {
    const storage = new MemoryStorage();
    const bench = await start({ storage });
    const log = bench.local.logs.get(0);
    for (const batch of batches) log?.stageOwn(batch, 0, batch.length, 0, 1);
    log?.writeStaged();
    await bench.stop();
    return storage;
  }

  function batchOf(entries: readonly (readonly [string, string | null])[], options: BatchOptions = {}): Uint8Array {
    const builder = new BatchBuilder(options);
    for (const [key, value] of entries) builder.append({ ...encodeRecord(toyCodec, { key, value }), timestampMs: 1 });
    return builder.build();
  }

  it('replays all there is in order, compressed or not, and answers COORDINATOR_LOAD_IN_PROGRESS until then', async () => {
    const many = Array.from({ length: 30_000 }, (_, i): [string, string] => [`k${i % 5000}`, `v${i}`]);
    const batches: Uint8Array[] = [];
    for (let at = 0; at < many.length; at += 1000) {
      batches.push(
        batchOf(many.slice(at, at + 1000), { compression: [COMPRESSION.NONE, COMPRESSION.GZIP, COMPRESSION.LZ4][(at / 1000) % 3] ?? 0 }),
      );
    }
    const storage = await diskWith(batches);
    const bench = await start({ storage });
    expect(await bench.has(0, 'k0')).toMatchObject({ errorCode: ERROR.NONE }); // A heartbeat is told that all is well.
    expect(await bench.keep(0, 'k0', 'lost')).toMatchObject({ errorCode: ERROR.COORDINATOR_LOAD_IN_PROGRESS });
    await until(() => shardOf(bench).loaded === 1);
    const shard = shardOf(bench);
    expect(shard.replayed).toBe(30_000);
    expect(shard.state.size).toBe(5000);
    expect(shard.state.get('k4999')).toBe('v29999');
    expect(shard.state.get('k0')).toBe('v25000');
    expect(await bench.keep(0, 'k0', 'kept')).toMatchObject({ errorCode: 0 });
    expect(shard.state.get('k0')).toBe('kept');
  });

  it('takes a piece of a turn only, so that others are answered meanwhile', async () => {
    const entries = Array.from({ length: 20_000 }, (_, i): [string, string] => [`k${i}`, 'v']);
    const storage = await diskWith([batchOf(entries)]);
    const bench = await start({ storage });
    let answeredWhileLoading = 0;
    while (bench.local.shards.get(0)?.loaded !== 1) {
      if ((await bench.keep(1, 'other', 'v')).errorCode === 0 && bench.local.shards.get(0)?.loaded === 0) answeredWhileLoading++;
    }
    expect(answeredWhileLoading).toBeGreaterThan(0);
    expect(shardOf(bench).state.size).toBe(20_000);
  });

  it('passes over what it does not know or cannot read, tombstones and control batches among it', async () => {
    const unknown = new BatchBuilder()
      .append({ key: Buffer.from([0, 9, 1]), value: Buffer.from('newer'), timestampMs: 1 })
      .append({ key: Buffer.from([0]), value: Buffer.from('cut off'), timestampMs: 1 })
      .append({ key: null, value: Buffer.from('no key'), timestampMs: 1 })
      .build();
    const damaged = batchOf([['damaged', 'v']], { compression: COMPRESSION.GZIP });
    damaged.fill(0x55, 61);
    recomputeCrc(damaged, 0);
    const leader = buildControlBatch({}, 1, [{ type: CONTROL_TYPE.LEADER_CHANGE, value: Buffer.from([0, 0]) }]);
    const batches = [
      batchOf([
        ['a', '1'],
        ['b', '1'],
      ]),
      unknown,
      leader,
      damaged,
      batchOf([
        ['a', null],
        ['c', '3'],
      ]),
    ];
    const bench = await start({ storage: await diskWith(batches) });
    await until(() => shardOf(bench).loaded === 1);
    expect([...shardOf(bench).state]).toEqual([
      ['b', '1'],
      ['c', '3'],
    ]);
  });

  it('takes records of transactions when they are committed, and leaves the others', async () => {
    const transaction = (producerId: number): BatchOptions => ({ producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true });
    const marker = (producerId: number, type: 0 | 1): Uint8Array =>
      buildControlBatch({ producerId, producerEpoch: 0, isTransactional: true }, 1, [{ type, value: Buffer.from([0, 0, 0, 0, 0, 0]) }]);
    const batches = [
      batchOf([['a', 'committed']], transaction(1)),
      batchOf([['b', 'aborted']], transaction(2)),
      batchOf([['a', 'plain']]),
      marker(1, CONTROL_TYPE.COMMIT),
      marker(2, CONTROL_TYPE.ABORT),
      batchOf([['c', 'open']], transaction(3)),
    ];
    const bench = await start({ storage: await diskWith(batches) });
    await until(() => shardOf(bench).loaded === 1);
    expect([...shardOf(bench).state]).toEqual([['a', 'committed']]);
  });

  it('hears of topics that changed meanwhile when it is done', async () => {
    const entries = Array.from({ length: 20_000 }, (_, i): [string, string] => [`k${i}`, 'v']);
    const bench = await start({ storage: await diskWith([batchOf(entries)]) });
    expect(shardOf(bench).loaded).toBe(0);
    bench.local.change({ topicsDeleted: [toyTopic(1, 'gone', 'gggggggggggggggggggggg', 50)] });
    expect(shardOf(bench).topicChanges).toEqual([]);
    await until(() => shardOf(bench).loaded === 1);
    expect(shardOf(bench).topicChanges.at(-1)).toEqual(['gone']);
    expect(shardOf(bench, 1).topicChanges.at(-1)).toEqual(['gone']);
  });
});

describe('the topic', () => {
  it('that is deleted takes its shards with it', async () => {
    const bench = await start();
    const waiting = bench.wait(0, 'g');
    await bench.keep(0, 'a', '1');
    bench.local.runtime.post(() => bench.local.change({ topicsDeleted: [toyTopic(4)] }));
    expect(await waiting).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
    expect(await bench.has(0, 'a')).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
    expect([...bench.local.coordinators.shards]).toEqual([]);
  });

  it('whose partition gets its leader later has its shard from then on', async () => {
    const bench = await start();
    await bench.keep(1, 'a', '1');
    const topic = toyTopic(4);
    const [, after] = topic.partitions;
    if (after === undefined) throw new Error('no partition 1');
    bench.local.runtime.post(() => bench.local.change({ topicsDeleted: [topic] }));
    expect(await bench.keep(1, 'b', '2')).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
    bench.local.runtime.post(() => bench.local.change({ partitionsChanged: [{ topic, before: { ...after, leader: -1 }, after }] }));
    await until(() => shardOf(bench, 1).loaded === 1 && [...bench.local.coordinators.shards].length === 1);
    expect([...shardOf(bench, 1).state]).toEqual([['a', '1']]);
    expect(await bench.keep(1, 'b', '2')).toMatchObject({ errorCode: ERROR.NONE });
    expect(await bench.keep(0, 'b', '2')).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR });
  });
});
