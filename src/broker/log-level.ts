// The level of log lines while the broker runs: set on every thread before whoever asked for it is answered. Of the two ways to it, Kafka's
// levels of loggers and naru.log.level, the change that came last holds.
// Invariant: at most one level holds on a worker; of two that are set at once, workers may keep different ones until the next.
// Runs on: every worker. A logger's level is not kept: a start takes naru.log.level again.
import { assert } from '../base/assert.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { LeveledLogger, LogLevel } from '../telemetry/logger.ts';

/** Kafka's words (KIP-412); ours has neither of the outermost two. */
const LEVEL_OF: Readonly<Record<string, LogLevel>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'error',
};

/** Between workers. */
export type LogLevelMessage =
  | { readonly type: 'log-level'; readonly id: number; readonly word: string }
  /** The level of that question holds on the sending worker. */
  | { readonly type: 'log-level-holds'; readonly id: number };

interface Waiting {
  missing: number;
  readonly done: () => void;
}

export class LogLevelControl {
  readonly #runtime: Runtime;
  readonly #logger: LeveledLogger;
  readonly #tellMain: (level: LogLevel) => void;
  readonly #waiting = new Map<number, Waiting>();
  #word: string;
  #lastId = 0;

  constructor(runtime: Runtime, logger: LeveledLogger, tellMain: (level: LogLevel) => void) {
    this.#runtime = runtime;
    this.#logger = logger;
    this.#tellMain = tellMain;
    this.#word = logger.level.toUpperCase();
  }

  /** As it was set, in Kafka's words. */
  get word(): string {
    return this.#word;
  }

  /** Sets one of Kafka's levels on all workers; `done` hears when it holds on each of them. */
  set(word: string, done: () => void): void {
    const { workerCount } = this.#runtime;
    const id = ++this.#lastId;
    this.#waiting.set(id, { missing: workerCount, done });
    for (let worker = 0; worker < workerCount; worker++) {
      this.#runtime.sendControl(worker, { type: 'log-level', id, word } satisfies LogLevelMessage);
    }
  }

  /** naru.log.level has changed, on each worker by its own image. */
  apply(level: LogLevel): void {
    this.#word = level.toUpperCase();
    this.#logger.level = level;
    this.#tellMain(level);
  }

  receive(from: number, message: LogLevelMessage): void {
    if (message.type === 'log-level') {
      const level = LEVEL_OF[message.word];
      assert(level !== undefined, `the level ${message.word}, which was not checked`);
      this.#word = message.word;
      this.#logger.level = level;
      this.#tellMain(level); // Ahead of the lines that it lets through.
      this.#runtime.sendControl(from, { type: 'log-level-holds', id: message.id } satisfies LogLevelMessage);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    assert(waiting !== undefined, `a worker has set level ${message.id}, which nobody asked for`);
    if (--waiting.missing > 0) return;
    this.#waiting.delete(message.id);
    waiting.done();
  }
}
