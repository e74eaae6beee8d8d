// One connection: cuts what arrives into frames, starts the requests in them in order, sends their replies in order.
// Small frames are handled straight from the landing buffer. For a row that keeps its bodies the rest of the read moves to a
// slab, once, and each request holds that slab; a frame larger than what has come is read into a slab directly.
// Invariants: a frame is contiguous in the arena when its handler is called; handlers are never called from within a reply,
// a callback of another connection or each other; every request that a handler took is ended by it, closed or not.
// Runs on: the worker that the connection was handed to. Not here: memory of received bytes (input-buffer.ts), what stands in them
// (frame-cutter.ts), how it ends (connection-ending.ts), what open requests hold (open-requests.ts), replies (replies.ts), sockets
// (socket-transport.ts), turns (network-actor.ts).
import { assert } from '../base/assert.ts';
import { DecodeError } from '../base/byte-reader.ts';
import type { ApiRow } from './api-row.ts';
import { ConnectionEnding } from './connection-ending.ts';
import type { ConnectionHost, HostedConnection } from './connection-host.ts';
import type { Acceptance } from './connection-info.ts';
import type { IncomingRequest, RequestOwner } from './incoming-request.ts';
import { InputBuffer } from './input-buffer.ts';
import type { CloseCause } from './network-counters.ts';
import { OpenRequests } from './open-requests.ts';
import { Replies } from './replies.ts';
import type { SendQueueOwner } from './send-queue.ts';
import { SMALL_BYTES_MAX, type Transport, type TransportListener } from './transport.ts';

const NO_SLAB = -1;

/** What became of the first frame: started, not there in whole, or what it has to wait for. */
const STARTED = 0;
const INCOMPLETE = 1;
const ORDER = 2;
const CREDIT = 3;
const OUTPUT = 4;
const MEMORY = 5;

export class Connection implements HostedConnection, TransportListener, RequestOwner, SendQueueOwner {
  readonly id: number;
  readonly listener: number;
  readonly ticket: number;
  clientSoftwareName = '';
  clientSoftwareVersion = '';
  state: unknown = null;
  isFlushDue = false;
  activity = 0;
  activitySeen = 0;
  activeMs = 0;
  readonly #host: ConnectionHost;
  readonly #transport: Transport;
  readonly #input: InputBuffer;
  readonly #requests: OpenRequests;
  readonly #replies: Replies;
  readonly #ending: ConnectionEnding;
  #isReading = true;
  #wasRefusedMemory = false; // The handler that could not take its request, or any since.
  #waitsFor = INCOMPLETE;
  #clientId: string | null = null;
  #receivedMs = 0; // The read that came last.
  #nowMs = 0; // When the pumping that goes on, or the last one, began.
  #isPumping = false;
  #hasAnswered = false; // Requests were ended while it did, whose replies nobody was asked to send yet.

  constructor(id: number, host: ConnectionHost, transport: Transport, { listener, ticket }: Acceptance) {
    this.id = id;
    this.listener = listener;
    this.ticket = ticket;
    this.#host = host;
    this.#transport = transport;
    this.#input = new InputBuffer(host.arena, host.landing);
    this.#requests = new OpenRequests(host.arena, host, host.inflightMax);
    this.#replies = new Replies(host, transport, this);
    const parts = { input: this.#input, requests: this.#requests, replies: this.#replies };
    this.#ending = new ConnectionEnding({ connection: this, host, transport, ...parts });
  }

  get remoteAddress(): string {
    return this.#transport.remoteAddress;
  }

  get remotePort(): number {
    return this.#transport.remotePort;
  }

  get localPort(): number {
    return this.#transport.localPort;
  }

  get sendsFiles(): boolean {
    return this.#transport.sendsFiles;
  }

  get isClosed(): boolean {
    return this.#ending.isClosing || this.#ending.isStopping;
  }

  get isWaitingForMemory(): boolean {
    return this.#waitsFor === MEMORY && !this.#ending.isClosing;
  }

  get isWaitingForCredit(): boolean {
    return this.#waitsFor === CREDIT && !this.#ending.isClosing;
  }

  get lacksMemory(): boolean {
    return this.isWaitingForCredit && this.#wasRefusedMemory;
  }

  get reserveBytes(): number {
    return this.#input.reserveBytes;
  }

  get stuckBytes(): number {
    return this.#waitsFor === ORDER || this.#waitsFor === OUTPUT ? 0 : this.#input.heldBytes;
  }

  get isReceiving(): boolean {
    return this.#waitsFor === INCOMPLETE && !this.#ending.isClosing && this.#input.heldBytes > 0;
  }

  get unsentMemoryBytes(): number {
    return this.#ending.isClosing ? 0 : this.#replies.unsentMemoryBytes;
  }

  get sentBytes(): number {
    return this.#replies.sentBytes;
  }

  start(): void {
    this.#transport.start(this);
  }

  // What the transport says.

  readBuffer(): Uint8Array | undefined {
    return this.#input.bind(this.#waitsFor === INCOMPLETE && !this.#ending.isClosing);
  }

  received(length: number): boolean {
    if (this.#ending.isClosing) return false;
    const { counters } = this.#host;
    counters.readCount++;
    this.activity++;
    counters.receivedBytes += length;
    this.#receivedMs = this.#nowMs = this.#host.nowMs();
    if (this.#ending.isStopping) {
      this.#input.drop(); // The next read goes to the landing buffer, and from there nowhere.
      return true;
    }
    try {
      if (this.#input.take(length)) {
        this.#pump();
        this.#isReading = this.#settle();
        this.#sendAnswered();
      } else {
        this.#wait(MEMORY);
        this.#isReading = false;
      }
    } catch (error) {
      this.#ending.fail(error); // We are outside of turns here: nobody above would hear of it.
      return false;
    }
    return this.#isReading && !this.#ending.isClosing;
  }

  ended(): void {
    this.#ending.notePeerEnded();
    this.#host.flushLater(this);
  }

  written(): void {
    if (this.#ending.isClosing) return;
    this.#replies.written();
    this.#goOn();
  }

  closed(error: Error | null): void {
    this.#ending.transportClosed(error);
  }

  // What the network actor says.

  run(): void {
    if (this.#ending.isClosing || this.#waitsFor === INCOMPLETE) return;
    if (!this.#input.restore()) {
      this.#wait(MEMORY);
      return;
    }
    this.#nowMs = this.#host.nowMs();
    this.#pump();
    this.#flushAnswered();
    const wantsReading = this.#settle();
    if (this.#ending.isClosing) return;
    if (wantsReading !== this.#isReading) {
      this.#isReading = wantsReading;
      if (wantsReading) this.#transport.resumeReading();
      else this.#transport.pauseReading();
    }
    this.#endWhenDone();
  }

  flush(): void {
    if (this.#ending.isClosing) return;
    this.#replies.flush();
    this.#goOn();
  }

  close(cause: CloseCause, reason: string): void {
    this.#ending.close(cause, reason);
  }

  /**
   * The broker stops. No further request is taken; replies that are complete leave, and so do those to produce requests that were taken,
   * whose records may be in the log already; then our end is said. What the other side still sends is read and thrown away: a kernel answers
   * the close of a socket with unread bytes by a reset, and at a reset the other side loses the replies that it has not read.
   * It is over when the other side ends, too, or when the host closes it.
   */
  stop(): void {
    if (this.isClosed) return;
    this.#waitsFor = INCOMPLETE;
    this.#ending.stop();
    if (this.#ending.isTransportClosed || this.#ending.isClosing) return;
    // The input keeps its memory until the next read: a read into it may be under way.
    if (!this.#isReading) {
      this.#isReading = true;
      this.#transport.resumeReading();
    }
    this.#endWhenDone();
  }

  // What requests say.

  claimReply(request: IncomingRequest, sizeBytes: number, mayUseHeap: boolean): boolean {
    if (this.#replies.claim(request, sizeBytes, mayUseHeap)) return true;
    this.#wasRefusedMemory = true;
    this.#host.memoryRefused();
    return false;
  }

  trimReply(request: IncomingRequest, unusedBytes: number): void {
    this.#replies.trim(request, unusedBytes);
  }

  abandonReply(request: IncomingRequest): void {
    this.#replies.abandon(request);
    this.#requests.releaseReply(request);
  }

  requestEnded(request: IncomingRequest): void {
    if (this.#ending.isClosing || this.#requests.areDropped) {
      this.#ending.discardLate(request);
      return;
    }
    this.#requests.answer(request);
    this.#host.meter.ended(request);
    for (let ready = this.#requests.takeReady(); ready !== null; ready = this.#requests.takeReady()) {
      this.#host.meter.left(ready);
      this.#replies.push(ready);
      this.#host.freeRequest(ready);
    }
    if (this.#isPumping) {
      this.#hasAnswered = true;
      return;
    }
    this.#host.flushLater(this);
    if (this.#waitsFor === ORDER) this.#host.runLater(this);
  }

  requestRefused(request: IncomingRequest, reason: string): void {
    if (this.#ending.isClosing || this.#requests.areDropped) this.#ending.discardLate(request);
    else this.close('handler', reason); // Frees the request with the others that have ended.
  }

  noteError(apiKey: number, errorCode: number): void {
    this.#host.meter.noteError(apiKey, errorCode);
  }

  // What the queue of replies says.

  flushLater(): void {
    if (!this.#ending.isClosing) this.#host.flushLater(this);
  }

  cannotSend(reason: string): void {
    this.close('handler', reason);
  }

  // Frames.

  /** Starts all requests that may start. */
  #pump(): void {
    this.#isPumping = true;
    let outcome = STARTED;
    while (outcome === STARTED && !this.#ending.isClosing) outcome = this.#startFirst();
    this.#isPumping = false;
    this.#waitsFor = INCOMPLETE;
    if (!this.#ending.isClosing && outcome !== INCOMPLETE) this.#wait(outcome);
  }

  /** What was answered within the pumping leaves at the end of the turn. */
  #flushAnswered(): void {
    if (!this.#hasAnswered) return;
    this.#hasAnswered = false;
    if (!this.#ending.isClosing) this.#host.flushLater(this);
  }

  /**
   * At the end of a read. Where all that was asked is answered, and in few bytes, nothing can join what leaves: it leaves here and now.
   * A turn for it alone takes some 2 µs, a fifth of what such a request does.
   */
  #sendAnswered(): void {
    const isAll = this.#hasAnswered && this.#waitsFor === INCOMPLETE && this.#requests.count === 0 && !this.isFlushDue;
    if (!isAll || this.#ending.isClosing || this.#replies.unsentBytes > SMALL_BYTES_MAX) {
      this.#flushAnswered();
      return;
    }
    this.#hasAnswered = false;
    this.#replies.flush();
    this.#host.flushed();
  }

  #startFirst(): number {
    const { arena, cutter, outputBytesMax } = this.#host;
    const input = this.#input;
    const row = cutter.find(input);
    if (row === null) {
      if (cutter.fault !== null) this.close(cutter.fault.cause, cutter.fault.reason);
      return INCOMPLETE;
    }
    if (this.#replies.unsentBytes >= outputBytesMax) return OUTPUT;
    if (!this.#requests.canStart(row.order)) return ORDER;
    if (row.keepsBody && input.slab === NO_SLAB && !input.gather()) return MEMORY;
    const request = this.#requests.take(this);
    try {
      cutter.decode(input, request, this.#clientId);
    } catch (error) {
      this.#refuse(error, 'the header of ');
      this.#requests.discard(request);
      return INCOMPLETE;
    }
    this.#clientId = request.clientId;
    if (row.keepsBody) {
      arena.retain(input.slab);
      request.bodySlab = input.slab;
    }
    return this.#hand(row, request, cutter.frameBytes);
  }

  /** Gives the request to its handler. It may be ended, and this connection closed, when that returns. */
  #hand(row: ApiRow, request: IncomingRequest, frameBytes: number): number {
    this.#requests.start(row.order, request);
    this.#wasRefusedMemory = false;
    request.receivedMs = this.#receivedMs;
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

  /** A frame that can't be true closes this connection; any other error is ours. */
  #refuse(error: unknown, what: string): void {
    if (error instanceof DecodeError) {
      this.close('decode', `${what}${this.#host.cutter.requestName}: ${error.message}`);
    } else {
      this.#ending.fail(error);
    }
  }

  /** Leaves the landing buffer; whether to read on. */
  #settle(): boolean {
    if (this.#ending.isClosing) return false;
    if (!this.#input.settle(this.#waitsFor === INCOMPLETE)) this.#wait(MEMORY);
    if (this.#waitsFor === INCOMPLETE) return true;
    // What waits may be joined by one more read's worth: a client that pipelines little never makes us pause.
    return this.#waitsFor !== MEMORY && this.#input.unconsumedBytes < this.#host.landing.sizeBytes;
  }

  #wait(reason: number): void {
    this.#waitsFor = reason;
    const { counters } = this.#host;
    if (reason === MEMORY) {
      counters.memoryWaits++;
      this.#host.runWithMemory(this);
    } else if (reason === CREDIT) {
      counters.creditWaits++;
      this.#host.runWithCredits(this);
    } else if (reason === OUTPUT) {
      counters.outputWaits++;
    }
  }

  // Ends.

  /** Something was sent: what waited for that goes on, and where nothing is left the end is said. */
  #goOn(): void {
    if (this.#waitsFor === OUTPUT && this.#replies.unsentBytes < this.#host.outputBytesMax) this.#host.runLater(this);
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#waitsFor === INCOMPLETE) this.#ending.endWhenAnswered();
  }
}
