// What a broker says of itself in the log: that it starts and how the last stop was, what the opening of its logs found, that it serves,
// that it stops and how that ended.
// Invariant: what all workers did is said once, when the last of them has told its part.
// Runs on: the main thread. Not the ready line, which is the command line's own; not the cluster's changes (cluster-news.ts).
import type { Clock } from '../base/clock.ts';
import type { LogFields, Logger } from '../telemetry/logger.ts';
import type { OpenedLogs } from './worker-data.ts';

const NOTHING_OPENED: OpenedLogs = { logs: 0, checkedLogs: 0, checkedBytes: 0, cutLogs: 0, cutBytes: 0, tookMs: 0 };

export class BrokerNews {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #workersToOpen: number;
  #opened = NOTHING_OPENED;
  #beganMs: number;

  constructor(logger: Logger, clock: Clock, workerCount: number) {
    this.#logger = logger;
    this.#clock = clock;
    this.#workersToOpen = workerCount;
    this.#beganMs = clock.monotonicMs();
  }

  /** The directory is locked and read. */
  starting(fields: LogFields & { readonly lastStop: 'clean' | 'unclean' | 'none' }): void {
    this.#logger.info('the broker starts', fields);
    if (fields.lastStop === 'unclean') {
      this.#logger.of('log').info('the last stop was not clean: logs are checked behind their recovery points');
    }
  }

  /** A worker has opened its logs; the times of workers overlap. */
  opened(each: OpenedLogs): void {
    const sum = this.#opened;
    this.#opened = {
      logs: sum.logs + each.logs,
      checkedLogs: sum.checkedLogs + each.checkedLogs,
      checkedBytes: sum.checkedBytes + each.checkedBytes,
      cutLogs: sum.cutLogs + each.cutLogs,
      cutBytes: sum.cutBytes + each.cutBytes,
      tookMs: Math.max(sum.tookMs, each.tookMs),
    };
    if (--this.#workersToOpen > 0) return;
    const { logs, checkedLogs, checkedBytes, cutLogs, cutBytes, tookMs } = this.#opened;
    const checks = checkedLogs === 0 ? {} : { checkedLogs, checkedBytes, cutLogs, cutBytes };
    this.#logger.of('log').info('logs are open', { logs, ...checks, tookMs: Math.round(tookMs) });
  }

  serving(listeners: string): void {
    this.#logger.info('the broker serves', { listeners, tookMs: this.#tookMs() });
  }

  /** `reason`: who asked for it, such as a signal. */
  stopping(reason: string | undefined): void {
    this.#beganMs = this.#clock.monotonicMs();
    this.#logger.info('the broker stops', { reason });
  }

  stopped(isClean: boolean): void {
    const fields = { clean: isClean, tookMs: this.#tookMs() };
    if (isClean) this.#logger.info('the broker has stopped', fields);
    else this.#logger.warn('the broker has stopped: the next start checks its logs', fields);
  }

  #tookMs(): number {
    return Math.round(this.#clock.monotonicMs() - this.#beganMs);
  }
}
