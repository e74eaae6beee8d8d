// One connection: what arrives on it, in the order in which it arrives, and what its worker, its requests and its transport tell it.
// Invariants: handlers are never called from within a reply, a callback of another connection or each other; every request that a handler
// took is ended by it, closed or not.
// Runs on: the worker that the connection was handed to. Not here: memory of received bytes (input-buffer.ts), which requests start
// (request-dispatcher.ts), how it ends (connection-ending.ts), what open requests hold (open-requests.ts), replies (replies.ts), sockets
// (socket-transport.ts), turns (network-actor.ts).
import { ConnectionEnding } from './connection-ending.ts';
import { type ConnectionHost, type HostedConnection, SLOW_BYTES } from './connection-host.ts';
import type { Acceptance } from './connection-info.ts';
import type { IncomingRequest, RequestOwner } from './incoming-request.ts';
import { InputBuffer } from './input-buffer.ts';
import type { CloseCause } from './network-counters.ts';
import { OpenRequests } from './open-requests.ts';
import { Replies } from './replies.ts';
import { CREDIT, INCOMPLETE, MEMORY, ORDER, OUTPUT, RequestDispatcher } from './request-dispatcher.ts';
import type { SendQueueOwner } from './send-queue.ts';
import { SMALL_BYTES_MAX, type Transport, type TransportListener } from './transport.ts';

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
  readonly #dispatcher: RequestDispatcher;
  #isReading = true;
  #hasAnswered = false; // Requests were ended while others were started, and nobody was asked yet to send their replies.

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
    this.#dispatcher = new RequestDispatcher({ connection: this, host, ...parts, ending: this.#ending });
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
    return this.#dispatcher.waitsFor === MEMORY && !this.#ending.isClosing;
  }

  get isWaitingForCredit(): boolean {
    return this.#dispatcher.waitsFor === CREDIT && !this.#ending.isClosing;
  }

  get lacksMemory(): boolean {
    return this.isWaitingForCredit && this.#dispatcher.wasRefusedMemory;
  }

  get reserveBytes(): number {
    return this.#input.reserveBytes;
  }

  get lackedBytes(): number {
    return this.#input.lackedBytes;
  }

  get stuckBytes(): number {
    const { waitsFor } = this.#dispatcher;
    return waitsFor === ORDER || waitsFor === OUTPUT ? 0 : this.#input.heldBytes;
  }

  get heldBytes(): number {
    return this.#input.heldBytes;
  }

  get isReceiving(): boolean {
    return this.#dispatcher.waitsFor === INCOMPLETE && !this.#ending.isClosing && this.#input.heldBytes > 0;
  }

  get isBehindItself(): boolean {
    if (this.#dispatcher.waitsFor !== ORDER || this.#ending.isClosing || this.#input.heldBytes === 0) return false;
    // Of most requests it is we who are slow; to wait for records to come, or for members of a group, is what the other side chose.
    const { oldest } = this.#requests;
    return oldest !== null && this.#host.cutter.rowOf(oldest.apiKey)?.waitsForOthers === true;
  }

  get progress(): number {
    return this.#dispatcher.waitsFor === ORDER ? this.#requests.startedCount * SLOW_BYTES : this.activity;
  }

  get unsentMemoryBytes(): number {
    return this.#ending.isClosing ? 0 : this.#replies.unsentMemoryBytes;
  }

  get owesFileRanges(): boolean {
    return !this.#ending.isClosing && this.#replies.owesFileRanges;
  }

  get sentBytes(): number {
    return this.#replies.sentBytes;
  }

  start(): void {
    this.#transport.start(this);
  }

  // What the transport says: outside of turns, so that nobody above would hear of an error of ours.

  readBuffer(): Uint8Array | undefined {
    try {
      return this.#input.bind(this.#dispatcher.waitsFor === INCOMPLETE && !this.#ending.isClosing);
    } catch (error) {
      this.#ending.fail(error);
      return undefined;
    }
  }

  received(length: number): boolean {
    if (this.#ending.isClosing) return false;
    const { counters } = this.#host;
    counters.readCount++;
    this.activity += length;
    counters.receivedBytes += length;
    const nowMs = this.#host.nowMs();
    this.#dispatcher.receivedMs = nowMs;
    if (this.#ending.isStopping) {
      this.#input.drop(); // The next read goes to the landing buffer, and from there nowhere.
      return true;
    }
    try {
      if (this.#input.take(length)) {
        this.#dispatcher.dispatch(nowMs);
        this.#isReading = this.#dispatcher.settle();
        this.#sendAnswered();
      } else {
        this.#dispatcher.wait(MEMORY);
        this.#isReading = false;
      }
    } catch (error) {
      this.#ending.fail(error);
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
    try {
      this.#replies.written();
      this.#goOn();
    } catch (error) {
      this.#ending.fail(error);
    }
  }

  closed(error: Error | null): void {
    try {
      this.#ending.transportClosed(error);
    } catch (thrown) {
      this.#ending.fail(thrown);
    }
  }

  // What the network actor says.

  run(): void {
    if (this.#ending.isClosing || this.#dispatcher.waitsFor === INCOMPLETE) return;
    if (!this.#input.restore()) {
      this.#dispatcher.wait(MEMORY);
      return;
    }
    this.#dispatcher.dispatch(this.#host.nowMs());
    this.#flushAnswered();
    const wantsReading = this.#dispatcher.settle();
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
    this.#dispatcher.waitsFor = INCOMPLETE;
    this.#ending.stop();
    if (this.#ending.isTransportClosed || this.#ending.isClosing) return;
    // The input keeps its memory until the next read: a read into it may be under way.
    if (!this.#isReading) {
      this.#isReading = true;
      this.#transport.resumeReading();
    }
    this.#endWhenDone();
  }

  abandon(): void {
    this.#transport.destroy();
  }

  // What requests say.

  claimReply(request: IncomingRequest, sizeBytes: number, mayUseHeap: boolean): boolean {
    if (this.#replies.claim(request, sizeBytes, mayUseHeap)) return true;
    this.memoryRefused();
    return false;
  }

  memoryRefused(): void {
    this.#dispatcher.wasRefusedMemory = true;
    this.#host.memoryRefused();
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
    if (this.#dispatcher.isDispatching) {
      this.#hasAnswered = true;
      return;
    }
    this.#host.flushLater(this);
    if (this.#dispatcher.waitsFor === ORDER) this.#host.runLater(this);
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

  peerGone(): void {
    this.close('reset', ''); // As where a write meets it: it left with something unread.
  }

  // Replies.

  /** What was answered while requests were started leaves at the end of the turn. */
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
    const isAll = this.#hasAnswered && this.#dispatcher.waitsFor === INCOMPLETE && this.#requests.count === 0 && !this.isFlushDue;
    if (!isAll || this.#ending.isClosing || this.#replies.unsentBytes > SMALL_BYTES_MAX) {
      this.#flushAnswered();
      return;
    }
    this.#hasAnswered = false;
    this.#replies.flush();
    this.#host.flushed();
  }

  // Ends.

  /** Something was sent: what waited for that goes on, and where nothing is left the end is said. */
  #goOn(): void {
    if (this.#dispatcher.waitsFor === OUTPUT && this.#replies.unsentBytes < this.#host.outputBytesMax) this.#host.runLater(this);
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#dispatcher.waitsFor === INCOMPLETE) this.#ending.endWhenAnswered();
  }
}
