// Counts turns in a worker's slots: how many, how long, how late its timers were heard, and what the worker held at the end of the last one.
// Runs on: the worker itself.
import { histogramSlots, observe } from '../telemetry/histogram.ts';

/** Upper bounds in ms. A turn starts no further round after 1 ms. */
export const TURN_BOUNDS_MS: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 100, 1000];
/** Node's timers have a resolution of 1 ms. */
export const LAG_BOUNDS_MS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 1000];

export const LOOP_TURNS = 0;
export const LOOP_LAG = histogramSlots(TURN_BOUNDS_MS);
export const LOOP_CREDITS = LOOP_LAG + histogramSlots(LAG_BOUNDS_MS);
export const LOOP_JOBS = LOOP_CREDITS + 1;

export class LoopMeter {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  turned(ms: number): void {
    observe(this.#values, LOOP_TURNS, TURN_BOUNDS_MS, ms);
  }

  /** The nearest timer was due so long ago when a turn came. */
  late(ms: number): void {
    observe(this.#values, LOOP_LAG, LAG_BOUNDS_MS, ms);
  }

  /** Requests of this worker to workers that have no reply yet, each with a credit. */
  set creditsOutstanding(count: number) {
    this.#values[LOOP_CREDITS] = count;
  }

  set jobsInFlight(count: number) {
    this.#values[LOOP_JOBS] = count;
  }
}
