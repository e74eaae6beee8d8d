// A request on its way through the broker: its header, where its body lies, and the one reply it gets.
// Objects are pooled by worker: whoever ended a request must not touch it again.
// States: free → taken → (reply begun) → ended. Invariant: each taken request is ended exactly once, also when its connection
// has closed meanwhile (the reply is then dropped, the memory freed).
// Runs on: the worker of the connection. Not here: framing (frame-cutter.ts), the order of replies (request-order.ts).
import { assert, unreachable } from '../base/assert.ts';
import type { RequestHeader } from '../protocol/header.ts';
import type { ConnectionInfo } from './connection-info.ts';
import type { FileRange } from './file-range.ts';

/** Size field, correlation id, and the empty tag section of flexible versions. */
export const REPLY_HEADER_BYTES_MAX = 9;

const FREE = 0;
const TAKEN = 1;
const REPLYING = 2;
const ENDED = 3;

/** The connection, as its requests see it. */
export interface RequestOwner extends ConnectionInfo {
  /** Sets replyBytes, replyStart, replySlab of `request` to room for `sizeBytes`; false when memory is out and `mayUseHeap` isn't set. */
  claimReply(request: IncomingRequest, sizeBytes: number, mayUseHeap: boolean): boolean;
  /** Its handler found no memory for what it needs to take a request. */
  memoryRefused(): void;
  /** Bytes of the slab that the frame of the request lies in which is handed to its handler just now; 0: of none. */
  readonly heldBytes: number;
  /** Gives back what was claimed for the reply. */
  abandonReply(request: IncomingRequest): void;
  /** The request is ended; its reply, where replySizeBytes > 0, is complete. */
  requestEnded(request: IncomingRequest): void;
  /** The same, and the connection ends with it. */
  requestRefused(request: IncomingRequest, reason: string): void;
  /** An answer has this error code in it, for the counters. */
  noteError(apiKey: number, errorCode: number): void;
}

export class IncomingRequest implements RequestHeader {
  apiKey = 0;
  apiVersion = 0;
  correlationId = 0;
  clientId: string | null = null;
  /** Whose arena `bytes` is: this worker's index. Only with (position, length) of a kept body a descriptor for others. */
  readonly arenaIndex: number;
  /** The whole arena; the body is [position, position + length). */
  readonly bytes: Buffer;
  position = 0;
  length = 0;

  /** What the reply's body is written into, from the position that beginReply returned. Not always the arena. */
  replyBytes: Buffer;

  // The connection's own notes; handlers leave them alone.
  /** Position of the reply's size field in replyBytes, and bytes from there. 0 bytes: no reply. */
  replyStart = 0;
  replySizeBytes = 0;
  /** The slab with one reference held for the reply, or -1 (heap). */
  replySlab = -1;
  /** Ranges of files that belong to the reply, in order, and in front of which position of replyBytes each is sent. */
  readonly files: FileRange[] = [];
  readonly filePositions: number[] = [];
  /** The slab with one reference held for the body, or -1. */
  bodySlab = -1;
  /** On the monotonic clock: the read that brought the last of it, the call of its handler, its end (only where somebody asks for that). */
  receivedMs = 0;
  handledMs = 0;
  endedMs = 0;
  /** Number in its connection's RequestOrder. */
  sequence = 0;
  /** Whether the response header of this API and version has a tag section. */
  hasFlexibleReply = false;

  #owner: RequestOwner | null = null;
  #state = FREE;

  constructor(arenaIndex: number, bytes: Buffer) {
    this.arenaIndex = arenaIndex;
    this.bytes = bytes;
    this.replyBytes = bytes;
  }

  get connection(): ConnectionInfo {
    return this.#ownerOf('the connection of');
  }

  /**
   * Room for a reply whose body is exactly `bodyBytes` long; everything in front of the body is written already. Returns
   * where the body begins in `replyBytes` (read that anew after this). Takes memory from the heap when the arena has none:
   * for replies of some KB; what may be large asks tryBeginReply.
   */
  beginReply(bodyBytes: number): number {
    return this.#begin(bodyBytes, true);
  }

  /** The same for large replies: -1 when the arena has no room; nothing has begun then, and `handle` may return false. */
  tryBeginReply(bodyBytes: number): number {
    return this.#begin(bodyBytes, false);
  }

  /** Says that there was no memory for something else than the reply, before `handle` returns false. */
  memoryRefused(): void {
    this.#ownerOf('no memory for').memoryRefused();
  }

  /** Inside `handle`: bytes of the slab that its own frame holds until it is taken; 0: it lies in no slab. */
  get heldBytes(): number {
    return this.#ownerOf('the frame of').heldBytes;
  }

  /** A range of a file belongs to the reply that was begun, in front of its byte at `position`. Ranges are added in order; this leaves them. */
  addFile(position: number, range: FileRange): void {
    assert(this.#state === REPLYING, 'no reply was begun');
    this.files.push(range);
    this.filePositions.push(position);
    putInt32(this.replyBytes, this.replyStart, this.replyBytes.readInt32BE(this.replyStart) + range.length);
  }

  /** Bytes of the whole reply, what leaves from files included; 0 without one. */
  get replyFrameBytes(): number {
    let sizeBytes = this.replySizeBytes;
    for (const range of this.files) sizeBytes += range.length;
    return sizeBytes;
  }

  /** Nobody wants the reply any more. */
  dropFiles(): void {
    if (this.files.length === 0) return;
    for (const range of this.files) range.leave();
    this.files.length = 0;
    this.filePositions.length = 0;
  }

  /** Gives up a reply that was begun, so that another can begin or `handle` can return false. */
  abortReply(): void {
    assert(this.#state === REPLYING, 'no reply was begun');
    this.#ownerOf('the reply to').abandonReply(this);
    this.replySizeBytes = 0;
    this.#state = TAKEN;
  }

  /** The body is written: the reply leaves at the end of the turn, behind those of all earlier requests. */
  endReply(): void {
    assert(this.#state === REPLYING, 'no reply was begun');
    this.#state = ENDED;
    this.#ownerOf('the reply to').requestEnded(this);
  }

  /** The request is ended without an answer (acks=0). */
  noReply(): void {
    assert(this.#state === TAKEN, 'a request ends once, and without a reply only when none was begun');
    this.#state = ENDED;
    this.#ownerOf('the end of').requestEnded(this);
  }

  /** The request is ended, its connection closed for `reason` (a log line and a counter). Replies to earlier ones may still leave. */
  close(reason: string): void {
    assert(this.#state === TAKEN || this.#state === REPLYING, 'a request ends once');
    this.#state = ENDED;
    this.#ownerOf('the end of').requestRefused(this, reason);
  }

  /** The answer, or a part of it, says this error code: for the counters. An ErrorSink. */
  noteError(errorCode: number): void {
    this.#owner?.noteError(this.apiKey, errorCode);
  }

  /** Out of the pool, for `owner`. */
  assign(owner: RequestOwner): void {
    assert(this.#state === FREE, 'a request in use was handed out again');
    this.#state = TAKEN;
    this.#owner = owner;
    this.replySizeBytes = 0;
    this.replySlab = -1;
    this.bodySlab = -1;
  }

  /** Back to the pool. Slabs are released before. */
  free(): void {
    this.#state = FREE;
    this.#owner = null;
    this.clientId = null;
    this.replyBytes = this.bytes;
  }

  get isEnded(): boolean {
    return this.#state === ENDED;
  }

  /** Handed out and not ended. */
  get isTaken(): boolean {
    return this.#state === TAKEN || this.#state === REPLYING;
  }

  get hasBegunReply(): boolean {
    return this.#state === REPLYING;
  }

  #begin(bodyBytes: number, mayUseHeap: boolean): number {
    assert(this.#state === TAKEN, 'a request has one reply');
    if (bodyBytes < 0) unreachable(`a body of ${bodyBytes} bytes`);
    const headerBytes = this.#headerBytes();
    const sizeBytes = headerBytes + bodyBytes;
    if (!this.#ownerOf('the reply to').claimReply(this, sizeBytes, mayUseHeap)) return -1;
    this.#state = REPLYING;
    this.replySizeBytes = sizeBytes;
    const start = this.replyStart;
    const bytes = this.replyBytes;
    putInt32(bytes, start, sizeBytes - 4);
    putInt32(bytes, start + 4, this.correlationId);
    if (this.hasFlexibleReply) bytes[start + 8] = 0;
    return start + headerBytes;
  }

  #headerBytes(): number {
    return this.hasFlexibleReply ? REPLY_HEADER_BYTES_MAX : REPLY_HEADER_BYTES_MAX - 1;
  }

  #ownerOf(what: string): RequestOwner {
    const owner = this.#owner;
    if (owner === null) unreachable(`${what} a request that has ended`);
    return owner;
  }
}

function putInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
