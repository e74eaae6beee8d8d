// The fetches of one worker that found too little and wait: by slot, so that what an owner publishes wakes those it concerns.
// Invariant: a fetch is in here before its note is left at the slot's owner, so that a wake-up always finds it. A wake-up takes the note
// of this worker, and with it all of its fetches out of that slot: each that still has too little leaves a new one.
// Runs on: every worker with connections.
import { PartitionMeter } from '../partition/partition-meter.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import type { Runtime } from '../scheduler/runtime.ts';

export interface WaitingFetch {
  readonly slots: readonly number[];
  /** By slot in the same order: up to which position of its live segment nothing can be enough. */
  readonly wantedPositions: readonly number[];
  /** Something changed at one of its slots; it has been taken out. */
  wake(): void;
}

export class WaitingFetches {
  readonly meter: PartitionMeter;
  readonly #words: PartitionWords;
  readonly #bySlot = new Map<number, Set<WaitingFetch>>();
  readonly #wakeSlot = (slot: number): void => {
    const fetches = [...(this.#bySlot.get(slot) ?? [])];
    for (const fetch of fetches) this.remove(fetch);
    for (const fetch of fetches) {
      this.meter.woken();
      fetch.wake();
    }
  };

  constructor(runtime: Pick<Runtime, 'exchange'>, words: PartitionWords, meter = new PartitionMeter()) {
    this.meter = meter;
    this.#words = words;
    runtime.exchange.addWakeSource(
      () => words.park.any(),
      () => words.park.drain(this.#wakeSlot),
    );
  }

  get count(): number {
    const all = new Set<WaitingFetch>();
    for (const fetches of this.#bySlot.values()) for (const fetch of fetches) all.add(fetch);
    return all.size;
  }

  /** Notes the fetch at all its slots. The caller looks at the counters once more afterwards (shared-park.ts tells why). */
  add(fetch: WaitingFetch): void {
    for (const slot of fetch.slots) {
      let fetches = this.#bySlot.get(slot);
      if (fetches === undefined) {
        fetches = new Set();
        this.#bySlot.set(slot, fetches);
      }
      fetches.add(fetch);
    }
    const { slots, wantedPositions } = fetch;
    for (let i = 0; i < slots.length; i++) this.#words.park.leaveNote(slots[i] as number, wantedPositions[i] as number);
  }

  remove(fetch: WaitingFetch): void {
    for (const slot of fetch.slots) {
      const fetches = this.#bySlot.get(slot);
      if (fetches === undefined) continue;
      fetches.delete(fetch);
      if (fetches.size === 0) this.#bySlot.delete(slot);
    }
  }
}
