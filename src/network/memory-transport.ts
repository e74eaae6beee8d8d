// A connection's bytes without a socket: whoever drives it (a test, the simulator) says byte by byte what arrives, how much the
// other side takes, and when it breaks off.
// Invariants: nothing is called back from within a call of the connection; what a write has not given away yet is read from
// the connection's memory only when it is taken, as a kernel does.
// Runs on: one thread, with the connection.
import { assert } from '../base/assert.ts';
import { FULL, GONE, type Transport, type TransportListener, UNABLE } from './transport.ts';

export interface MemoryTransportOptions {
  /** Runs a task outside of the connection's calls: the end of a connection is told in a later turn. */
  readonly defer: (task: () => void) => void;
  /** Bytes that are taken before the other side reads: a kernel's send buffer. */
  readonly sendBufferBytes: number;
  /** Whether it takes small replies without a write, as a socket does where there are native calls. So it is when left out. */
  readonly sendsSmall?: boolean;
}

export class MemoryTransport implements Transport {
  readonly remoteAddress = 'memory';
  readonly remotePort = 0;
  readonly localPort = 0;
  readonly sendsSmall: boolean;
  readonly #defer: (task: () => void) => void;
  readonly #sendBufferBytes: number;
  #listener: TransportListener | null = null;
  #buffer: Uint8Array | undefined;
  #arriving: Uint8Array = new Uint8Array(0); // Not read yet.
  #isReading = true;
  #hasArrivedEnd = false;
  #hasToldEnd = false;
  readonly #sent: Uint8Array[] = []; // Copies, in the send buffer.
  #sentBytes = 0;
  #writing: Uint8Array[] = []; // The connection's memory, behind what is in the send buffer.
  #isEnding = false;
  #isClosed = false;

  constructor(options: MemoryTransportOptions) {
    this.#defer = options.defer;
    this.#sendBufferBytes = options.sendBufferBytes;
    this.sendsSmall = options.sendsSmall ?? true;
  }

  // The connection's side.

  start(listener: TransportListener): void {
    this.#listener = listener;
    this.#buffer = listener.readBuffer();
  }

  write(pieces: readonly Uint8Array[]): boolean {
    assert(this.#writing.length === 0, 'a write while another one goes on');
    if (this.#isClosed) return true;
    this.#writing.push(...pieces);
    this.#fillSendBuffer();
    return this.#writing.length === 0;
  }

  pauseReading(): void {
    this.#isReading = false;
  }

  resumeReading(): void {
    this.#isReading = true;
    this.#defer(() => this.#read(Number.POSITIVE_INFINITY));
  }

  end(): void {
    this.#isEnding = true;
    this.#defer(() => this.#closeWhenDone());
  }

  destroy(): void {
    this.#close(null);
  }

  get untakenBytes(): number {
    return this.#writing.reduce((bytes, piece) => bytes + piece.length, 0);
  }

  readonly sendsFiles = false;

  sendFile(): number {
    return UNABLE;
  }

  sendSmall(bytes: Uint8Array, position: number, length: number): number {
    assert(this.#writing.length === 0, 'something small while a write goes on');
    if (this.#isClosed) return GONE;
    const taken = Math.min(length, this.#sendBufferBytes - this.#sentBytes);
    if (taken <= 0) return FULL;
    this.#sent.push(Uint8Array.from(bytes.subarray(position, position + taken)));
    this.#sentBytes += taken;
    return taken;
  }

  // The other side's.

  /** Sends `bytes`; each read of the connection gets at most `readBytesMax` of them. What isn't read now is read once reading resumes. */
  deliver(bytes: Uint8Array, readBytesMax = Number.POSITIVE_INFINITY): void {
    const arriving = new Uint8Array(this.#arriving.length + bytes.length);
    arriving.set(this.#arriving);
    arriving.set(bytes, this.#arriving.length);
    this.#arriving = arriving;
    this.#read(readBytesMax);
  }

  /** Sends no more. */
  deliverEnd(): void {
    this.#hasArrivedEnd = true;
    this.#read(Number.POSITIVE_INFINITY);
  }

  /** Breaks the connection off. */
  reset(): void {
    this.#close(new Error('ECONNRESET'));
  }

  /** Reads up to `count` bytes of what the connection has sent. */
  take(count = Number.POSITIVE_INFINITY): Buffer {
    const taken: Uint8Array[] = [];
    let left = count;
    while (left > 0) {
      const first = this.#sent.shift();
      if (first === undefined) break;
      const part = first.subarray(0, Math.min(left, first.length));
      if (part.length < first.length) this.#sent.unshift(first.subarray(part.length));
      taken.push(part);
      left -= part.length;
      this.#sentBytes -= part.length;
      if (this.#fillSendBuffer()) this.#listener?.written();
    }
    this.#closeWhenDone();
    return Buffer.concat(taken);
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The connection has said its end. */
  get hasEnded(): boolean {
    return this.#isEnding;
  }

  /** Bytes that were sent to the connection and that it has not read. */
  get unreadBytes(): number {
    return this.#arriving.length;
  }

  #read(readBytesMax: number): void {
    while (this.#isReading && !this.#isClosed && this.#arriving.length > 0 && this.#buffer !== undefined && this.#listener !== null) {
      const length = Math.min(this.#arriving.length, this.#buffer.length, readBytesMax);
      this.#buffer.set(this.#arriving.subarray(0, length));
      this.#arriving = this.#arriving.subarray(length);
      this.#isReading = this.#listener.received(length);
      this.#buffer = this.#listener.readBuffer() ?? this.#buffer;
    }
    if (this.#hasArrivedEnd && !this.#hasToldEnd && this.#isReading && this.#arriving.length === 0 && !this.#isClosed) {
      this.#hasToldEnd = true;
      this.#listener?.ended();
      this.#defer(() => this.#closeWhenDone()); // Ours may have been said before.
    }
  }

  /** Copies what fits; true when that has ended a write. */
  #fillSendBuffer(): boolean {
    if (this.#writing.length === 0) return false;
    while (this.#writing.length > 0 && this.#sentBytes < this.#sendBufferBytes) {
      const first = this.#writing[0] as Uint8Array;
      const part = first.subarray(0, Math.min(first.length, this.#sendBufferBytes - this.#sentBytes));
      this.#sent.push(Uint8Array.from(part));
      this.#sentBytes += part.length;
      if (part.length === first.length) this.#writing.shift();
      else this.#writing[0] = first.subarray(part.length);
    }
    return this.#writing.length === 0;
  }

  #closeWhenDone(): void {
    if (this.#isEnding && this.#hasToldEnd && this.#writing.length === 0 && this.#sent.length === 0) this.#close(null);
  }

  #close(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#writing = [];
    this.#defer(() => this.#listener?.closed(error));
  }
}
