// What a connection and its worker know of each other: what all connections there share, whom one tells that something is due or over,
// and what it is told.
// Pure. The one is the network actor, the other connection.ts.
import type { SlabArena } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { ConnectionInfo } from './connection-info.ts';
import type { FrameCutter } from './frame-cutter.ts';
import type { LandingBuffer } from './landing-buffer.ts';
import type { MemoryReserves } from './memory-order.ts';
import type { CloseCause, NetworkCounters } from './network-counters.ts';
import type { RequestPool } from './open-requests.ts';
import type { RequestMeter } from './request-meter.ts';

/** What has to come or go in `naru.connection.stall.ms`, so that a connection is slow and not stuck. */
export const SLOW_BYTES = 16 * KIB;

/** A connection, as its worker sees it. */
export interface HostedConnection extends ConnectionInfo {
  /** As in Acceptance. */
  readonly ticket: number;
  /** Bytes that have come. */
  readonly activity: number;
  /** What was seen of `activity` and `sentBytes`, and since when that has been the same. The worker's. */
  activitySeen: number;
  activeMs: number;
  /** It stands on the list of those to flush. The worker's. */
  isFlushDue: boolean;
  readonly isWaitingForMemory: boolean;
  readonly isWaitingForCredit: boolean;
  /** It is memory that its handler lacked: for a reply, or to hand the request on. */
  readonly lacksMemory: boolean;
  /** Bytes of the arena that are left to others while it waits for memory. */
  readonly reserveBytes: number;
  /** Bytes of the slab that it waits for. */
  readonly lackedBytes: number;
  /** Bytes of a slab that nothing which goes on here gives back: only the rest of a frame, memory for a handler, or the end of this connection. */
  readonly stuckBytes: number;
  /** Bytes of the slab that it holds for what has come and is not taken by a handler. */
  readonly heldBytes: number;
  /** Whether it is the rest of a frame that is missing, and that has room to come. */
  readonly isReceiving: boolean;
  /** Whether what it holds memory for waits behind a request of its own that waits for others, perhaps for ever. */
  readonly isBehindItself: boolean;
  /** While one of these two holds: grows by SLOW_BYTES at least while it goes on. */
  readonly progress: number;
  /** Bytes of replies in memory that the kernel has not taken. */
  readonly unsentMemoryBytes: number;
  /** Replies that are on their way have ranges of files in them, which stay open meanwhile. */
  readonly owesFileRanges: boolean;
  /** Bytes that the kernel has taken since the start, as far as that is known. */
  readonly sentBytes: number;
  /** Goes on with what waited, if that is possible now. Called inside a turn, from no callback of the transport. */
  run(): void;
  flush(): void;
  /** Closes whatever is pending; replies that are complete are still handed to the transport. `reason` is for the log. */
  close(cause: CloseCause, reason: string): void;
  /** The broker stops. */
  stop(): void;
  /** The broker has failed: breaks the connection off, and nothing else. */
  abandon(): void;
}

/** What all connections of a worker share: the network actor. */
export interface ConnectionHost extends RequestPool {
  readonly arena: SlabArena;
  readonly landing: LandingBuffer;
  readonly counters: NetworkCounters;
  readonly meter: RequestMeter;
  readonly cutter: FrameCutter;
  readonly inflightMax: number;
  readonly outputBytesMax: number;
  readonly reserves: MemoryReserves;
  /** Calls `flush` at the end of this turn. */
  flushLater(connection: HostedConnection): void;
  /** Replies of a connection have left by themselves, outside of a turn. */
  flushed(): void;
  /** Calls `run` in this turn or the next: what it waited for is over. */
  runLater(connection: HostedConnection): void;
  /** Calls `run` when memory came back: first come, first served. */
  runWithMemory(connection: HostedConnection): void;
  /** A claim of memory failed whose owner tries again by itself. */
  memoryRefused(): void;
  /** Calls `run` when credits or memory came back. */
  runWithCredits(connection: HostedConnection): void;
  /** The connection takes no more part; its transport closes. `reason` is for the log. */
  connectionClosing(connection: HostedConnection, cause: CloseCause, reason: string): void;
  /** The transport is closed, too. */
  connectionClosed(connection: HostedConnection): void;
  /** An error of our own. */
  fail(error: unknown): void;
  /** The monotonic clock. */
  nowMs(): number;
}
