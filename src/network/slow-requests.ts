// The log of requests that took longer than naru.slow.request.ms: which, whose, and where the time went.
//   waited    from the read that brought the last of it until its handler was called: behind earlier requests, for credits or memory
//   handled   until its handler had ended it: logs, groups, long polls, metadata
//   queued    until its reply was given to the socket: behind the replies to earlier requests, to the end of the turn
// Invariant: so many lines a second and no more (log-limiter.ts); what was left out is counted in the next line.
// Runs on: the worker of the connections; exists only where the option is set.
import { SECOND_MS } from '../base/units.ts';
import type { LogFields } from '../telemetry/logger.ts';
import type { IncomingRequest } from './incoming-request.ts';

const LINES_PER_SECOND = 10;

export interface SlowRequestsOptions {
  /** naru.slow.request.ms */
  readonly thresholdMs: number;
  readonly nowMs: () => number;
  readonly apiName: (apiKey: number) => string;
  readonly log: (fields: LogFields) => void;
}

export class SlowRequests {
  readonly #options: SlowRequestsOptions;
  /** Of this turn, their end still to be told. */
  #left: { readonly receivedMs: number; readonly endedMs: number; readonly fields: LogFields }[] = [];
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #lineCount = 0;
  #leftOutCount = 0;

  constructor(options: SlowRequestsOptions) {
    this.#options = options;
  }

  ended(request: IncomingRequest): void {
    request.endedMs = this.#options.nowMs();
  }

  left(request: IncomingRequest): void {
    // Which of them are slow is known when the turn is over; the request itself is the next one's by then.
    const { receivedMs, handledMs, endedMs } = request;
    const { remoteAddress, remotePort, clientSoftwareName, clientSoftwareVersion } = request.connection;
    this.#left.push({
      receivedMs,
      endedMs,
      fields: {
        api: this.#options.apiName(request.apiKey),
        version: request.apiVersion,
        correlationId: request.correlationId,
        clientId: request.clientId,
        software: clientSoftwareName === '' ? undefined : `${clientSoftwareName} ${clientSoftwareVersion}`,
        peer: `${remoteAddress}:${remotePort}`,
        replyBytes: request.replyFrameBytes,
        waitedMs: rounded(handledMs - receivedMs),
        handledMs: rounded(endedMs - handledMs),
      },
    });
  }

  /** The replies of the turn were given to their sockets. */
  flush(nowMs: number): void {
    if (this.#left.length === 0) return;
    const left = this.#left;
    this.#left = [];
    for (const { receivedMs, endedMs, fields } of left) {
      const tookMs = nowMs - receivedMs;
      if (tookMs < this.#options.thresholdMs) continue;
      if (nowMs - this.#windowStartMs >= SECOND_MS) {
        this.#windowStartMs = nowMs;
        this.#lineCount = 0;
      }
      if (this.#lineCount++ >= LINES_PER_SECOND) {
        this.#leftOutCount++;
        continue;
      }
      const leftOut = this.#leftOutCount === 0 ? undefined : this.#leftOutCount;
      this.#leftOutCount = 0;
      this.#options.log({ ...fields, queuedMs: rounded(nowMs - endedMs), tookMs: rounded(tookMs), leftOut });
    }
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
