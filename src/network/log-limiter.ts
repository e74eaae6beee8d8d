// Keeps one cause of log lines from filling a disk: so many lines a second, then one that says how many were left out.
// Pure: the caller brings the time.
import { SECOND_MS } from '../base/units.ts';

export class LogLimiter {
  readonly #linesPerSecond: number;
  readonly #log: (line: string) => void;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #lineCount = 0;
  #leftOutCount = 0;

  constructor(linesPerSecond: number, log: (line: string) => void) {
    this.#linesPerSecond = linesPerSecond;
    this.#log = log;
  }

  /** Writes `line`, or counts it among those left out. */
  write(nowMs: number, line: string): void {
    if (nowMs - this.#windowStartMs >= SECOND_MS) {
      this.flush();
      this.#windowStartMs = nowMs;
      this.#lineCount = 0;
    }
    if (this.#lineCount < this.#linesPerSecond) {
      this.#lineCount++;
      this.#log(line);
    } else {
      this.#leftOutCount++;
    }
  }

  /** Says how many lines were left out since it was last said. */
  flush(): void {
    if (this.#leftOutCount > 0) this.#log(`${this.#leftOutCount} more connections closed for bad requests`);
    this.#leftOutCount = 0;
  }
}
