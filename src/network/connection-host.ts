// What a connection needs of its worker: what all connections there share, and whom it tells that something is due or over.
// Pure (types only). The network actor is it.
import type { SlabArena } from '../actors/slab-arena.ts';
import type { Connection } from './connection.ts';
import type { FrameCutter } from './frame-cutter.ts';
import type { LandingBuffer } from './landing-buffer.ts';
import type { MemoryReserves } from './memory-order.ts';
import type { CloseCause, NetworkCounters } from './network-counters.ts';
import type { RequestPool } from './open-requests.ts';

/** What all connections of a worker share: the network actor. */
export interface ConnectionHost extends RequestPool {
  readonly arena: SlabArena;
  readonly landing: LandingBuffer;
  readonly counters: NetworkCounters;
  readonly cutter: FrameCutter;
  readonly inflightMax: number;
  readonly outputBytesMax: number;
  readonly reserves: MemoryReserves;
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
