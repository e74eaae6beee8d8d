// One connection: cuts what arrives into frames, starts the requests in them in order, sends their replies in order.
// Small frames are handled straight from the landing buffer. For a row that keeps its bodies the rest of the read moves to a
// slab, once, and each request holds that slab; a frame larger than what has come is read into a slab directly.
// Invariants: a frame is contiguous in the arena when its handler is called; handlers are never called from within a reply,
// a callback of another connection or each other; every request that a handler took is ended by it, closed or not.
// Runs on: the worker that the connection was handed to. Not here: memory of received bytes (input-buffer.ts), sockets
// (socket-transport.ts), turns (network-actor.ts).
import type { SlabArena } from '../actors/slab-arena.ts';
import { assert } from '../base/assert.ts';
import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { apiName } from '../protocol/api-keys.ts';
import { decodeHeaderRest, decodeHeaderStart, isResponseHeaderFlexible, type RequestHeader } from '../protocol/header.ts';
import type { ApiRow } from './api-row.ts';
import { badLength } from './frame-errors.ts';
import type { IncomingRequest, RequestOwner } from './incoming-request.ts';
import { InputBuffer, SIZE_FIELD_BYTES } from './input-buffer.ts';
import type { LandingBuffer } from './landing-buffer.ts';
import type { MemoryReserves } from './memory-order.ts';
import type { CloseCause, NetworkCounters } from './network-counters.ts';
import { CHUNK_BYTES_MAX, ReplyChunks } from './reply-chunks.ts';
import { RequestOrder } from './request-order.ts';
import { SendQueue, type SendQueueOwner } from './send-queue.ts';
import type { Transport, TransportListener } from './transport.ts';

/** Key, version, correlation id, and the length of the client id. */
const FRAME_LENGTH_MIN = 10;
/** What must have come before key and version are known. */
const HEADER_START_BYTES = SIZE_FIELD_BYTES + 8;
const NO_SLAB = -1;

/** What became of the first frame: started, not there in whole, or what it has to wait for. */
const STARTED = 0;
const INCOMPLETE = 1;
const ORDER = 2;
const CREDIT = 3;
const OUTPUT = 4;
const MEMORY = 5;

/** What all connections of a worker share: the network actor. */
export interface ConnectionHost {
  readonly arena: SlabArena;
  readonly landing: LandingBuffer;
  readonly counters: NetworkCounters;
  readonly requestBytesMax: number;
  readonly inflightMax: number;
  readonly outputBytesMax: number;
  readonly reserves: MemoryReserves;
  rowOf(apiKey: number): ApiRow | undefined;
  takeRequest(): IncomingRequest;
  freeRequest(request: IncomingRequest): void;
  /** Calls `flush` at the end of this turn. */
  flushLater(connection: Connection): void;
  /** Calls `run` in this turn or the next: what it waited for is over. */
  runLater(connection: Connection): void;
  /** Calls `run` when memory came back: first come, first served. */
  runWithMemory(connection: Connection): void;
  /** Calls `run` when credits or memory came back. */
  runWithCredits(connection: Connection): void;
  /** The connection takes no more part; its transport closes. `reason` is for the log. */
  connectionClosing(connection: Connection, cause: CloseCause, reason: string): void;
  /** The transport is closed, too. */
  connectionClosed(connection: Connection): void;
  /** An error of our own. */
  fail(error: unknown): void;
}

/** Shared by all connections of the thread: a header is read and consumed before anything else runs. */
const header: RequestHeader = { apiKey: 0, apiVersion: 0, correlationId: 0, clientId: null };
const reader = new ByteReader(Buffer.alloc(0));

export class Connection implements TransportListener, RequestOwner, SendQueueOwner {
  readonly id: number;
  clientSoftwareName = '';
  clientSoftwareVersion = '';
  state: unknown = null;
  /** It stands on the list of those to flush. The network actor's. */
  isFlushDue = false;
  readonly #host: ConnectionHost;
  readonly #arena: SlabArena;
  readonly #transport: Transport;
  readonly #input: InputBuffer;
  readonly #order: RequestOrder<IncomingRequest>;
  readonly #chunks: ReplyChunks;
  readonly #output: SendQueue;
  #isReading = true;
  #waitsFor = INCOMPLETE;
  #held: IncomingRequest | null = null; // Its handler could not take it; its frame stands first.
  #clientId: string | null = null;
  #hasEnded = false; // The other side sends no more.
  #hasSaidEnd = false;
  #isPumping = false;
  #isStopping = false; // Takes nothing more; its replies leave, then its end is said.
  #areRequestsDropped = false; // Those with handlers are no longer in the order.
  #isClosing = false;
  #isTransportClosed = false;

  constructor(id: number, host: ConnectionHost, transport: Transport) {
    this.id = id;
    this.#host = host;
    this.#arena = host.arena;
    this.#transport = transport;
    this.#input = new InputBuffer(host.arena, host.landing);
    this.#order = new RequestOrder(host.inflightMax);
    this.#chunks = new ReplyChunks(host.arena);
    this.#output = new SendQueue(host.arena, transport, host.counters, this);
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
    return this.#isClosing || this.#isStopping;
  }

  get isWaitingForMemory(): boolean {
    return this.#waitsFor === MEMORY && !this.#isClosing;
  }

  get isWaitingForCredit(): boolean {
    return this.#waitsFor === CREDIT && !this.#isClosing;
  }

  /** Bytes of the arena that are left to others while it waits for memory. */
  get reserveBytes(): number {
    return this.#input.reserveBytes;
  }

  /** Bytes of a slab that nothing which goes on here gives back: only the rest of a frame, memory for a handler, or the end of this connection. */
  get stuckBytes(): number {
    return this.#waitsFor === ORDER || this.#waitsFor === OUTPUT ? 0 : this.#input.heldBytes;
  }

  /** Whether it is the rest of a frame that is missing, and that has room to come. */
  get isReceiving(): boolean {
    return this.#waitsFor === INCOMPLETE && !this.#isClosing && this.#input.heldBytes > 0;
  }

  start(): void {
    this.#transport.start(this);
  }

  // What the transport says.

  readBuffer(): Uint8Array | undefined {
    return this.#input.bind(this.#waitsFor === INCOMPLETE && !this.#isClosing);
  }

  received(length: number): boolean {
    if (this.#isClosing) return false;
    const { counters } = this.#host;
    counters.readCount++;
    counters.receivedBytes += length;
    if (this.#isStopping) {
      this.#input.drop(); // The next read goes to the landing buffer, and from there nowhere.
      return true;
    }
    try {
      if (this.#input.take(length)) {
        this.#pump();
        this.#isReading = this.#settle();
      } else {
        this.#wait(MEMORY);
        this.#isReading = false;
      }
    } catch (error) {
      this.#fail(error); // We are outside of turns here: nobody above would hear of it.
      return false;
    }
    return this.#isReading;
  }

  ended(): void {
    this.#hasEnded = true;
    this.#host.flushLater(this);
  }

  written(): void {
    if (this.#isClosing) return;
    this.#output.written();
    this.#goOn();
  }

  closed(error: Error | null): void {
    this.#isTransportClosed = true;
    this.close(this.#hasEnded && error === null ? 'peer' : 'reset', error === null ? 'broken off' : error.message);
    this.#chunks.drop();
    this.#output.closed();
    this.#host.connectionClosed(this);
  }

  // What the network actor says.

  /** Goes on with what waited, if that is possible now. Called inside a turn, from no callback of the transport. */
  run(): void {
    if (this.#isClosing || this.#waitsFor === INCOMPLETE) return;
    if (!this.#input.restore()) {
      this.#wait(MEMORY);
      return;
    }
    this.#pump();
    const wantsReading = this.#settle();
    if (this.#isClosing) return;
    if (wantsReading !== this.#isReading) {
      this.#isReading = wantsReading;
      if (wantsReading) this.#transport.resumeReading();
      else this.#transport.pauseReading();
    }
    this.#endWhenDone();
  }

  flush(): void {
    if (this.#isClosing) return;
    this.#flush();
    this.#goOn();
  }

  /** Closes whatever is pending; replies that are complete are still handed to the transport. `reason` is for the log. */
  close(cause: CloseCause, reason: string): void {
    if (this.#isClosing) return;
    if (!this.#isTransportClosed) this.#flush();
    if (this.#isClosing) return; // That could not be sent.
    this.#isClosing = true;
    this.#input.drop();
    this.#dropRequests();
    this.#dropOutput();
    if (!this.#isStopping) this.#host.connectionClosing(this, cause, reason);
    if (!this.#isTransportClosed) this.#transport.destroy();
  }

  /**
   * The broker stops. No further request is taken; replies that are complete leave, and so do those to produce requests that were taken,
   * whose records may be in the log already; then our end is said. What the other side still sends is read and thrown away: a kernel answers
   * the close of a socket with unread bytes by a reset, and at a reset the other side loses the replies that it has not read.
   * It is over when the other side ends, too, or when the host closes it.
   */
  stop(): void {
    if (this.#isClosing || this.#isStopping) return;
    this.#isStopping = true;
    this.#waitsFor = INCOMPLETE;
    if (this.#order.orderClass !== 'produce') this.#dropRequests();
    else this.#dropHeld();
    this.#host.connectionClosing(this, 'shutdown', '');
    this.#flush();
    if (this.#isTransportClosed || this.#isClosing) return;
    // The input keeps its memory until the next read: a read into it may be under way.
    if (!this.#isReading) {
      this.#isReading = true;
      this.#transport.resumeReading();
    }
    this.#endWhenDone();
  }

  // What requests say.

  claimReply(request: IncomingRequest, sizeBytes: number, mayUseHeap: boolean): boolean {
    // Who does not take the heap's memory instead can wait, or answer less: a fetch.
    if (mayUseHeap) return this.#chunks.claim(request, sizeBytes, true);
    const isLarge = sizeBytes > CHUNK_BYTES_MAX;
    if (!this.#arena.leaves(sizeBytes, this.#host.reserves.fetch) || (isLarge && !this.#arena.hasRoomForReply(sizeBytes))) return false;
    if (!this.#chunks.claim(request, sizeBytes, false)) return false;
    if (isLarge) this.#arena.markReply(request.replySlab);
    return true;
  }

  trimReply(request: IncomingRequest, unusedBytes: number): void {
    this.#chunks.trim(request, request.replyStart + request.replySizeBytes + unusedBytes, unusedBytes);
  }

  abandonReply(request: IncomingRequest): void {
    this.#chunks.trim(request, request.replyStart + request.replySizeBytes, request.replySizeBytes);
    this.#releaseReply(request);
  }

  requestEnded(request: IncomingRequest): void {
    if (this.#isClosing || this.#areRequestsDropped) {
      this.#discardLate(request);
      return;
    }
    this.#releaseBody(request);
    this.#order.answer(request.sequence);
    for (let ready = this.#order.takeReady(); ready !== null; ready = this.#order.takeReady()) {
      if (ready.replySizeBytes > 0) {
        this.#host.counters.replies++;
        this.#output.push(ready);
      }
      this.#host.freeRequest(ready);
    }
    this.#host.flushLater(this);
    if (this.#waitsFor === ORDER && !this.#isPumping) this.#host.runLater(this);
  }

  requestRefused(request: IncomingRequest, reason: string): void {
    if (this.#isClosing || this.#areRequestsDropped) this.#discardLate(request);
    else this.close('handler', reason); // Frees the request with the others that have ended.
  }

  // What the queue of replies says.

  flushLater(): void {
    if (!this.#isClosing) this.#host.flushLater(this);
  }

  cannotSend(reason: string): void {
    this.close('handler', reason);
  }

  // Frames.

  /** Starts all requests that may start. */
  #pump(): void {
    this.#isPumping = true;
    let outcome = STARTED;
    while (outcome === STARTED && !this.#isClosing) outcome = this.#startFirst();
    this.#isPumping = false;
    this.#waitsFor = INCOMPLETE;
    if (!this.#isClosing && outcome !== INCOMPLETE) this.#wait(outcome);
  }

  #startFirst(): number {
    const input = this.#input;
    const { bytes } = this.#arena;
    const { requestBytesMax, outputBytesMax } = this.#host;
    const haveBytes = input.end - input.position;
    if (haveBytes < SIZE_FIELD_BYTES) return INCOMPLETE;
    const length = bytes.readInt32BE(input.position);
    if (length < FRAME_LENGTH_MIN || length > requestBytesMax) {
      const { cause, reason } = badLength(bytes, input.position, FRAME_LENGTH_MIN, requestBytesMax);
      this.close(cause, reason);
      return INCOMPLETE;
    }
    if (haveBytes < HEADER_START_BYTES) return INCOMPLETE;
    const headerStart = input.position + SIZE_FIELD_BYTES;
    decodeHeaderStart(reader.reset(bytes, headerStart, headerStart + 8), header);
    const { apiKey, apiVersion } = header;
    const row = this.#host.rowOf(apiKey);
    if (row === undefined || ((apiVersion < row.minVersion || apiVersion > row.maxVersion) && row.acceptsAnyVersion !== true)) {
      this.close('unknown-api', `${apiName(apiKey)} version ${apiVersion} is not served`);
      return INCOMPLETE;
    }
    const frameBytes = SIZE_FIELD_BYTES + length;
    input.reserveBytes = this.#host.reserves[row.order];
    if (haveBytes < frameBytes) {
      if (!this.#arena.canReceive(frameBytes, input.reserveBytes))
        this.close('memory', `a frame of ${length} bytes, more than the memory of this worker`);
      return INCOMPLETE;
    }
    if (this.#output.unsentBytes >= outputBytesMax) return OUTPUT;
    if (!this.#order.canStart(row.order)) return ORDER;
    if (row.keepsBody && input.slab === NO_SLAB && !input.gather()) return MEMORY;
    const request = this.#decode(row, frameBytes);
    return request === null ? INCOMPLETE : this.#hand(row, request, frameBytes);
  }

  /** The request of the first frame, which `header` was begun for; null: its header lies, and the connection is closed. */
  #decode(row: ApiRow, frameBytes: number): IncomingRequest | null {
    const { position } = this.#input;
    try {
      decodeHeaderRest(reader.reset(this.#arena.bytes, position + HEADER_START_BYTES, position + frameBytes), header, this.#clientId);
    } catch (error) {
      this.#refuse(error, 'the header of ');
      return null;
    }
    this.#clientId = header.clientId;
    let request = this.#held;
    if (request === null) {
      request = this.#host.takeRequest();
      request.assign(this);
    }
    request.apiKey = header.apiKey;
    request.apiVersion = header.apiVersion;
    request.correlationId = header.correlationId;
    request.clientId = header.clientId;
    request.hasFlexibleReply = isResponseHeaderFlexible(header.apiKey, header.apiVersion);
    request.position = reader.position;
    request.length = position + frameBytes - reader.position;
    if (row.keepsBody) {
      this.#arena.retain(this.#input.slab);
      request.bodySlab = this.#input.slab;
    }
    return request;
  }

  /** Gives the request to its handler. It may be ended, and this connection closed, when that returns. */
  #hand(row: ApiRow, request: IncomingRequest, frameBytes: number): number {
    request.sequence = this.#order.start(row.order, request);
    this.#held = null;
    let isTaken = false;
    try {
      isTaken = row.handle(request);
    } catch (error) {
      this.#refuse(error, '');
      // Not ended by the handler: after an end the object is the pool's, or the close above has dropped it.
      if (request.isTaken) this.#discard(request);
      return INCOMPLETE;
    }
    if (isTaken) {
      this.#host.counters.requests++;
      if (!this.#isClosing) this.#input.consume(frameBytes);
      return STARTED;
    }
    assert(request.isTaken, 'a handler did not take a request and yet ended it');
    if (request.hasBegunReply) request.abortReply();
    if (this.#isClosing) {
      this.#discard(request);
      return INCOMPLETE;
    }
    this.#order.cancel();
    this.#releaseBody(request);
    this.#held = request;
    return CREDIT;
  }

  /** A frame that can't be true closes this connection; any other error is ours. */
  #refuse(error: unknown, what: string): void {
    if (error instanceof DecodeError) {
      this.close('decode', `${what}${apiName(header.apiKey)} version ${header.apiVersion}: ${error.message}`);
    } else {
      this.#fail(error);
    }
  }

  /** An error of our own ends the instance. Until it has, nothing more is done here. */
  #fail(error: unknown): void {
    this.#isClosing = true;
    this.#host.fail(error);
  }

  /** Leaves the landing buffer; whether to read on. */
  #settle(): boolean {
    if (this.#isClosing) return false;
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
    if (this.#waitsFor === OUTPUT && this.#output.unsentBytes < this.#host.outputBytesMax) this.#host.runLater(this);
    this.#endWhenDone();
  }

  /** The other side has ended, or the broker stops, and everything that was taken is answered: then we end, too. */
  #endWhenDone(): void {
    if (!(this.#hasEnded || this.#isStopping) || this.#hasSaidEnd || this.#isClosing) return;
    if (this.#waitsFor !== INCOMPLETE || this.#order.count > 0 || this.#output.unsentBytes > 0) return;
    this.#hasSaidEnd = true;
    this.#transport.end();
  }

  #flush(): void {
    this.#chunks.drop();
    this.#output.flush();
  }

  #dropOutput(): void {
    this.#chunks.drop();
    this.#output.drop();
  }

  #dropHeld(): void {
    if (this.#held !== null) this.#discard(this.#held);
    this.#held = null;
  }

  #dropRequests(): void {
    this.#areRequestsDropped = true;
    this.#dropHeld();
    for (let request = this.#order.takeAny(); request !== null; request = this.#order.takeAny()) {
      if (request.isEnded) this.#discard(request); // The others are with handlers, which will end them.
    }
  }

  #discard(request: IncomingRequest): void {
    this.#releaseBody(request);
    this.#releaseReply(request);
    this.#host.freeRequest(request);
  }

  /** A request that was ended after the connection gave it up. */
  #discardLate(request: IncomingRequest): void {
    this.#discard(request);
    // Where its reply stood; what stands before it still leaves where the connection only stops.
    if (this.#isClosing) this.#dropOutput();
    else this.#flush();
  }

  #releaseBody(request: IncomingRequest): void {
    if (request.bodySlab === NO_SLAB) return;
    this.#arena.release(request.bodySlab);
    request.bodySlab = NO_SLAB;
  }

  #releaseReply(request: IncomingRequest): void {
    if (request.replySlab !== NO_SLAB) this.#arena.release(request.replySlab);
    request.replySlab = NO_SLAB;
    request.dropFiles();
  }
}
