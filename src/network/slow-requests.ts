// The log of requests that took longer than naru.slow.request.ms: which, whose, and where the time went.
//   waited    from the read that brought the last of it until its handler was called: behind earlier requests, for credits or memory
//   handled   until its handler had ended it: logs, groups, long polls, metadata
//   queued    until its reply was given to the socket: behind the replies to earlier requests, to the end of the turn
// Invariants: so many lines a second and no more, what was left out is counted in the next line; nothing is allocated for a request that was
// not slow: what is known of it lies in columns, by its place in this turn.
// Runs on: the worker of the connections.
import { LineLimiter } from '../telemetry/line-limiter.ts';
import type { LogFields } from '../telemetry/logger.ts';
import type { ConnectionInfo } from './connection-info.ts';
import type { IncomingRequest } from './incoming-request.ts';

const LINES_PER_SECOND = 10;
const LEFT_AT_FIRST = 256;
// Columns of a request that has left: three times, then what it is.
const TIMES = 3;
const RECEIVED_MS = 0;
const HANDLED_MS = 1;
const ENDED_MS = 2;
const FACTS = 4;
const API_KEY = 0;
const API_VERSION = 1;
const CORRELATION_ID = 2;
const REPLY_BYTES = 3;

export interface SlowRequestsOptions {
  /** naru.slow.request.ms; negative: none is told. */
  readonly thresholdMs: number;
  readonly nowMs: () => number;
  readonly apiName: (apiKey: number) => string;
  readonly log: (fields: LogFields) => void;
}

export class SlowRequests {
  /** naru.slow.request.ms from now on. */
  thresholdMs: number;
  readonly #options: SlowRequestsOptions;
  readonly #limiter = new LineLimiter(LINES_PER_SECOND);
  // Of this turn, their end still to be told. Filled to the count and never shortened.
  #times = new Float64Array(TIMES * LEFT_AT_FIRST);
  #facts = new Int32Array(FACTS * LEFT_AT_FIRST);
  readonly #clientIds: (string | null)[] = [];
  readonly #connections: (ConnectionInfo | null)[] = [];
  #count = 0;

  constructor(options: SlowRequestsOptions) {
    this.#options = options;
    this.thresholdMs = options.thresholdMs;
  }

  /** Whether anybody is told; otherwise nothing need be noted. */
  get isOn(): boolean {
    return this.thresholdMs >= 0;
  }

  ended(request: IncomingRequest): void {
    request.endedMs = this.#options.nowMs();
  }

  left(request: IncomingRequest): void {
    // Which of them are slow is known when the turn is over; the request itself is the next one's by then.
    const { receivedMs, handledMs, endedMs } = request;
    if (endedMs < handledMs) return; // It ended before anybody asked for that.
    const at = this.#count++;
    if (TIMES * at === this.#times.length) this.#grow();
    const times = this.#times;
    times[TIMES * at + RECEIVED_MS] = receivedMs;
    times[TIMES * at + HANDLED_MS] = handledMs;
    times[TIMES * at + ENDED_MS] = endedMs;
    const facts = this.#facts;
    facts[FACTS * at + API_KEY] = request.apiKey;
    facts[FACTS * at + API_VERSION] = request.apiVersion;
    facts[FACTS * at + CORRELATION_ID] = request.correlationId;
    facts[FACTS * at + REPLY_BYTES] = request.replyFrameBytes;
    this.#clientIds[at] = request.clientId;
    this.#connections[at] = request.connection;
  }

  /** The replies of the turn were given to their sockets. */
  flush(nowMs: number): void {
    const count = this.#count;
    this.#count = 0;
    for (let at = 0; at < count; at++) {
      const tookMs = nowMs - (this.#times[TIMES * at + RECEIVED_MS] as number);
      if (this.isOn && tookMs >= this.thresholdMs && this.#limiter.admits(nowMs)) this.#tell(at, nowMs, tookMs);
      this.#connections[at] = null; // It may be gone before this place is filled again.
      this.#clientIds[at] = null;
    }
  }

  #tell(at: number, nowMs: number, tookMs: number): void {
    const timeOf = (column: number): number => this.#times[TIMES * at + column] as number;
    const factOf = (column: number): number => this.#facts[FACTS * at + column] as number;
    const { remoteAddress, remotePort, clientSoftwareName, clientSoftwareVersion } = this.#connections[at] as ConnectionInfo;
    const leftOut = this.#limiter.takeLeftOut();
    this.#options.log({
      api: this.#options.apiName(factOf(API_KEY)),
      version: factOf(API_VERSION),
      correlationId: factOf(CORRELATION_ID),
      clientId: this.#clientIds[at],
      software: clientSoftwareName === '' ? undefined : `${clientSoftwareName} ${clientSoftwareVersion}`,
      peer: `${remoteAddress}:${remotePort}`,
      replyBytes: factOf(REPLY_BYTES),
      waitedMs: rounded(timeOf(HANDLED_MS) - timeOf(RECEIVED_MS)),
      handledMs: rounded(timeOf(ENDED_MS) - timeOf(HANDLED_MS)),
      queuedMs: rounded(nowMs - timeOf(ENDED_MS)),
      tookMs: rounded(tookMs),
      leftOut: leftOut === 0 ? undefined : leftOut,
    });
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length);
    times.set(this.#times);
    this.#times = times;
    const facts = new Int32Array(2 * this.#facts.length);
    facts.set(this.#facts);
    this.#facts = facts;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
