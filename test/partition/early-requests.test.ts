// Requests that wait for logs to be made: whose turn comes when.
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { EarlyRequests } from '../../src/partition/early-requests.ts';
import type { LeaderReplica } from '../../src/partition/leader-replica.ts';
import {
  ENTRY_COUNT,
  HEADER_WORDS,
  LIST_OFFSETS,
  METADATA_OFFSET,
  PRODUCE,
  REQUEST_ENTRY_WORDS,
} from '../../src/partition/partition-messages.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { ReplicaTable } from '../../src/partition/replica-table.ts';
import { UnmadePartition } from '../../src/partition/unmade-partition.ts';

const SLOT_COUNT = 8;

class Desk {
  readonly replicas = new ReplicaTable();
  readonly heard: number[] = [];
  readonly wanted: number[] = [];
  applied = 0;
  readonly requests: EarlyRequests;
  readonly #words = new PartitionWords({
    region: new SharedArrayBuffer(partitionRegionBytes(SLOT_COUNT, 1)),
    slotCount: SLOT_COUNT,
    workerCount: 1,
    selfIndex: 0,
    signal: () => {},
  });

  constructor() {
    const hear = (_kind: number, _from: number, requestId: number): void => void this.heard.push(requestId);
    this.requests = new EarlyRequests(this.replicas, () => this.applied, hear);
    this.requests.onWanted = ({ slot }) => this.wanted.push(slot);
  }

  unmade(...slots: number[]): void {
    for (const slot of slots) this.replicas.addUnmade(new UnmadePartition(slot, 'id', 0, 0, 'data', this.#words));
  }

  made(slot: number): void {
    this.replicas.add({ slot } as LeaderReplica);
    this.requests.onSettled(slot);
  }

  gone(slot: number): void {
    this.replicas.removeUnmade(slot);
    this.requests.onSettled(slot);
  }

  ask(requestId: number, slots: readonly number[], kind = PRODUCE, metadataOffset = 0): void {
    const stride = REQUEST_ENTRY_WORDS[kind] as number;
    const payloadWords = HEADER_WORDS + slots.length * stride;
    const words = new Int32Array(payloadWords + 2);
    words[2 + ENTRY_COUNT] = slots.length;
    words[2 + METADATA_OFFSET] = metadataOffset;
    for (const [i, slot] of slots.entries()) words[2 + HEADER_WORDS + i * stride] = slot;
    this.requests.take(kind, 0, requestId, words, new Float64Array(words.buffer), 2, payloadWords);
    words.fill(-1); // What is kept is a copy.
  }
}

test('a request waits for all its logs; one behind it that shares a log waits for it, others do not', () => {
  const desk = new Desk();
  desk.unmade(0, 1, 2);
  desk.ask(1, [0, 1, 5]);
  desk.ask(2, [5]);
  desk.ask(3, [6]);
  desk.ask(4, [1, 0, 1]);
  desk.ask(5, [2], LIST_OFFSETS);
  expect(desk.heard).toEqual([3, 5]);
  expect(desk.wanted, 'each log is asked for once').toEqual([0, 1]);
  desk.made(1);
  desk.made(2);
  expect(desk.heard).toEqual([3, 5]);
  desk.made(0);
  expect(desk.heard.slice(2).toSorted()).toEqual([1, 2, 4]);
  expect(desk.heard[2]).toBe(1);
  desk.ask(6, [0, 1, 2, 5]);
  expect(desk.heard.at(-1)).toBe(6);
});

test('logs that will not be made are not waited for', () => {
  const desk = new Desk();
  desk.unmade(0, 1);
  desk.ask(1, [0]);
  desk.ask(2, [0, 1]);
  desk.gone(0);
  expect(desk.heard).toEqual([1]);
  desk.gone(1);
  expect(desk.heard).toEqual([1, 2]);
});

test('a request of newer metadata waits for that first, then for the logs that it tells of', () => {
  const desk = new Desk();
  desk.ask(1, [3], PRODUCE, 7);
  desk.unmade(3);
  desk.applied = 7;
  desk.requests.onMetadataApplied();
  expect(desk.heard).toEqual([]);
  expect(desk.wanted).toEqual([3]);
  desk.made(3);
  expect(desk.heard).toEqual([1]);
});

test('whatever is asked for and made, each is heard once, with its logs made, in order for each log', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const desk = new Desk();
    const unmade = new Set(Array.from({ length: SLOT_COUNT }, (_, slot) => slot));
    const slotsOf: number[][] = [];
    let checked = 0;
    const check = (): void => {
      for (; checked < desk.heard.length; checked++) {
        const heard = desk.heard[checked] as number;
        for (const slot of slotsOf[heard] ?? []) expect(unmade.has(slot), `seed ${seed}`).toBe(false);
      }
    };
    desk.unmade(...unmade);
    while (unmade.size > 0) {
      if (random.below(3) > 0) {
        const slots = Array.from({ length: 1 + random.below(3) }, () => random.below(SLOT_COUNT));
        slotsOf.push(slots);
        desk.ask(slotsOf.length - 1, slots);
      } else {
        const slot = [...unmade][random.below(unmade.size)] as number;
        unmade.delete(slot);
        desk.made(slot);
      }
      check();
    }
    expect(
      desk.heard.toSorted((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(slotsOf.map((_, index) => index));
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const ofSlot = desk.heard.filter((request) => slotsOf[request]?.includes(slot));
      expect(ofSlot, `seed ${seed}, slot ${slot}`).toEqual(ofSlot.toSorted((a, b) => a - b));
    }
  }
});
