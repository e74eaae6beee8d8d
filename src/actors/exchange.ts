// Requests and replies between workers: for each ordered pair, a worker with itself included, a request ring and a reply
// ring. Every request is answered exactly once, and the credit that lets it go keeps room for that answer: a reply never
// fails. Without a credit the caller's connection pauses, never the worker.
// Invariant: a reply is published only after the request ring's head is (see poll), so that whoever was refused because
// the ring was full finds room at the latest when the last reply has come back, and onCredits tells it.
// Runs on: each worker, an instance each, all over one region; several may live in one thread (tests, simulator).
// Not here: what requests mean, when to poll (run-loop.ts), how a bell reaches a thread (the injected callback).
import { assert, unreachable } from '../base/assert.ts';
import { Credits } from './credits.ts';
import { Doorbell } from './doorbell.ts';
import { exchangeLayout, payloadWordsMax, REPLY_RING, REQUEST_RING, recordWords } from './ring-layout.ts';
import { SharedWords, WORD_BYTES, type Words } from './shared-words.ts';
import { type RecordHandler, SpscRing } from './spsc-ring.ts';

/** Hears a request or a reply. The payload, `payloadWords` words from `index` (floats: from index >> 1), is valid only during the call. */
export type MessageHandler = (
  from: number,
  requestId: number,
  words: Int32Array,
  floats: Float64Array,
  index: number,
  payloadWords: number,
) => void;

interface ExchangeOptions {
  readonly selfIndex: number;
  readonly workerCount: number;
  /** Made by createExchangeRegion(workerCount, ringCapacityBytes); the same for all workers. */
  readonly region: SharedArrayBuffer;
  readonly ringCapacityBytes: number;
  /** Makes the thread of `target` run a turn soon. Called from ringDoorbells() only. */
  readonly ringDoorbell: (target: number) => void;
  /** What the shared accesses go through; SharedWords over the region unless a test puts its own there. */
  readonly words?: Words;
}

/** What this worker shares with one other (or with itself). */
interface Peer {
  readonly index: number;
  readonly requestsOut: SpscRing;
  readonly repliesOut: SpscRing;
  readonly requestsIn: SpscRing;
  readonly repliesIn: SpscRing;
  readonly credits: Credits;
  readonly hearRequest: RecordHandler;
  readonly hearReply: RecordHandler;
  /** The request of the open claim. */
  claimedId: number;
}

interface WakeSource {
  readonly check: () => boolean;
  readonly drain: (() => void) | undefined;
}

export class Exchange {
  readonly selfIndex: number;
  readonly workerCount: number;
  /** The largest payload of a request or a reply; the caller splits what is larger. */
  readonly maxPayloadWords: number;
  readonly #int32: Int32Array<SharedArrayBuffer>;
  readonly #float64: Float64Array<SharedArrayBuffer>;
  readonly #peers: Peer[] = [];
  readonly #requestHandlers: (MessageHandler | undefined)[] = [];
  readonly #replyHandlers: (MessageHandler | undefined)[] = [];
  readonly #wakeSources: WakeSource[] = [];
  readonly #creditListeners: (() => void)[] = [];
  readonly #doorbell: Doorbell;
  readonly #hasInbound = (): boolean => this.hasInbound();
  #outstandingTotal = 0;
  #isPolling = false;
  #firstPeer = 0; // Where the next poll starts, so that no peer is always last.

  constructor(options: ExchangeOptions) {
    const { selfIndex, workerCount, region, ringCapacityBytes } = options;
    const layout = exchangeLayout(workerCount, ringCapacityBytes);
    assert(selfIndex >= 0 && selfIndex < workerCount, `worker ${selfIndex} of ${workerCount}`);
    assert(region.byteLength >= layout.sizeBytes, `exchange region of ${region.byteLength} bytes, ${layout.sizeBytes} needed`);
    const words = options.words ?? new SharedWords(region);
    this.selfIndex = selfIndex;
    this.workerCount = workerCount;
    this.maxPayloadWords = payloadWordsMax(ringCapacityBytes);
    this.#int32 = new Int32Array(region);
    this.#float64 = new Float64Array(region, 0, region.byteLength >> 3);
    this.#doorbell = new Doorbell(words, selfIndex, layout.sleepingWord, options.ringDoorbell);
    const ring = (from: number, to: number, use: typeof REQUEST_RING | typeof REPLY_RING): SpscRing =>
      new SpscRing(words, layout.ringWord(from, to, use), ringCapacityBytes, from === to);
    for (let peer = 0; peer < workerCount; peer++) {
      const requestsOut = ring(selfIndex, peer, REQUEST_RING);
      const repliesOut = ring(selfIndex, peer, REPLY_RING);
      this.#peers.push({
        index: peer,
        requestsOut,
        repliesOut,
        requestsIn: peer === selfIndex ? requestsOut : ring(peer, selfIndex, REQUEST_RING),
        repliesIn: peer === selfIndex ? repliesOut : ring(peer, selfIndex, REPLY_RING),
        credits: new Credits(ringCapacityBytes / WORD_BYTES),
        hearRequest: (kind, requestId, index, payloadWords) => this.#hearRequest(peer, kind, requestId, index, payloadWords),
        hearReply: (kind, requestId, index, payloadWords) => this.#hearReply(peer, kind, requestId, index, payloadWords),
        claimedId: 0,
      });
    }
  }

  /**
   * Takes a credit for a request to `target` and room for its payload; `replyWords` payload words are kept for the reply.
   * Returns the index of the first payload word in requestWords(target), to be followed by commitRequest or abortRequest,
   * or -1: no credit, the caller pauses until onCredits. `requestId` (int32) is no other outstanding request's to that target.
   */
  tryRequest(target: number, kind: number, requestId: number, payloadWords: number, replyWords: number): number {
    if (replyWords < 0 || replyWords > this.maxPayloadWords) unreachable(`reply of ${replyWords} words, at most ${this.maxPayloadWords}`);
    const peer = this.#peer(target);
    if (!peer.credits.tryTake(requestId, recordWords(replyWords))) return -1;
    const index = peer.requestsOut.tryClaim(kind, requestId, payloadWords);
    if (index === -1) peer.credits.cancel(requestId);
    else {
      peer.claimedId = requestId;
      this.#outstandingTotal++;
    }
    return index;
  }

  requestWords(_target: number): Int32Array {
    return this.#int32;
  }

  /** The same memory as 64-bit floats, for integers below 2^53; at word index >> 1. */
  requestFloats(_target: number): Float64Array {
    return this.#float64;
  }

  commitRequest(target: number): void {
    const peer = this.#peer(target);
    peer.requestsOut.commit();
    if (!this.#isPolling) this.#publish(peer);
  }

  abortRequest(target: number): void {
    const peer = this.#peer(target);
    peer.requestsOut.abort();
    peer.credits.cancel(peer.claimedId);
    this.#outstandingTotal--;
  }

  /**
   * Starts the one reply to a request of `target`; returns the index of its first payload word in replyWords(target).
   * Never fails: `payloadWords` is at most what the requester kept for it.
   */
  beginReply(target: number, kind: number, requestId: number, payloadWords: number): number {
    const index = this.#peer(target).repliesOut.tryClaim(kind, requestId, payloadWords);
    if (index === -1) unreachable(`reply ${requestId} to worker ${target} found no room: it was not requested, or larger than reserved`);
    return index;
  }

  replyWords(_target: number): Int32Array {
    return this.#int32;
  }

  replyFloats(_target: number): Float64Array {
    return this.#float64;
  }

  commitReply(target: number): void {
    const peer = this.#peer(target);
    peer.repliesOut.commit();
    if (!this.#isPolling) this.#publish(peer);
  }

  /** Gives up the reply that was begun: it will be begun once more. */
  abortReply(target: number): void {
    this.#peer(target).repliesOut.abort();
  }

  /** The one handler of all requests of this kind (a small non-negative integer). */
  onRequest(kind: number, handler: MessageHandler): void {
    assert(this.#requestHandlers[kind] === undefined, `requests of kind ${kind} have a handler already`);
    this.#requestHandlers[kind] = handler;
  }

  onReply(kind: number, handler: MessageHandler): void {
    assert(this.#replyHandlers[kind] === undefined, `replies of kind ${kind} have a handler already`);
    this.#replyHandlers[kind] = handler;
  }

  /** `listener` is called after a poll in which credits came back: paused connections try again. */
  onCredits(listener: () => void): void {
    this.#creditListeners.push(listener);
  }

  /**
   * Makes this worker stay awake while `check` says that it was given something outside the rings (bits that other workers
   * set, followed by signal). `drain`, where given, is called by poll() when `check` says so.
   */
  addWakeSource(check: () => boolean, drain?: () => void): void {
    this.#wakeSources.push({ check, drain });
  }

  /**
   * Hears up to `limit` replies, then up to `limit` requests, then drains wake sources; returns how many messages were
   * heard. What handlers commit is published when the batch it came from is done: one store and one bell for many, and
   * after the head of the ring that was read.
   */
  poll(limit: number): number {
    assert(!this.#isPolling, 'poll is not called from a handler');
    this.#isPolling = true;
    let haveCredits = false;
    let replyCount = 0;
    let requestCount = 0;
    try {
      const first = this.#firstPeer;
      this.#firstPeer = first + 1 < this.workerCount ? first + 1 : 0;
      for (let i = 0; i < this.workerCount && replyCount < limit; i++) {
        const peer = this.#peer((first + i) % this.workerCount);
        const heard = peer.repliesIn.read(peer.hearReply, limit - replyCount);
        if (heard === 0) continue;
        replyCount += heard;
        haveCredits = peer.credits.settle() || haveCredits;
        this.#publishAll();
      }
      for (let i = 0; i < this.workerCount && requestCount < limit; i++) {
        const peer = this.#peer((first + i) % this.workerCount);
        const heard = peer.requestsIn.read(peer.hearRequest, limit - requestCount);
        if (heard === 0) continue;
        requestCount += heard;
        this.#publishAll();
      }
    } finally {
      this.#isPolling = false;
    }
    for (const source of this.#wakeSources) {
      if (source.drain !== undefined && source.check()) source.drain();
    }
    if (haveCredits) for (const listener of this.#creditListeners) listener();
    return replyCount + requestCount;
  }

  /** Whether poll() has something to do. */
  hasInbound(): boolean {
    for (const peer of this.#peers) {
      if (!peer.repliesIn.isEmpty() || !peer.requestsIn.isEmpty()) return true;
    }
    for (const source of this.#wakeSources) {
      if (source.check()) return true;
    }
    return false;
  }

  /** `target` was given something outside the rings, already visible: it gets a bell at the end of this turn if it sleeps. */
  signal(target: number): void {
    this.#doorbell.mark(target);
  }

  /** End of the turn: one bell for each sleeping worker that was given something. */
  ringDoorbells(): void {
    this.#doorbell.ringMarked();
  }

  /** Says "asleep" and looks at everything once more; true: this thread may block. false: there is work, don't sleep. */
  trySleep(): boolean {
    return this.#doorbell.trySleep(this.#hasInbound);
  }

  /** To be called when the thread runs again after trySleep() gave true. */
  awake(): void {
    this.#doorbell.awake();
  }

  /** Requests to `target` that have not been answered. */
  outstandingCount(target: number): number {
    return this.#peer(target).credits.outstandingCount;
  }

  /** Requests to all workers together that have not been answered: credits in use. */
  get outstandingTotal(): number {
    return this.#outstandingTotal;
  }

  #hearRequest(from: number, kind: number, requestId: number, index: number, payloadWords: number): void {
    const handler = this.#requestHandlers[kind];
    if (handler === undefined) unreachable(`no handler for requests of kind ${kind}`);
    handler(from, requestId, this.#int32, this.#float64, index, payloadWords);
  }

  #hearReply(from: number, kind: number, requestId: number, index: number, payloadWords: number): void {
    this.#peer(from).credits.replied(requestId, recordWords(payloadWords));
    this.#outstandingTotal--;
    const handler = this.#replyHandlers[kind];
    if (handler === undefined) unreachable(`no handler for replies of kind ${kind}`);
    handler(from, requestId, this.#int32, this.#float64, index, payloadWords);
  }

  #publish(peer: Peer): void {
    const hasRequests = peer.requestsOut.publish();
    const hasReplies = peer.repliesOut.publish();
    if (hasRequests || hasReplies) this.#doorbell.mark(peer.index);
  }

  #publishAll(): void {
    for (const peer of this.#peers) this.#publish(peer);
  }

  #peer(index: number): Peer {
    const peer = this.#peers[index];
    if (peer === undefined) unreachable(`worker ${index} of ${this.workerCount}`);
    return peer;
  }
}
