// A connection's bytes over a TCP socket of Node. Reads go where the connection says (`onread`), never into a stream's buffer;
// writes are the socket's own.
// Invariant: at most one write that the kernel has not taken in whole is with the socket.
// Runs on: the thread that reads the socket. Not here: accepting (listener.ts).
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Transport, TransportListener } from './transport.ts';

export class SocketTransport implements Transport {
  readonly #source: number | object;
  #socket: Socket | null = null;
  #listener: TransportListener | null = null;
  #error: Error | null = null;
  #isWriteOpen = false; // A write returned false and `written` has not followed.
  #unheardCount = 0; // Callbacks still to come of writes that were taken at once.
  readonly #onWritten = (error?: Error | null): void => {
    if (this.#unheardCount > 0) {
      this.#unheardCount--;
    } else if (this.#isWriteOpen && !error) {
      this.#isWriteOpen = false;
      this.#listener?.written();
    }
  };

  /** Over a connected socket's descriptor, which belongs to this thread from here on, or the handle of one that this thread has accepted. */
  constructor(source: number | object) {
    this.#source = source;
  }

  // Node asks the kernel for these when they are first wanted, and knows them only while the socket is open.
  get remoteAddress(): string {
    return this.#socket?.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.#socket?.remotePort ?? 0;
  }

  get localPort(): number {
    return this.#socket?.localPort ?? 0;
  }

  /** Throws where the descriptor is no socket. */
  start(listener: TransportListener): void {
    this.#listener = listener;
    // `handle` is not in Node's documentation, but has been an option of sockets since the first versions.
    const source = typeof this.#source === 'number' ? { fd: this.#source } : { handle: this.#source };
    const options = {
      ...source,
      readable: true,
      writable: true,
      allowHalfOpen: true,
      onread: {
        // Asked before the first read and after each callback; undefined keeps what is bound, which is cheaper.
        buffer: () => listener.readBuffer(),
        callback: (length: number) => listener.received(length),
      },
    };
    const socket = new Socket(options as SocketConstructorOpts);
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('end', () => listener.ended());
    socket.on('close', () => listener.closed(this.#error));
    socket.resume(); // Without it the end would not be noticed.
  }

  write(pieces: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return true; // Nobody reads from the pieces.
    const last = pieces.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(pieces[i] as Uint8Array);
    socket.write(pieces[last] as Uint8Array, this.#onWritten);
    if (last > 0) socket.uncork();
    // A write that the kernel took in whole is off the count when it returns; its callback comes later all the same.
    const isTaken = socket.writableLength === 0;
    if (isTaken) this.#unheardCount++;
    else this.#isWriteOpen = true;
    return isTaken;
  }

  pauseReading(): void {
    this.#socket?.pause();
  }

  resumeReading(): void {
    this.#socket?.resume();
  }

  end(): void {
    this.#socket?.end();
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}
