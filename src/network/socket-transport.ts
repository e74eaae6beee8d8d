// A net.Socket as a Transport: reads go by `onread` into the buffer that the connection names, writes straight to the kernel.
// What the kernel does not take at once stays libuv's until it is gone.
// Runs on: the worker of the connection.
import net from 'node:net';
import { assert } from '../base/assert.ts';
import type { Transport, TransportListener } from './transport.ts';

const NOTHING = Buffer.alloc(0);

/** The handle of a socket that was accepted in this thread, or a descriptor that belongs to this thread from here on. */
export type AcceptedSocket = number | object;

export class SocketTransport implements Transport {
  readonly #accepted: AcceptedSocket;
  #open: net.Socket | null = null;
  #error: Error | null = null;
  #remoteAddress = '';
  #remotePort = 0;
  #localPort = 0;
  #onWritten: () => void = () => {};

  constructor(accepted: AcceptedSocket) {
    this.#accepted = accepted;
  }

  get remoteAddress(): string {
    return this.#remoteAddress;
  }
  get remotePort(): number {
    return this.#remotePort;
  }
  get localPort(): number {
    return this.#localPort;
  }

  /** Throws where the descriptor is no socket. */
  start(listener: TransportListener): void {
    const accepted = this.#accepted;
    let bound: Uint8Array | undefined;
    const onread = {
      /** Node asks before the first read and after each one; undefined leaves the last buffer bound, which is cheaper. */
      buffer: (): Uint8Array => {
        const next = listener.readBuffer();
        if (next === undefined || next === bound) return undefined as unknown as Uint8Array;
        bound = next;
        return next;
      },
      callback: (count: number): boolean => listener.received(count),
    };
    const where = typeof accepted === 'number' ? { fd: accepted } : { handle: accepted };
    const options = { ...where, readable: true, writable: true, allowHalfOpen: true, onread };
    const socket = new net.Socket(options as net.SocketConstructorOpts);
    this.#open = socket;
    this.#onWritten = () => listener.written();
    socket.setNoDelay(true);
    this.#remoteAddress = socket.remoteAddress ?? '';
    this.#remotePort = socket.remotePort ?? 0;
    this.#localPort = socket.localPort ?? 0;
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('end', () => listener.ended());
    socket.on('close', () => listener.closed(this.#error));
    socket.resume();
  }

  write(pieces: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return true;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    if (socket.writableLength === 0) return true;
    socket.write(NOTHING, this.#onWritten); // Stands behind what is not gone yet: its callback says that the memory is free.
    return false;
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#open?.destroy();
  }

  get #socket(): net.Socket {
    assert(this.#open !== null, 'the transport has not been started');
    return this.#open;
  }
}
