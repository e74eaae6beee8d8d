// The answering side between two workers: when a request is heard whose sender knows more, or less, of the metadata than the receiver, and what a
// turn makes of many.
import { expect, test } from 'vitest';
import { PartitionHost } from '../../src/partition/partition-host.ts';
import {
  ENTRY_COUNT,
  HEADER_WORDS,
  LIST_OFFSETS,
  METADATA_OFFSET,
  REPLY_ENTRY_WORDS,
  REQUEST_ENTRY_WORDS,
} from '../../src/partition/partition-messages.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import type { Runtime, WorkerApp } from '../../src/scheduler/runtime.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';

const SLOT_COUNT = 8;
const ASKED_SLOT = 3;
/** Longer than any message takes, in virtual time. */
const SETTLED_MS = 100;

class World {
  readonly simulation = new Simulation({ seed: 1, limits: { workerCount: 2, ringCapacityBytes: 64 * 1024, arenaBytes: 1024 * 1024 } });
  readonly runtimes: Runtime[] = [];
  readonly hosts: PartitionHost[] = [];
  readonly answers: Array<[requestId: number, error: number]> = [];
  /** What worker 1 has applied; it has no replicas. */
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
    const metadataOffset = (): number => this.applied;
    this.hosts[selfIndex] = new PartitionHost(runtime, words, metadataOffset, (error) => runtime.fail(error));
    exchange.onReply(LIST_OFFSETS, (_from, requestId, replyWords, _floats, index) => {
      this.answers.push([requestId, replyWords[index + HEADER_WORDS] as number]);
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
