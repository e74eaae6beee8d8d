// The requests of a connection that started and are not answered, the one that its handler could not take yet, and what each holds.
// Invariant: what a request holds (its body, its reply, ranges of files) is given back once, by whoever takes it out of here.
// Runs on: the worker of the connection. One per connection. Not here: which may start (request-order.ts), what is sent (replies.ts).
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import type { IncomingRequest, RequestOwner } from './incoming-request.ts';
import type { OrderClass } from './request-order.ts';
import { RequestOrder } from './request-order.ts';

/** Where requests come from and go to. */
export interface RequestPool {
  takeRequest(): IncomingRequest;
  freeRequest(request: IncomingRequest): void;
}

export class OpenRequests {
  /** Those with handlers are no longer in the order: when they end, nobody waits for them. */
  areDropped = false;
  readonly #order: RequestOrder<IncomingRequest>;
  readonly #arena: SlabArena;
  readonly #pool: RequestPool;
  #held: IncomingRequest | null = null; // Its handler could not take it; its frame stands first.

  constructor(arena: SlabArena, pool: RequestPool, inflightMax: number) {
    this.#arena = arena;
    this.#pool = pool;
    this.#order = new RequestOrder(inflightMax);
  }

  /** Requests that started and whose replies are not queued. */
  get count(): number {
    return this.#order.count;
  }

  /** The one whose reply leaves next; null: none is open. */
  get oldest(): IncomingRequest | null {
    return this.#order.oldest;
  }

  get orderClass(): OrderClass {
    return this.#order.orderClass;
  }

  /** Requests that were ever started; may wrap. */
  get startedCount(): number {
    return this.#order.startedCount;
  }

  canStart(orderClass: OrderClass): boolean {
    return this.#order.canStart(orderClass);
  }

  /** The object for the first frame: the one that its handler could not take before, or a new one. */
  take(owner: RequestOwner): IncomingRequest {
    const held = this.#held;
    this.#held = null;
    if (held !== null) return held;
    const request = this.#pool.takeRequest();
    request.assign(owner);
    return request;
  }

  start(orderClass: OrderClass, request: IncomingRequest): void {
    request.sequence = this.#order.start(orderClass, request);
  }

  /** Its handler could not take the request that was started last: it is kept until its frame comes again. */
  hold(request: IncomingRequest): void {
    this.#order.cancel();
    this.releaseBody(request);
    this.#held = request;
  }

  /** The request is ended. Then `takeReady` says whose replies may leave. */
  answer(request: IncomingRequest): void {
    this.releaseBody(request);
    this.#order.answer(request.sequence);
  }

  /** The next request whose reply may leave; null: none yet. */
  takeReady(): IncomingRequest | null {
    return this.#order.takeReady();
  }

  /** Nobody waits for the answers any more. Requests that are with handlers are ended by those, and discarded then. */
  drop(): void {
    this.areDropped = true;
    this.dropHeld();
    for (let request = this.#order.takeAny(); request !== null; request = this.#order.takeAny()) {
      if (request.isEnded) this.discard(request);
    }
  }

  dropHeld(): void {
    if (this.#held !== null) this.discard(this.#held);
    this.#held = null;
  }

  /** Gives back the request and all that it holds. */
  discard(request: IncomingRequest): void {
    this.releaseBody(request);
    this.releaseReply(request);
    this.#pool.freeRequest(request);
  }

  releaseBody(request: IncomingRequest): void {
    if (request.bodySlab === NO_SLAB) return;
    this.#arena.release(request.bodySlab);
    request.bodySlab = NO_SLAB;
  }

  releaseReply(request: IncomingRequest): void {
    if (request.replySlab !== NO_SLAB) this.#arena.release(request.replySlab);
    request.replySlab = NO_SLAB;
    request.dropFiles();
  }
}
