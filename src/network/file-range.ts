// A range of a file that is part of a reply: promised in the reply's size, sent from the file when its turn has come.
// Invariant: whoever made it keeps the file open until `leave`, which is called once: the bytes are out, or nobody wants them any more.
// Pure (types only).

export interface FileRange {
  readonly descriptor: number;
  readonly position: number;
  readonly length: number;
  /** Whether bytes [at, at + length) of the range can be had without waiting for a disk. */
  isCached(at: number, length: number): boolean;
  /** Bytes [at, at + length) of the range into target[to, to + length), at once; the count, -1 for an error. */
  readNow(target: Uint8Array, to: number, at: number, length: number): number;
  /** The same in the pool; `done` hears the count in a later turn, and the target stays where it is until then. */
  readLater(target: Uint8Array, to: number, at: number, length: number, done: (count: number) => void): void;
  leave(): void;
}
