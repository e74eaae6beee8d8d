// Requests that cannot be heard yet: of a worker whose metadata is ahead of ours, or that would change a log which is not made yet. They
// hold the credits of their senders, which bounds them.
// Invariants: a request is heard from metadata that is at least as new as its sender's; of two that change the same log the one that came first
// is heard first, so that a producer's batches stay in order: what waits holds all the logs that it names, also those that are made.
// Runs on: the worker that owns the partitions.
import { DELETE_RECORDS, ENTRY_COUNT, HEADER_WORDS, METADATA_OFFSET, PRODUCE, REQUEST_ENTRY_WORDS, SLOT } from './partition-messages.ts';
import type { ReplicaTable } from './replica-table.ts';
import type { UnmadePartition } from './unmade-partition.ts';

/** How a request is heard: its payload begins at `index`. */
type Hear = (kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number) => void;

interface EarlyRequest {
  readonly kind: number;
  readonly from: number;
  readonly requestId: number;
  readonly words: Int32Array;
  readonly floats: Float64Array;
  /** That it names, each once; empty while metadata is waited for. */
  slots: readonly number[];
  /** Of these, where the log is not made, or another request stands in front. */
  blockedCount: number;
}

export class EarlyRequests {
  /** Hears of a partition whose log somebody waits for. */
  onWanted: (partition: UnmadePartition) => void = () => {};
  readonly #replicas: ReplicaTable;
  readonly #metadataOffset: () => number;
  readonly #hear: Hear;
  /** For metadata; in the order in which they came. */
  #ahead: EarlyRequest[] = [];
  /** By slot: those that wait for logs, in the order in which they came. No line is empty. */
  readonly #lines = new Map<number, EarlyRequest[]>();

  constructor(replicas: ReplicaTable, metadataOffset: () => number, hear: Hear) {
    this.#replicas = replicas;
    this.#metadataOffset = metadataOffset;
    this.#hear = hear;
  }

  /** Hears a request now, or keeps a copy of it for later. */
  take(kind: number, from: number, requestId: number, words: Int32Array, floats: Float64Array, index: number, payloadWords: number): void {
    const isAhead = this.#isAhead(words, index);
    if (!isAhead && !this.#mustWait(kind, words, index)) {
      this.#hear(kind, from, requestId, words, floats, index);
      return;
    }
    const copy = floats.slice(index >> 1, (index + payloadWords + 1) >> 1);
    const request = { kind, from, requestId, words: new Int32Array(copy.buffer), floats: copy, slots: [], blockedCount: 0 };
    if (isAhead) this.#ahead.push(request);
    else this.#wait(request);
  }

  /** A metadata batch was applied. */
  onMetadataApplied(): void {
    if (this.#ahead.length === 0) return;
    const ahead = this.#ahead;
    this.#ahead = [];
    for (const request of ahead) {
      const { kind, from, requestId, words, floats } = request;
      if (this.#isAhead(words, 0)) this.#ahead.push(request);
      else if (this.#mustWait(kind, words, 0)) this.#wait(request);
      else this.#hear(kind, from, requestId, words, floats, 0);
    }
  }

  /** The log of a slot that was unmade is made, or will not be. */
  onSettled(slot: number): void {
    const first = this.#lines.get(slot)?.[0];
    if (first === undefined || --first.blockedCount > 0) return;
    const due = [first];
    for (let request = due.pop(); request !== undefined; request = due.pop()) {
      const { kind, from, requestId, words, floats } = request;
      this.#hear(kind, from, requestId, words, floats, 0);
      for (const each of request.slots) {
        const line = this.#lines.get(each) as EarlyRequest[];
        line.shift();
        const next = line[0];
        if (next === undefined) this.#lines.delete(each);
        else if (--next.blockedCount === 0) due.push(next);
      }
    }
  }

  #isAhead(words: Int32Array, index: number): boolean {
    return (((words[index + METADATA_OFFSET] as number) - this.#metadataOffset()) | 0) > 0;
  }

  #mustWait(kind: number, words: Int32Array, index: number): boolean {
    if (this.#replicas.unmadeCount === 0 && this.#lines.size === 0) return false;
    if (kind !== PRODUCE && kind !== DELETE_RECORDS) return false;
    const count = words[index + ENTRY_COUNT] as number;
    for (let i = 0; i < count; i++) {
      const slot = slotOf(kind, words, index, i);
      if (this.#lines.has(slot) || this.#replicas.unmade(slot) !== undefined) return true;
    }
    return false;
  }

  #wait(request: EarlyRequest): void {
    const { kind, words } = request;
    const slots = new Set<number>();
    for (let i = 0; i < (words[ENTRY_COUNT] as number); i++) slots.add(slotOf(kind, words, 0, i));
    request.slots = [...slots];
    for (const slot of slots) {
      const line = this.#lines.get(slot);
      const unmade = this.#replicas.unmade(slot);
      if (line !== undefined || unmade !== undefined) request.blockedCount++;
      if (line !== undefined) line.push(request);
      else this.#lines.set(slot, [request]);
      if (line === undefined && unmade !== undefined) this.onWanted(unmade);
    }
  }
}

function slotOf(kind: number, words: Int32Array, index: number, entry: number): number {
  return words[index + HEADER_WORDS + entry * (REQUEST_ENTRY_WORDS[kind] as number) + SLOT] as number;
}
