// The fetches of one worker that found too little and wait: by slot, so that a published watermark wakes those it concerns.
// Invariant: a fetch is in here before its note is left at the slot's owner, so that a wake-up always finds it.
// Runs on: every worker with connections.
import type { PartitionWords } from '../partition/partition-words.ts';
import type { Runtime } from '../scheduler/runtime.ts';

export interface WaitingFetch {
  readonly slots: readonly number[];
  /** Something changed at one of its slots; it has been taken out. */
  wake(): void;
}

export class WaitingFetches {
  readonly #words: PartitionWords;
  readonly #bySlot = new Map<number, Set<WaitingFetch>>();
  readonly #wakeSlot = (slot: number): void => {
    for (const fetch of [...(this.#bySlot.get(slot) ?? [])]) {
      this.remove(fetch);
      fetch.wake();
    }
  };

  constructor(runtime: Runtime, words: PartitionWords) {
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

  /** Notes the fetch at all its slots. The caller looks at the watermarks once more afterwards (shared-park.ts tells why). */
  add(fetch: WaitingFetch): void {
    for (const slot of fetch.slots) {
      let fetches = this.#bySlot.get(slot);
      if (fetches === undefined) {
        fetches = new Set();
        this.#bySlot.set(slot, fetches);
      }
      fetches.add(fetch);
    }
    for (const slot of fetch.slots) this.#words.park.leaveNote(slot);
  }

  remove(fetch: WaitingFetch): void {
    for (const slot of fetch.slots) {
      const fetches = this.#bySlot.get(slot);
      if (fetches === undefined) continue;
      fetches.delete(fetch);
      if (fetches.size === 0) this.#bySlot.delete(slot);
      else this.#words.park.leaveNote(slot); // The note was for all of them, and one wake-up has taken it.
    }
  }
}
