// How many connections come in a second, over the last few windows of time, and how long the next one has to wait where they are too many.
// Invariant: `#total` is the sum of all samples; samples stand in the order of their beginnings.
// Pure: the time is told. Runs on: the main thread. Not here: who waits (connection-gate.ts).
// Source: KIP-612; the arithmetic is that of Apache Kafka's rates, which counts a window that has just begun as far as it has come.
import { SECOND_MS } from '../base/units.ts';

/** quota.window.num and quota.window.size.seconds: what a rate is measured over. */
export interface RateWindows {
  readonly count: number;
  readonly sizeMs: number;
}

interface Sample {
  readonly startMs: number;
  lastMs: number;
  count: number;
}

export class ConnectionRate {
  /** Connections a second. */
  limit: number;
  readonly #windows: RateWindows;
  readonly #samples: Sample[] = [];
  #total = 0;

  constructor(limit: number, windows: RateWindows) {
    this.limit = limit;
    this.#windows = windows;
  }

  /** Counts a connection that comes now, and says how many milliseconds it has to wait: one window's length at most. */
  record(nowMs: number): number {
    const { sizeMs } = this.#windows;
    this.#forget(nowMs);
    let sample = this.#samples.at(-1);
    if (sample === undefined || nowMs - sample.startMs >= sizeMs) {
      sample = { startMs: nowMs, lastMs: nowMs, count: 0 };
      this.#samples.push(sample);
    }
    sample.count++;
    sample.lastMs = nowMs;
    this.#total++;
    const measuredMs = this.#measuredMs(nowMs);
    const rate = (this.#total / measuredMs) * SECOND_MS;
    if (rate <= this.limit) return 0;
    // So long that the same connections over the time until then are the limit.
    return Math.min(Math.round(((rate - this.limit) / this.limit) * measuredMs), sizeMs);
  }

  /** Since the oldest sample began; windows that nothing came in yet count whole, so that a start is no burst. */
  #measuredMs(nowMs: number): number {
    const { count, sizeMs } = this.#windows;
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs);
    const missing = Math.max(0, count - 1 - Math.floor(elapsedMs / sizeMs));
    return Math.max(1, elapsedMs + missing * sizeMs);
  }

  /** A sample counts until nothing of it lies in the time that is measured. */
  #forget(nowMs: number): void {
    const { count, sizeMs } = this.#windows;
    while (this.#samples.length > 0 && nowMs - (this.#samples[0] as Sample).lastMs >= count * sizeMs) {
      this.#total -= (this.#samples.shift() as Sample).count;
    }
  }
}
