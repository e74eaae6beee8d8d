// What the network layer of a worker has counted since it started. Plain numbers: written by that worker, read between turns.
// Pure.

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

export class NetworkCounters {
  connectionsOpened = 0;
  connectionsOpen = 0;
  readonly connectionsClosed: Record<CloseCause, number> = {
    peer: 0,
    reset: 0,
    'frame-size': 0,
    'not-kafka': 0,
    'unknown-api': 0,
    decode: 0,
    memory: 0,
    idle: 0,
    replaced: 0,
    handler: 0,
    shutdown: 0,
  };
  requests = 0;
  replies = 0;
  /** Reads that brought something, writes that were started: system calls, apart from what libuv repeats. */
  readCount = 0;
  writeCount = 0;
  receivedBytes = 0;
  sentBytes = 0;
  /** Pieces of files that the kernel sent by itself. */
  fileSends = 0;
  /** Times that a connection stopped because memory, credits or its reader were short. */
  memoryWaits = 0;
  creditWaits = 0;
  outputWaits = 0;
}
