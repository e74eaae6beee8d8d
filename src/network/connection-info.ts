// What those who answer requests see of the connection that they came by.
// Pure (types only).

/** What is known of a connection from its acceptance on. Structured-clone data: it goes to the worker with the connection. */
export interface Acceptance {
  /** Which of the broker's listeners it came through: an index into BrokerConfig.listeners. */
  readonly listener: number;
  /** Under which the main thread counts it, until it hears that the connection is closed (connection-gate.ts). */
  readonly ticket: number;
}

export interface ConnectionInfo {
  /** Unique on this worker, never used again. */
  readonly id: number;
  /** As in Acceptance. */
  readonly listener: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** From then on every reply is dropped; the handlers still end their requests. */
  readonly isClosed: boolean;
  /** Whether ranges of files leave without a copy in this process: its transport has a descriptor, and native calls answer. */
  readonly sendsFiles: boolean;
  /** As ApiVersions brought them; empty before. Written by its handler. */
  clientSoftwareName: string;
  clientSoftwareVersion: string;
  /** A place for what handlers keep by connection (sessions, leases); null at first. See NetworkOptions.onConnectionClosed. */
  state: unknown;
}
