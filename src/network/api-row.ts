// What the network layer is told of an API: which versions there are, what its handler needs of the bytes, what may overlap.
// Invariant: this is all it knows of topics and logs. The table itself is made by the broker.
// Pure (types only).
import type { IncomingRequest } from './incoming-request.ts';
import type { OrderClass } from './request-order.ts';

/** A served API. */
export interface ApiRow {
  readonly apiKey: number;
  /** Inclusive. Requests outside of the range close the connection, as with Kafka … */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** … unless this is set: then they reach the handler too, which answers in a version that every client reads (ApiVersions). */
  readonly acceptsAnyVersion?: boolean;
  /**
   * The body is read after `handle` has returned: it lies in a slab that lives until the request is ended, and may be named
   * to other workers by (arenaIndex, position, length). Without it the body is valid inside `handle` only.
   */
  readonly keepsBody: boolean;
  /** 'barrier': starts when all before it are answered. Requests of the same other class overlap. */
  readonly order: OrderClass;
  /** It may stay open for long though nothing is slow here: it waits for records that others write, or for members of a group. */
  readonly waitsForOthers?: boolean;
  /**
   * Takes the request and ends it, now or in a later turn, by exactly one of endReply, noReply and close. False: it can't be
   * taken now (no credit, no memory) and nothing was done for it; it comes again, the same object, when credits or memory
   * came back or NetworkActor.retry was called; where it was memory for anything but the reply, memoryRefused was called before.
   * A thrown DecodeError closes this connection; anything else is our own fault and ends the broker instance.
   */
  handle(request: IncomingRequest): boolean;
}
