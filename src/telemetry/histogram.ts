// Histograms in slots: counts by upper bound and the sum of what was observed.
// Layout from `at`: the sum, then a count for each bound (of that bound alone, not of those below it), then one for all above.
// Pure. Who writes is one worker; who reads adds the counts up (metrics-text.ts).

/** Upper bounds of latencies in ms: 0.1 ms to 10 s. */
export const LATENCY_BOUNDS_MS: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** Slots of a histogram: sum, bounds, above. */
export function histogramSlots(bounds: readonly number[]): number {
  return bounds.length + 2;
}

export function observe(values: Float64Array, at: number, bounds: readonly number[], value: number): void {
  values[at] = (values[at] as number) + value;
  let bucket = 0;
  // Most of what is observed is small: the search from below ends soon.
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
  values[at + 1 + bucket] = (values[at + 1 + bucket] as number) + 1;
}
