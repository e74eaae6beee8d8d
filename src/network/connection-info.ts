// What those who answer requests see of the connection that they came by.
// Pure (types only).

export interface ConnectionInfo {
  /** Unique on this worker, never used again. */
  readonly id: number;
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
