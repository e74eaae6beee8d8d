// Keeps one cause of log lines from filling a disk: so many lines a second; what is left out is counted, for the next line to tell.
// Pure: the caller brings the time.
import { SECOND_MS } from '../base/units.ts';

export class LineLimiter {
  readonly #linesPerSecond: number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #lineCount = 0;
  #leftOutCount = 0;

  constructor(linesPerSecond: number) {
    this.#linesPerSecond = linesPerSecond;
  }

  /** Whether a line may be written now; one that may not is counted. */
  admits(nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= SECOND_MS) {
      this.#windowStartMs = nowMs;
      this.#lineCount = 0;
    }
    if (this.#lineCount < this.#linesPerSecond) {
      this.#lineCount++;
      return true;
    }
    this.#leftOutCount++;
    return false;
  }

  /** How many lines were left out since this was last asked. */
  takeLeftOut(): number {
    const count = this.#leftOutCount;
    this.#leftOutCount = 0;
    return count;
  }
}
