// Counts in a worker's slots what it writes and what it has put onto the medium, and how long that took.
// Runs on: the worker itself.
import type { Clock } from '../base/clock.ts';
import { histogramSlots, LATENCY_BOUNDS_MS, observe } from '../telemetry/histogram.ts';

export const DISK_WRITES = 0;
export const DISK_WRITTEN_BYTES = 1;
export const DISK_FAILED_SYNCS = 2;
/** Syncs that the worker waited for, then those of the pool. */
export const DISK_INLINE_SYNCS = 3;
export const DISK_POOL_SYNCS = DISK_INLINE_SYNCS + histogramSlots(LATENCY_BOUNDS_MS);

export class SyncMeter {
  readonly #values: Float64Array;
  readonly #clock: Clock;

  constructor(values: Float64Array, clock: Clock) {
    this.#values = values;
    this.#clock = clock;
  }

  wrote(bytes: number): void {
    this.#values[DISK_WRITES] = (this.#values[DISK_WRITES] as number) + 1;
    this.#values[DISK_WRITTEN_BYTES] = (this.#values[DISK_WRITTEN_BYTES] as number) + bytes;
  }

  begin(): number {
    return this.#clock.monotonicMs();
  }

  ended(beganMs: number, histogram: number, hasFailed: boolean): void {
    if (hasFailed) this.#values[DISK_FAILED_SYNCS] = (this.#values[DISK_FAILED_SYNCS] as number) + 1;
    else observe(this.#values, histogram, LATENCY_BOUNDS_MS, this.#clock.monotonicMs() - beganMs);
  }

  /** Runs a sync here and now. */
  inline(sync: () => void): void {
    const beganMs = this.begin();
    let hasFailed = true;
    try {
      sync();
      hasFailed = false;
    } finally {
      this.ended(beganMs, DISK_INLINE_SYNCS, hasFailed);
    }
  }
}
