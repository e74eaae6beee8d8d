// A connection's bytes over a TCP socket of Node. Reads go where the connection says (`onread`), never into a stream's buffer;
// writes are the socket's own.
// Invariant: at most one write that the kernel has not taken in whole is with the socket.
// Runs on: the thread that reads the socket. Not here: accepting (listener.ts).
import { Socket, type SocketConstructorOpts } from 'node:net';
import { isNativeLoaded } from '../native/load.ts';
import { send, sendBytes } from '../native/send.ts';
import { sendFile } from '../native/sendfile.ts';
import { FULL, GONE, type Transport, type TransportListener, UNABLE } from './transport.ts';

const EAGAIN = -11;
const EINTR = -4;
const EBADF = -9;
const EPIPE = -32;
const ECONNRESET = -104;
const ENOTCONN = -107;
const ETIMEDOUT = -110;

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

  // Node asks the kernel for these when they are first wanted, and keeps the other side's; of a socket that was reset the kernel knows neither.
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
    void socket.remoteAddress; // For the log line of a connection that is reset while nobody reads.
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

  get untakenBytes(): number {
    // What libuv still has; Node's own `writableLength` counts a write until all of it is gone.
    const socket = this.#socket as (Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null }) | null;
    return socket?._handle?.writeQueueSize ?? socket?.writableLength ?? 0;
  }

  get sendsFiles(): boolean {
    return sendFile() !== null && send() !== null;
  }

  sendFile(file: number, position: number, length: number): number {
    const socket = this.#descriptor();
    const call = sendFile();
    if (call === null) return UNABLE;
    return socket < 0 ? GONE : outcomeOf(call(socket, file, position, length));
  }

  /** Not before koffi is there: the first answers would wait until it is loaded, which the runtime does a little later (after-start.ts). */
  get sendsSmall(): boolean {
    return isNativeLoaded() && send() !== null;
  }

  sendSmall(bytes: Buffer, position: number, length: number, hasMore: boolean): number {
    const socket = this.#descriptor();
    const call = send();
    if (call === null || length > sendBytes.length) return UNABLE;
    if (socket < 0) return GONE;
    bytes.copy(sendBytes, 0, position, position + length);
    return outcomeOf(call(socket, length, hasMore));
  }

  /** The socket's number as of now: a closed one's may be another file's by the next callback. -1: none. */
  #descriptor(): number {
    const socket = this.#socket as (Socket & { readonly _handle?: { readonly fd?: number } | null }) | null;
    if (socket === null || socket.destroyed || this.#isWriteOpen) return -1;
    return socket._handle?.fd ?? -1;
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

/** What a call says, in the words of a transport. */
function outcomeOf(answer: number): number {
  if (answer >= 0) return answer;
  if (answer === EAGAIN || answer === EINTR) return FULL;
  const isGone = answer === EPIPE || answer === ECONNRESET || answer === ENOTCONN || answer === EBADF || answer === ETIMEDOUT;
  return isGone ? GONE : UNABLE;
}
