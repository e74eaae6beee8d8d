// Who is paused first when a worker's memory runs short: each class of requests leaves a part of the arena to the classes behind it,
// so that producers stop while consumers are still served, and consumers while coordinators and the rest still are. What raft
// writes and sends takes nothing from the arena, so it is never paused.
// Pure. Not here: how a connection waits (request-dispatcher.ts), who goes on first (memory-waiters.ts). Reasons: docs/internals/memory.md.
import type { OrderClass } from './request-order.ts';

/** The part of the arena that a class leaves untouched. */
const RESERVED_PART = { produce: 1 / 8, fetch: 1 / 16, barrier: 0 };

/** Bytes of an arena that requests of a class, and their large replies, leave to others: more means paused earlier. */
export type MemoryReserves = { readonly [order in OrderClass]: number };

export function memoryReserves(capacityBytes: number): MemoryReserves {
  const { produce, fetch, barrier } = RESERVED_PART;
  return {
    produce: Math.floor(capacityBytes * produce),
    fetch: Math.floor(capacityBytes * fetch),
    barrier: Math.floor(capacityBytes * barrier),
  };
}
