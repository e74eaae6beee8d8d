// The level of log lines while the broker runs: set on every thread before whoever asked for it is answered. Of the two ways to it, Kafka's
// levels of loggers and naru.log.level, the change that came last holds; of both in one request, the logger's level.
// Invariant: levels are set on every thread in the order in which worker 0 hears of them, a logger's by a message and naru.log.level by its
// image, so that of two that are set at once the same one stays everywhere.
// Runs on: every worker. A logger's level is not kept: a start takes naru.log.level again, as it was given or as it is set in the metadata.
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
  /** To worker 0, which puts them in order. Null: none is wanted but to hear when those before hold. */
  | { readonly type: 'log-level-wanted'; readonly id: number; readonly word: string | null }
  /** From worker 0, for the one that asked; -1: nobody did. */
  | { readonly type: 'log-level'; readonly asker: number; readonly id: number; readonly word: string }
  /** The level of that question holds on the sending worker. */
  | { readonly type: 'log-level-holds'; readonly id: number };

const NOBODY = -1;

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
  /** Worker 0: what was ordered last; its own workers may not have heard of it yet. */
  #latest: string;
  #lastId = 0;

  constructor(runtime: Runtime, logger: LeveledLogger, tellMain: (level: LogLevel) => void) {
    this.#runtime = runtime;
    this.#logger = logger;
    this.#tellMain = tellMain;
    this.#word = logger.level.toUpperCase();
    this.#latest = this.#word;
  }

  /** As it was set, in Kafka's words. */
  get word(): string {
    return this.#word;
  }

  /** Sets one of Kafka's levels on all workers; `done` hears when it holds on each of them. */
  set(word: string, done: () => void): void {
    this.#ask(word, done);
  }

  /** `done` hears when all levels that worker 0 knows of by now hold on every worker. */
  settle(done: () => void): void {
    this.#ask(null, done);
  }

  /** Runs on: worker 0. naru.log.level has changed in its image. */
  order(level: LogLevel): void {
    this.#order(NOBODY, 0, level.toUpperCase());
  }

  receive(from: number, message: LogLevelMessage): void {
    switch (message.type) {
      case 'log-level-wanted':
        this.#order(from, message.id, message.word ?? this.#latest);
        return;
      case 'log-level':
        this.#word = message.word;
        this.#logger.level = levelOf(message.word);
        if (message.asker === NOBODY) return;
        this.#runtime.sendControl(message.asker, { type: 'log-level-holds', id: message.id } satisfies LogLevelMessage);
        return;
      case 'log-level-holds':
        this.#hears(message.id);
    }
  }

  #ask(word: string | null, done: () => void): void {
    const id = ++this.#lastId;
    this.#waiting.set(id, { missing: this.#runtime.workerCount, done });
    this.#runtime.sendControl(0, { type: 'log-level-wanted', id, word } satisfies LogLevelMessage);
  }

  /** Runs on: worker 0. The main thread hears it from here alone, before any worker does: ahead of the lines that it lets through. */
  #order(asker: number, id: number, word: string): void {
    this.#latest = word;
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
