// Starts the requests of a connection: takes the frames off its input in order, hands each to the handler of its API, and knows what the first
// one that could not start waits for.
// Small frames are handled straight from the landing buffer. For a row that keeps its bodies the rest of the read moves to a
// slab, once, and each request holds that slab; a frame larger than what has come is read into a slab directly.
// Invariants: a frame is contiguous in the arena when its handler is called; a handler that is called takes its request, or finds it again when
// what it lacked is there; handlers are never called from within each other.
// Runs on: the worker of the connection. One per connection. Not here: where a frame ends and what its header says (frame-cutter.ts), when
// this is called and whether it is read on (connection.ts).
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import { assert } from '../base/assert.ts';
import { DecodeError } from '../base/byte-reader.ts';
import type { ApiRow } from './api-row.ts';
import type { ConnectionEnding } from './connection-ending.ts';
import type { ConnectionHost, HostedConnection } from './connection-host.ts';
import type { FrameCutter } from './frame-cutter.ts';
import type { IncomingRequest, RequestOwner } from './incoming-request.ts';
import type { InputBuffer } from './input-buffer.ts';
import type { OpenRequests } from './open-requests.ts';
import type { Replies } from './replies.ts';

/** What became of the first frame: started, not there in whole, or what it has to wait for. */
const STARTED = 0;
export const INCOMPLETE = 1;
/** Requests before it. */
export const ORDER = 2;
/** Its handler could not take it. */
export const CREDIT = 3;
/** Replies that the other side does not read. */
export const OUTPUT = 4;
/** Room for its bytes. */
export const MEMORY = 5;

/** What of a connection its dispatcher works with. */
interface DispatcherParts {
  readonly connection: HostedConnection & RequestOwner;
  readonly host: ConnectionHost;
  readonly input: InputBuffer;
  readonly requests: OpenRequests;
  readonly replies: Replies;
  readonly ending: ConnectionEnding;
}

export class RequestDispatcher {
  /** INCOMPLETE where nothing waits that has come. */
  waitsFor = INCOMPLETE;
  /** When the last read came: on the monotonic clock, as `nowMs`. */
  receivedMs = 0;
  isDispatching = false;
  /** The handler that could not take its request, or any since. */
  wasRefusedMemory = false;
  readonly #connection: HostedConnection & RequestOwner;
  readonly #host: ConnectionHost;
  readonly #arena: SlabArena;
  readonly #cutter: FrameCutter;
  readonly #input: InputBuffer;
  readonly #requests: OpenRequests;
  readonly #replies: Replies;
  readonly #ending: ConnectionEnding;
  #clientId: string | null = null;
  #nowMs = 0; // When the dispatch that goes on began.

  constructor({ connection, host, input, requests, replies, ending }: DispatcherParts) {
    this.#connection = connection;
    this.#host = host;
    this.#arena = host.arena;
    this.#cutter = host.cutter;
    this.#input = input;
    this.#requests = requests;
    this.#replies = replies;
    this.#ending = ending;
  }

  /** Starts all requests that may start. */
  dispatch(nowMs: number): void {
    this.#nowMs = nowMs;
    this.isDispatching = true;
    let outcome = STARTED;
    while (outcome === STARTED && !this.#ending.isClosing) outcome = this.#startFirst();
    this.isDispatching = false;
    this.waitsFor = INCOMPLETE;
    if (!this.#ending.isClosing && outcome !== INCOMPLETE) this.wait(outcome);
  }

  /** Leaves the landing buffer; whether to read on. */
  settle(): boolean {
    if (this.#ending.isClosing) return false;
    if (!this.#input.settle(this.waitsFor === INCOMPLETE)) this.wait(MEMORY);
    if (this.waitsFor === INCOMPLETE) return true;
    // What waits may be joined by one more read's worth: a client that pipelines little never makes us pause.
    return this.waitsFor !== MEMORY && this.#input.unconsumedBytes < this.#host.landing.sizeBytes;
  }

  /** The first frame waits for `reason`; for memory and credits in a line with other connections. */
  wait(reason: number): void {
    this.waitsFor = reason;
    const { counters } = this.#host;
    if (reason === MEMORY) {
      counters.memoryWaits++;
      this.#host.runWithMemory(this.#connection);
    } else if (reason === CREDIT) {
      counters.creditWaits++;
      this.#host.runWithCredits(this.#connection);
    } else if (reason === OUTPUT) {
      counters.outputWaits++;
    }
  }

  #startFirst(): number {
    const cutter = this.#cutter;
    const input = this.#input;
    const row = cutter.find(input);
    if (row === null) {
      if (cutter.fault !== null) this.#connection.close(cutter.fault.cause, cutter.fault.reason);
      return INCOMPLETE;
    }
    if (this.#replies.unsentBytes >= this.#host.outputBytesMax) return OUTPUT;
    if (!this.#requests.canStart(row.order)) return ORDER;
    if (row.keepsBody && input.slab === NO_SLAB && !input.gather()) return MEMORY;
    const request = this.#requests.take(this.#connection);
    try {
      cutter.decode(input, request, this.#clientId);
    } catch (error) {
      this.#refuse(error, 'the header of ');
      this.#requests.discard(request);
      return INCOMPLETE;
    }
    this.#clientId = request.clientId;
    if (row.keepsBody) {
      this.#arena.retain(input.slab);
      request.bodySlab = input.slab;
    }
    return this.#hand(row, request, cutter.frameBytes);
  }

  /** Gives the request to its handler. It may be ended, and this connection closed, when that returns. */
  #hand(row: ApiRow, request: IncomingRequest, frameBytes: number): number {
    this.#requests.start(row.order, request);
    this.wasRefusedMemory = false;
    request.receivedMs = this.receivedMs;
    request.handledMs = this.#nowMs;
    const { apiKey } = request; // The handler may end the request, and with it this object.
    let isTaken = false;
    try {
      isTaken = row.handle(request);
    } catch (error) {
      this.#refuse(error, '');
      // Not ended by the handler: after an end the object is the pool's, or the close above has dropped it.
      if (request.isTaken) this.#requests.discard(request);
      return INCOMPLETE;
    }
    if (isTaken) {
      this.#host.counters.requests++;
      this.#host.meter.received(apiKey, frameBytes);
      if (!this.#ending.isClosing) this.#input.consume(frameBytes);
      return STARTED;
    }
    assert(request.isTaken, 'a handler did not take a request and yet ended it');
    if (request.hasBegunReply) request.abortReply();
    if (this.#ending.isClosing) {
      this.#requests.discard(request);
      return INCOMPLETE;
    }
    this.#requests.hold(request);
    return CREDIT;
  }

  /** A frame that can't be true closes the connection; any other error is ours. */
  #refuse(error: unknown, what: string): void {
    if (error instanceof DecodeError) {
      this.#connection.close('decode', `${what}${this.#cutter.requestName}: ${error.message}`);
    } else {
      this.#ending.fail(error);
    }
  }
}
