// What the network layer of a worker has counted since it started, in that worker's slots: written by it, read by anybody.
// Pure.
import { BLOCK_SLOTS } from '../telemetry/worker-slots.ts';

/** Why a connection ended; the names are the labels of the counter. */
export const CLOSE_CAUSES = [
  'peer', // The other side closed it.
  'reset', // The network or the other side broke it off.
  'frame-size', // A frame longer than socket.request.max.bytes, or negative.
  'not-kafka', // Another protocol, or noise.
  'unknown-api', // A key or version that is not served.
  'decode', // A length inside of a frame that can't be true.
  'memory', // A frame that this worker has no memory for.
  'idle', // Nothing came or went for connections.max.idle.ms.
  'replaced', // It made room under max.connections for one between brokers.
  'handler', // A handler's decision (acks=0 with an error, …).
  'shutdown',
] as const;

export type CloseCause = (typeof CLOSE_CAUSES)[number];

/** By slot. */
const COUNTS = [
  'connectionsOpened',
  'connectionsOpen',
  'requests',
  'replies',
  /** Reads that brought something, writes that were started: system calls, apart from what libuv repeats. */
  'readCount',
  'writeCount',
  'receivedBytes',
  'sentBytes',
  /** Pieces of files that the kernel sent by itself. */
  'fileSends',
  /** Times that a connection stopped because memory, credits or its reader were short. */
  'memoryWaits',
  'creditWaits',
  'outputWaits',
  /** Connections that wait now. */
  'memoryWaiting',
  'creditWaiting',
] as const;

type Count = (typeof COUNTS)[number];
/** Behind them, with room for more: a slot by cause. */
const CLOSED_AT = 32;

class Counts {
  readonly values: Float64Array;

  constructor(values: Float64Array) {
    this.values = values;
  }

  connectionClosed(cause: CloseCause): void {
    const at = CLOSED_AT + CLOSE_CAUSES.indexOf(cause);
    this.values[at] = this.closedCount(cause) + 1;
  }

  closedCount(cause: CloseCause): number {
    return this.values[CLOSED_AT + CLOSE_CAUSES.indexOf(cause)] as number;
  }

  /** As they stand now, by cause. */
  get connectionsClosed(): Record<CloseCause, number> {
    return Object.fromEntries(CLOSE_CAUSES.map((cause) => [cause, this.closedCount(cause)])) as Record<CloseCause, number>;
  }
}

// An accessor for each row: `counters.requests++` is one addition in shared memory.
for (const [at, name] of COUNTS.entries()) {
  Object.defineProperty(Counts.prototype, name, {
    get(this: Counts) {
      return this.values[at];
    },
    set(this: Counts, value: number) {
      this.values[at] = value;
    },
  });
}

export type NetworkCounters = Counts & Record<Count, number>;

/** Counters over the slots of a worker; over some of their own where none are given. */
export function networkCounters(values: Float64Array = new Float64Array(BLOCK_SLOTS.network)): NetworkCounters {
  return new Counts(values) as NetworkCounters;
}
