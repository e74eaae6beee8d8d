// What one worker has asked of those who own partitions, and how its fetches came to know what to read, counted in that worker's slots.
// Not counted: what a request waits for, nor how long (src/network/request-meter.ts).
// Runs on: the worker itself; anybody may read. Pure.
import { BLOCK_SLOTS } from '../telemetry/worker-slots.ts';
import { DELETE_RECORDS, EPOCH_END, FETCH_PLAN, LIST_OFFSETS, PRODUCE } from './partition-messages.ts';

/** What is asked, by the kind of its ring records; the names are the labels of the counter. */
export const ASKED_ABOUT: readonly (readonly [kind: number, about: string])[] = [
  [PRODUCE, 'produce'],
  [FETCH_PLAN, 'fetch'],
  [LIST_OFFSETS, 'list-offsets'],
  [EPOCH_END, 'epoch-end'],
  [DELETE_RECORDS, 'delete-records'],
];

// By slot: two for each kind, of records to the worker itself and to others, then these.
const KINDS_MAX = 16;
const PLANS_BY_OWNER = 2 * KINDS_MAX;
const PLANS_BY_LEASE = PLANS_BY_OWNER + 1;
const PARKS = PLANS_BY_LEASE + 1;
const WAKES = PARKS + 1;

export class PartitionMeter {
  readonly #values: Float64Array;

  constructor(values: Float64Array = new Float64Array(BLOCK_SLOTS.partitions)) {
    this.#values = values;
  }

  /** One ring record went to the owner of `entryCount` partitions. */
  asked(kind: number, isOther: boolean, entryCount: number): void {
    this.#add(2 * kind + (isOther ? 1 : 0), 1);
    if (kind === FETCH_PLAN) this.#add(PLANS_BY_OWNER, entryCount);
  }

  askedCount(kind: number, isOther: boolean): number {
    return this.#values[2 * kind + (isOther ? 1 : 0)] as number;
  }

  get plansByOwner(): number {
    return this.#values[PLANS_BY_OWNER] as number;
  }

  get plansByLease(): number {
    return this.#values[PLANS_BY_LEASE] as number;
  }

  plannedByLease(): void {
    this.#add(PLANS_BY_LEASE, 1);
  }

  get parkCount(): number {
    return this.#values[PARKS] as number;
  }

  /** A fetch waits from now on. */
  parked(): void {
    this.#add(PARKS, 1);
  }

  get wakeCount(): number {
    return this.#values[WAKES] as number;
  }

  /** An owner has published something, and a fetch that waits for it looks again. */
  woken(): void {
    this.#add(WAKES, 1);
  }

  #add(at: number, count: number): void {
    this.#values[at] = (this.#values[at] as number) + count;
  }
}
