// The level of log lines while the broker runs: set on every thread before whoever asked for it is answered. Of the two ways to it, Kafka's
// levels of loggers and naru.log.level, the change that came last holds.
// Invariant: levels of loggers are set on every thread in the order in which worker 0 hears of them, so that of two that are set at once
// the same one stays everywhere.
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
  /** To worker 0, which puts them in order. */
  | { readonly type: 'log-level-wanted'; readonly id: number; readonly word: string }
  /** From worker 0, for the one that asked. */
  | { readonly type: 'log-level'; readonly asker: number; readonly id: number; readonly word: string }
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
    const id = ++this.#lastId;
    this.#waiting.set(id, { missing: this.#runtime.workerCount, done });
    this.#runtime.sendControl(0, { type: 'log-level-wanted', id, word } satisfies LogLevelMessage);
  }

  /** naru.log.level has changed, on each worker by its own image. */
  apply(level: LogLevel): void {
    this.#word = level.toUpperCase();
    this.#logger.level = level;
    this.#tellMain(level);
  }

  receive(from: number, message: LogLevelMessage): void {
    switch (message.type) {
      case 'log-level-wanted':
        this.#order(from, message.id, message.word);
        return;
      case 'log-level':
        this.#word = message.word;
        this.#logger.level = levelOf(message.word);
        this.#runtime.sendControl(message.asker, { type: 'log-level-holds', id: message.id } satisfies LogLevelMessage);
        return;
      case 'log-level-holds':
        this.#hears(message.id);
    }
  }

  /** Runs on: worker 0. The main thread hears it from here alone, before any worker does: ahead of the lines that it lets through. */
  #order(asker: number, id: number, word: string): void {
    this.#tellMain(levelOf(word));
    for (let worker = 0; worker < this.#runtime.workerCount; worker++) {
      this.#runtime.sendControl(worker, { type: 'log-level', asker, id, word } satisfies LogLevelMessage);
    }
  }

  #hears(id: number): void {
    const waiting = this.#waiting.get(id);
    assert(waiting !== undefined, `a worker has set level ${id}, which nobody asked for`);
    if (--waiting.missing > 0) return;
    this.#waiting.delete(id);
    waiting.done();
  }
}

function levelOf(word: string): LogLevel {
  const level = LEVEL_OF[word];
  assert(level !== undefined, `the level ${word}, which was not checked`);
  return level;
}
