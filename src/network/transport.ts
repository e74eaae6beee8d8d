// What a connection needs of the thing that carries its bytes, so that a socket, a pair in memory and the simulated network
// are interchangeable (socket-transport.ts, memory-transport.ts).
// Pure (types only).

/** The connection, as its transport sees it. Never called from within a call of the transport, `start` aside. */
export interface TransportListener {
  /** Where the next bytes go, from its start; undefined: to where the last ones went. Asked once by `start`, then after each `received`. */
  readBuffer(): Uint8Array | undefined;
  /** `length` (1 or more) bytes lie in the buffer. False: read no more until resumeReading. */
  received(length: number): boolean;
  /** The other side sends no more; it may still read. */
  ended(): void;
  /** All of a write that returned false was taken. */
  written(): void;
  /** It is over, once: no further call, and nothing reads from or writes to any buffer any more. */
  closed(error: Error | null): void;
}

export interface Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** Begins to read. */
  start(listener: TransportListener): void;
  /**
   * Sends the pieces in order, in one go. True: all of it was taken, the memory is the caller's again. False: `written` or
   * `closed` follows, until when the memory must stay and nothing else may be written.
   */
  write(pieces: readonly Uint8Array[]): boolean;
  pauseReading(): void;
  resumeReading(): void;
  /** Sends what was written, then tells the other side that no more comes; when both sides have, it is closed. */
  end(): void;
  /** Gives up at once. No `received` after this; `closed` follows, in a later turn. */
  destroy(): void;
}
