// Counts requests by API in a worker's slots: how many, their bytes, how long they took, which errors their answers had.
// How long: from the read that brought the last of a request until its reply was given to the socket (or, without a reply, its handler was
// through). All replies of a turn leave together, so the end of the turn is read from the clock once for all of them.
// Invariant: a request that was answered stands in the histogram once; one whose connection broke off before is in none.
// Runs on: the worker of the connections.
import type { Clock } from '../base/clock.ts';
import { LATENCY_BOUNDS_MS, observe } from '../telemetry/histogram.ts';
import type { WorkerSlots } from '../telemetry/worker-slots.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { SlowRequests } from './slow-requests.ts';

/** By API: requests, their bytes, the bytes of their replies, then the histogram. */
export const API_STRIDE = 32;
export const API_REQUESTS = 0;
export const API_RECEIVED = 1;
export const API_SENT = 2;
export const API_LATENCY = 3;
/** APIs with a row; the protocol has 93 so far. */
export const API_ROWS = 128;
/** Error codes with a column, from −1 on; the protocol has 134 so far. */
export const ERROR_COLUMNS = 160;

const LEFT_AT_FIRST = 256;

export class RequestMeter {
  readonly #requests: Float64Array;
  readonly #errors: Float64Array;
  readonly #slow: SlowRequests | null;
  // Those whose replies leave at the end of this turn.
  #leftApis = new Uint8Array(LEFT_AT_FIRST);
  #leftReceivedMs = new Float64Array(LEFT_AT_FIRST);
  #leftCount = 0;

  constructor({ requests, errors }: WorkerSlots, slow: SlowRequests | null) {
    this.#requests = requests;
    this.#errors = errors;
    this.#slow = slow;
  }

  /** A request of `frameBytes` was given to its handler. */
  received(apiKey: number, frameBytes: number): void {
    const at = apiKey * API_STRIDE;
    const requests = this.#requests;
    requests[at + API_REQUESTS] = (requests[at + API_REQUESTS] as number) + 1;
    requests[at + API_RECEIVED] = (requests[at + API_RECEIVED] as number) + frameBytes;
  }

  /** The handler has ended it; replies to earlier ones may have to leave first. */
  ended(request: IncomingRequest): void {
    if (this.#slow?.isOn === true) this.#slow.ended(request);
  }

  /** Its reply, if it has one, goes to the queue of its connection now. */
  left(request: IncomingRequest): void {
    const at = request.apiKey * API_STRIDE + API_SENT;
    this.#requests[at] = (this.#requests[at] as number) + request.replyFrameBytes;
    if (this.#leftCount === this.#leftApis.length) this.#grow();
    this.#leftApis[this.#leftCount] = request.apiKey;
    this.#leftReceivedMs[this.#leftCount++] = request.receivedMs;
    if (this.#slow?.isOn === true) this.#slow.left(request);
  }

  /** The end of a turn, or of a read whose answers left with it: what has left is observed. */
  flush(clock: Clock): void {
    const count = this.#leftCount;
    if (count === 0) return;
    this.#leftCount = 0;
    const nowMs = clock.monotonicMs();
    for (let each = 0; each < count; each++) {
      const at = (this.#leftApis[each] as number) * API_STRIDE + API_LATENCY;
      observe(this.#requests, at, LATENCY_BOUNDS_MS, nowMs - (this.#leftReceivedMs[each] as number));
    }
    if (this.#slow !== null) this.#slow.flush(nowMs);
  }

  noteError(apiKey: number, errorCode: number): void {
    const column = errorCode + 1;
    if (column < 0 || column >= ERROR_COLUMNS) return;
    const at = apiKey * ERROR_COLUMNS + column;
    this.#errors[at] = (this.#errors[at] as number) + 1;
  }

  #grow(): void {
    const apis = new Uint8Array(this.#leftApis.length * 2);
    apis.set(this.#leftApis);
    this.#leftApis = apis;
    const receivedMs = new Float64Array(this.#leftReceivedMs.length * 2);
    receivedMs.set(this.#leftReceivedMs);
    this.#leftReceivedMs = receivedMs;
  }
}
