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

/** The most that sendSmall is asked for. */
export const SMALL_BYTES_MAX = 4096;
/** Nothing goes now: what sends next is `write`, whose end says that there is room again. */
export const FULL = -1;
/** This transport, or the file system, cannot: `write` serves. */
export const UNABLE = -2;
/** The other side is gone; `closed` may or may not follow by itself. */
export const GONE = -3;

export interface Transport {
  /** Whether sendFile is worth a try, and sendSmall for what stands beside a file. */
  readonly sendsFiles: boolean;
  /** Whether sendSmall is worth a try. */
  readonly sendsSmall: boolean;
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
  /**
   * Sends up to `length` bytes of a file, without a copy of them in this process. The count, fewer where no more goes now, 0 only at the
   * end of the file; or FULL, UNABLE, GONE. As with `write`, nothing else may be under way.
   */
  sendFile(descriptor: number, position: number, length: number): number;
  /**
   * Sends bytes[position, position + length), SMALL_BYTES_MAX at most, which are the caller's again. `hasMore`: they may wait for what
   * follows at once. Answers as sendFile.
   */
  sendSmall(bytes: Buffer, position: number, length: number, hasMore: boolean): number;
  /** Of a write that returned false: bytes that the kernel has not taken yet, as far as that is known. */
  readonly untakenBytes: number;
  pauseReading(): void;
  resumeReading(): void;
  /** Sends what was written, then tells the other side that no more comes; when both sides have, it is closed. */
  end(): void;
  /** Gives up at once. No `received` after this; `closed` follows, in a later turn. */
  destroy(): void;
}
