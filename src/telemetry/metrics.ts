// Counters of one worker: a number for each name, in one array.
// Invariant: a counter belongs to the worker that made it; others see a snapshot that was sent to them, never the array.
// Pure.

export class Counters<Name extends string> {
  readonly #names: readonly Name[];
  readonly #values: Float64Array;

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#values = new Float64Array(names.length);
  }

  /** Where a counter stands: looked up once, so that counting is one addition. */
  slot(name: Name): number {
    return this.#names.indexOf(name);
  }

  /** `slot` comes from `slot()`. */
  add(slot: number, amount: number): void {
    this.#values[slot] = (this.#values[slot] ?? 0) + amount;
  }

  /** All values by name. */
  snapshot(): Map<Name, number> {
    return new Map(this.#names.map((name, slot) => [name, this.#values[slot] ?? 0]));
  }
}

/** Sums what several workers sent. */
export function sumSnapshots<Name extends string>(snapshots: Iterable<ReadonlyMap<Name, number>>): Map<Name, number> {
  const sums = new Map<Name, number>();
  for (const snapshot of snapshots) for (const [name, value] of snapshot) sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}
