// The asking side of the partition messages: a call gathers entries for any number of partitions, goes to each owner as one ring
// record (more only when it would be too large for the ring), and is done when every owner has answered.
// Invariant: pieces for one owner leave in the order in which their calls were sent, also when they had to wait for a credit;
// so two produce requests of a connection reach a partition in their order.
// Calls and pieces are pooled: a call belongs to its user from `begin` until `end`.
// Runs on: every worker that has connections.
import type { Exchange } from '../actors/exchange.ts';
import { assert, unreachable } from '../base/assert.ts';
import { ARENA, ENTRY_COUNT, HEADER_WORDS, METADATA_OFFSET, REPLY_ENTRY_WORDS, REQUEST_ENTRY_WORDS } from './partition-messages.ts';
import { PartitionMeter } from './partition-meter.ts';

const KINDS = Object.keys(REQUEST_ENTRY_WORDS).map(Number);
const POOLED_MAX = 1024;
/** In place of an owner. */
const ANSWERED = -1;

/** Entries of one kind for any partitions, and, once done, the replies in the same order. */
export class PartitionCall {
  readonly kind: number;
  readonly requestEntryWords: number;
  readonly replyEntryWords: number;
  count = 0;
  requestWords: Int32Array;
  requestFloats: Float64Array;
  replyWords: Int32Array;
  replyFloats: Float64Array;
  owners: Int32Array;
  /** Of each entry, the next one of the same owner; of its last one nothing that counts. */
  nextOfOwner: Int32Array;
  /** Pieces that are queued or under way. */
  outstanding = 0;
  onDone: ((call: PartitionCall) => void) | null = null;

  constructor(kind: number, capacity: number) {
    this.kind = kind;
    this.requestEntryWords = REQUEST_ENTRY_WORDS[kind] as number;
    this.replyEntryWords = REPLY_ENTRY_WORDS[kind] as number;
    this.requestFloats = new Float64Array((capacity * this.requestEntryWords) / 2);
    this.requestWords = new Int32Array(this.requestFloats.buffer);
    this.replyFloats = new Float64Array((capacity * this.replyEntryWords) / 2);
    this.replyWords = new Int32Array(this.replyFloats.buffer);
    this.owners = new Int32Array(capacity);
    this.nextOfOwner = new Int32Array(capacity);
  }

  get capacity(): number {
    return this.owners.length;
  }

  /** Adds an entry for a partition that `owner` owns; returns the index of its first word in requestWords. */
  add(owner: number): number {
    assert(this.count < this.capacity, 'more entries than the call was begun with');
    this.owners[this.count] = owner;
    return this.count++ * this.requestEntryWords;
  }

  /** Adds an entry that needs no owner: its reply is written by the caller, into words that are zero. Returns the reply's first word. */
  addAnswered(): number {
    if (this.count >= this.capacity) unreachable('more entries than the call was begun with');
    this.owners[this.count] = ANSWERED;
    const at = this.count++ * this.replyEntryWords;
    this.replyWords.fill(0, at, at + this.replyEntryWords);
    return at;
  }

  /** Index of the first word of entry `index` in replyWords. */
  reply(index: number): number {
    return index * this.replyEntryWords;
  }
}

/** What goes to one owner in one ring record: `count` entries of a call, from `first` on by nextOfOwner. */
interface Piece {
  call: PartitionCall;
  target: number;
  first: number;
  count: number;
}

/** In free pieces: they would keep calls that are too large to be given again. */
const NO_CALL = new PartitionCall(KINDS[0] as number, 0);

export class PartitionClient {
  readonly #exchange: Exchange;
  readonly #metadataOffset: () => number;
  readonly #wake: () => void;
  readonly #meter: PartitionMeter;
  readonly #freeCalls = new Map<number, PartitionCall[]>(KINDS.map((kind) => [kind, []]));
  readonly #freePieces: Piece[] = [];
  readonly #underWay: (Piece | null)[] = [];
  readonly #freeIds: number[] = [];
  /** By owner: pieces without a credit, oldest first. */
  readonly #waiting: Piece[][];
  /** By owner, of the call that is being sent: its first entry, and how many it has. */
  readonly #firsts: Int32Array;
  readonly #counts: Int32Array;

  /** `wake` is Runtime.wake: a request that a socket's callback sends would wait for the next turn, and nothing else might bring one. */
  constructor(exchange: Exchange, metadataOffset: () => number, wake: () => void, meter = new PartitionMeter()) {
    this.#exchange = exchange;
    this.#metadataOffset = metadataOffset;
    this.#wake = wake;
    this.#meter = meter;
    this.#waiting = Array.from({ length: exchange.workerCount }, () => []);
    this.#firsts = new Int32Array(exchange.workerCount);
    this.#counts = new Int32Array(exchange.workerCount);
    for (const kind of KINDS) {
      exchange.onReply(kind, (_from, requestId, words, floats, index) => this.#onReply(requestId, words, floats, index));
    }
    exchange.onCredits(() => this.#drain());
  }

  /** A call with room for `capacity` entries. */
  begin(kind: number, capacity: number, onDone: (call: PartitionCall) => void): PartitionCall {
    const free = this.#freeCalls.get(kind) as PartitionCall[];
    let call = free.pop();
    if (call === undefined || call.capacity < capacity) call = new PartitionCall(kind, Math.max(8, capacity));
    call.count = 0;
    call.onDone = onDone;
    return call;
  }

  /** Gives a call back; its arrays must not be looked at any more. */
  end(call: PartitionCall): void {
    call.onDone = null;
    const free = this.#freeCalls.get(call.kind) as PartitionCall[];
    if (free.length < POOLED_MAX && call.capacity <= 1024) free.push(call);
  }

  /** Sends all entries; `onDone` runs in a later message of this or a later turn, never inside this call. */
  send(call: PartitionCall): void {
    assert(call.count > 0, 'a call without entries has nobody to answer it');
    call.outstanding = 0;
    this.#chain(call);
    const fits = this.#entriesPerPiece(call);
    for (let target = 0; target < this.#counts.length; target++) {
      let first = this.#firsts[target] as number;
      for (let left = this.#counts[target] as number; left > 0; left -= fits) {
        const count = Math.min(left, fits);
        call.outstanding++;
        this.#queue(this.#pieceOf(call, target, first, count));
        if (left > fits) for (let passed = 0; passed < count; passed++) first = call.nextOfOwner[first] as number;
      }
    }
    assert(call.outstanding > 0, 'a call that is answered whole needs no sending');
    this.#wake();
  }

  /** Pieces that wait for a credit, for the gauges. */
  get waitingCount(): number {
    return this.#waiting.reduce((sum, queue) => sum + queue.length, 0);
  }

  /** Links the entries of each owner, in their order. */
  #chain({ count, owners, nextOfOwner }: PartitionCall): void {
    this.#counts.fill(0);
    for (let index = count - 1; index >= 0; index--) {
      const owner = owners[index] as number;
      if (owner === ANSWERED) continue;
      nextOfOwner[index] = this.#firsts[owner] as number;
      this.#firsts[owner] = index;
      this.#counts[owner] = (this.#counts[owner] as number) + 1;
    }
  }

  #pieceOf(call: PartitionCall, target: number, first: number, count: number): Piece {
    const piece = this.#freePieces.pop();
    if (piece === undefined) return { call, target, first, count };
    piece.call = call;
    piece.target = target;
    piece.first = first;
    piece.count = count;
    return piece;
  }

  #entriesPerPiece(call: PartitionCall): number {
    const widest = Math.max(call.requestEntryWords, call.replyEntryWords);
    const fits = Math.floor((this.#exchange.maxPayloadWords - HEADER_WORDS) / widest);
    assert(fits > 0, 'a ring must hold at least one entry');
    return fits;
  }

  #queue(piece: Piece): void {
    const queue = this.#waiting[piece.target] as Piece[];
    if (queue.length > 0 || !this.#trySend(piece)) queue.push(piece);
  }

  #drain(): void {
    for (const queue of this.#waiting) {
      let sent = 0;
      while (sent < queue.length && this.#trySend(queue[sent] as Piece)) sent++;
      if (sent > 0) queue.splice(0, sent);
    }
  }

  #trySend(piece: Piece): boolean {
    const { call, target, first, count } = piece;
    const requestId = this.#freeIds.pop() ?? this.#underWay.length;
    const payloadWords = HEADER_WORDS + count * call.requestEntryWords;
    const replyWords = HEADER_WORDS + count * call.replyEntryWords;
    const at = this.#exchange.tryRequest(target, call.kind, requestId, payloadWords, replyWords);
    if (at < 0) {
      if (requestId < this.#underWay.length) this.#freeIds.push(requestId);
      return false;
    }
    this.#underWay[requestId] = piece;
    const words = this.#exchange.requestWords(target);
    words[at + ENTRY_COUNT] = count;
    words[at + METADATA_OFFSET] = this.#metadataOffset() | 0;
    words[at + ARENA] = this.#exchange.selfIndex;
    let to = at + HEADER_WORDS;
    for (let sent = 0, entry = first; sent < count; sent++, entry = call.nextOfOwner[entry] as number) {
      const from = entry * call.requestEntryWords;
      for (let word = 0; word < call.requestEntryWords; word++) words[to + word] = call.requestWords[from + word] as number;
      to += call.requestEntryWords;
    }
    this.#exchange.commitRequest(target);
    this.#meter.asked(call.kind, target !== this.#exchange.selfIndex, count);
    return true;
  }

  #onReply(requestId: number, words: Int32Array, _floats: Float64Array, index: number): void {
    const piece = this.#underWay[requestId];
    assert(piece !== null && piece !== undefined, 'a reply to a request that is not under way');
    this.#underWay[requestId] = null;
    this.#freeIds.push(requestId);
    const { call, first, count } = piece;
    piece.call = NO_CALL;
    if (this.#freePieces.length < POOLED_MAX) this.#freePieces.push(piece);
    let from = index + HEADER_WORDS;
    for (let heard = 0, entry = first; heard < count; heard++, entry = call.nextOfOwner[entry] as number) {
      const to = entry * call.replyEntryWords;
      for (let word = 0; word < call.replyEntryWords; word++) call.replyWords[to + word] = words[from + word] as number;
      from += call.replyEntryWords;
    }
    if (--call.outstanding === 0) call.onDone?.(call);
  }
}
