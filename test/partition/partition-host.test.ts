// The answering side between two workers: when a request is heard whose sender knows more, or less, of the metadata than the receiver, and what a
// turn makes of many.
import { expect, test } from 'vitest';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import {
  ARENA,
  ENTRY_COUNT,
  HEADER_WORDS,
  LIST_OFFSETS,
  METADATA_OFFSET,
  PRODUCE,
  produceEntry,
  produceReply,
  REPLY_ENTRY_WORDS,
  REQUEST_ENTRY_WORDS,
} from '../../src/partition/partition-messages.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import type { Runtime, WorkerApp } from '../../src/scheduler/runtime.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { FaultyStorage } from '../log/faulty-storage.ts';
import { batch, openLog, readValues, TOPIC_ID } from '../log/log-fixtures.ts';

const SLOT_COUNT = 8;
const ASKED_SLOT = 3;
/** Longer than any message takes, in virtual time. */
const SETTLED_MS = 100;

class World {
  readonly simulation = new Simulation({ seed: 1, limits: { workerCount: 2, ringCapacityBytes: 64 * 1024, arenaBytes: 1024 * 1024 } });
  readonly runtimes: Runtime[] = [];
  readonly hosts: PartitionHost[] = [];
  readonly answers: Array<[requestId: number, error: number]> = [];
  readonly words: PartitionWords[] = [];
  /** Of the batches that were answered: their errors and base offsets, in the order of the answers. */
  readonly appended: Array<[requestId: number, error: number, baseOffset: number]> = [];
  /** What worker 1 has applied; it has the replicas that tests add. */
  applied = 0;

  runtime(worker: number): Runtime {
    const runtime = this.runtimes[worker];
    if (runtime === undefined) throw new Error(`no worker ${worker}`);
    return runtime;
  }

  async boot(): Promise<void> {
    await this.simulation.boot<null>({
      data: null,
      sharedBytes: partitionRegionBytes(SLOT_COUNT, 2),
      factory: (runtime) => this.#worker(runtime),
    });
  }

  /** Worker 0 asks worker 1 one question, knowing the metadata up to `metadataOffset`. */
  async ask(requestId: number, metadataOffset: number): Promise<void> {
    const { exchange } = this.runtime(0);
    this.runtime(0).post(() => {
      const payloadWords = HEADER_WORDS + (REQUEST_ENTRY_WORDS[LIST_OFFSETS] as number);
      const replyWords = HEADER_WORDS + (REPLY_ENTRY_WORDS[LIST_OFFSETS] as number);
      const at = exchange.tryRequest(1, LIST_OFFSETS, requestId, payloadWords, replyWords);
      expect(at).not.toBe(-1);
      const words = exchange.requestWords(1);
      words.fill(0, at, at + payloadWords);
      words[at + METADATA_OFFSET] = metadataOffset;
      words[at + ENTRY_COUNT] = 1;
      words[at + HEADER_WORDS] = ASKED_SLOT;
      exchange.commitRequest(1);
    });
    await this.simulation.runFor(SETTLED_MS);
  }

  /** Worker 0 sends worker 1 produces of one batch each for `slots`, all in one turn. */
  async produce(slots: readonly number[]): Promise<void> {
    const { exchange, arena } = this.runtime(0);
    this.runtime(0).post(() => {
      for (const [requestId, slot] of slots.entries()) {
        const bytes = batch({ values: [`${requestId}`] });
        const position = arena.claim(bytes.length);
        arena.bytes.set(bytes, position);
        const payloadWords = HEADER_WORDS + (REQUEST_ENTRY_WORDS[PRODUCE] as number);
        const at = exchange.tryRequest(1, PRODUCE, requestId, payloadWords, HEADER_WORDS + (REPLY_ENTRY_WORDS[PRODUCE] as number));
        expect(at).not.toBe(-1);
        const words = exchange.requestWords(1);
        words.fill(0, at, at + payloadWords);
        words[at + ENTRY_COUNT] = 1;
        words[at + ARENA] = 0;
        words[at + HEADER_WORDS] = slot;
        words[at + HEADER_WORDS + produceEntry.position] = position;
        words[at + HEADER_WORDS + produceEntry.length] = bytes.length;
        exchange.commitRequest(1);
      }
    });
    await this.simulation.runFor(SETTLED_MS);
  }

  /** Worker 1 has applied the metadata up to `offset`. */
  async apply(offset: number): Promise<void> {
    this.applied = offset;
    this.runtime(1).post(() => this.hosts[1]?.onMetadataApplied());
    await this.simulation.runFor(SETTLED_MS);
  }

  /** The requests that were answered so far, in order. */
  get answered(): number[] {
    return this.answers.map(([requestId]) => requestId);
  }

  #worker(runtime: Runtime): WorkerApp {
    const { workerIndex: selfIndex, workerCount, exchange } = runtime;
    const signal = (worker: number): void => exchange.signal(worker);
    const words = new PartitionWords({ region: runtime.shared, slotCount: SLOT_COUNT, workerCount, selfIndex, signal });
    this.runtimes[selfIndex] = runtime;
    this.words[selfIndex] = words;
    const metadataOffset = (): number => this.applied;
    this.hosts[selfIndex] = new PartitionHost(runtime, words, metadataOffset, (error) => runtime.fail(error));
    exchange.onReply(LIST_OFFSETS, (_from, requestId, replyWords, _floats, index) => {
      this.answers.push([requestId, replyWords[index + HEADER_WORDS] as number]);
    });
    exchange.onReply(PRODUCE, (_from, requestId, replyWords, floats, index) => {
      const at = index + HEADER_WORDS;
      this.appended.push([requestId, replyWords[at] as number, floats[(at + produceReply.baseOffset) >> 1] as number]);
    });
    return { onControl: () => {}, onSupervisor: () => {}, onConnection: () => {}, stop: (done) => done() };
  }
}

test('a request of a worker whose metadata is ahead waits until the receiver has come that far; others are heard at once', async () => {
  const world = new World();
  await world.boot();
  world.applied = 10;
  await world.ask(1, 10);
  expect(world.answered).toEqual([1]);
  await world.ask(2, 12);
  await world.ask(3, 11);
  expect(world.answered).toEqual([1]);
  await world.ask(4, 9);
  expect(world.answered).toEqual([1, 4]);
  await world.apply(11);
  expect(world.answered).toEqual([1, 4, 3]);
  await world.apply(12);
  expect(world.answered).toEqual([1, 4, 3, 2]);
  for (const [, error] of world.answers) expect(error).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  world.simulation.kill();
});

test('all that the produces of one turn bring for a partition is one write', async () => {
  const world = new World();
  await world.boot();
  const storage = new FaultyStorage();
  const logs = [1, 2].map((slot) => {
    const log = openLog({ storage, directory: `data/topic-${slot}` });
    world.hosts[1]?.add(new LeaderReplica(slot, 'topic', TOPIC_ID, slot, log, 0, world.words[1] as PartitionWords));
    return log;
  });
  const before = storage.counts.writes;
  const slots = Array.from({ length: 40 }, (_, i) => 1 + (i % 2));
  await world.produce(slots);
  expect(storage.counts.writes - before).toBe(logs.length);
  expect(world.appended).toEqual(slots.map((_, i) => [i, ERROR.NONE, i >> 1]));
  for (const [half, log] of logs.entries()) {
    expect(readValues(log)).toEqual(Array.from({ length: 20 }, (_, i) => [i, `${2 * i + half}`]));
    log.closeFiles();
  }
  world.simulation.kill();
});
