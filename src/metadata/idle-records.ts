// A quiet log still gets a record now and then, so that others can tell a leader that is idle from one that is gone.
// Runs on: worker 0. Pure.
import type { Clock } from '../base/clock.ts';
import type { TimerHandle } from '../scheduler/runtime.ts';

export interface IdleRecordsOptions {
  readonly clock: Clock;
  readonly after: (delayMs: number, task: () => void) => TimerHandle;
  /** metadata.max.idle.interval.ms; 0 writes none. */
  readonly idleIntervalMs: number;
  /** When something was last appended, on the monotonic clock. */
  readonly lastAppendMs: () => number;
  readonly write: () => void;
}

export class IdleRecords {
  readonly #options: IdleRecordsOptions;
  #timer: TimerHandle | null = null;
  #isStopped = false;

  constructor(options: IdleRecordsOptions) {
    this.#options = options;
  }

  start(): void {
    const { idleIntervalMs, clock, after, lastAppendMs, write } = this.#options;
    if (idleIntervalMs <= 0 || this.#isStopped) return;
    const quietMs = clock.monotonicMs() - lastAppendMs();
    this.#timer = after(Math.max(idleIntervalMs - quietMs, 1), () => {
      if (this.#isStopped) return;
      if (clock.monotonicMs() - lastAppendMs() >= idleIntervalMs) write();
      this.start();
    });
  }

  /** None is written from here on, whether it was started or not. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }
}
