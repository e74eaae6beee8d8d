// A client of the protocol that costs little: one socket, answers in order, requests made ahead where they repeat.
import { connect, type Socket } from 'node:net';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { codec, encodeMessage } from '../../src/protocol/compile.ts';
import { isRequestFlexible, responseHeaderBytes } from '../../src/protocol/header.ts';
import type { MessageOf, Table } from '../../src/protocol/schema.ts';

const CLIENT_ID = Buffer.from('bench');
/** Length, API key, version, correlation id, length of the client id. */
const FIXED_BYTES = 14;
const CORRELATION_AT = 8;

/** A request as it goes out, with its length. */
export function frameOf<Q extends Table>(request: Q, version: number, message: MessageOf<Q>): Buffer {
  const body = encodeMessage(request, version, message);
  const isFlexible = isRequestFlexible(request.apiKey, version);
  const header = Buffer.alloc(FIXED_BYTES + CLIENT_ID.length + (isFlexible ? 1 : 0));
  header.writeInt32BE(header.length - 4 + body.length, 0);
  header.writeInt16BE(request.apiKey, 4);
  header.writeInt16BE(version, 6);
  header.writeInt16BE(CLIENT_ID.length, 12);
  CLIENT_ID.copy(header, FIXED_BYTES);
  return Buffer.concat([header, body]);
}

export class Wire {
  readonly #socket: Socket;
  readonly #waiting: ((frame: Buffer) => void)[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#hear(bytes));
    socket.on('error', () => {});
  }

  static connect(port: number): Promise<Wire> {
    return new Promise((done, fail) => {
      const socket = connect(port, '127.0.0.1', () => done(new Wire(socket)));
      socket.once('error', fail);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends a frame again and again; the answer's frame, without its length. */
  exchange(frame: Buffer): Promise<Buffer> {
    frame.writeInt32BE(++this.#correlationId, CORRELATION_AT);
    return new Promise((done) => {
      this.#waiting.push(done);
      this.#socket.write(frame);
    });
  }

  async ask<Q extends Table, S extends Table>(request: Q, response: S, version: number, message: MessageOf<Q>): Promise<MessageOf<S>> {
    return decodeFrame(response, version, await this.exchange(frameOf(request, version, message)));
  }

  #hear(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readInt32BE(0);
      if (this.#rest.length < end) return;
      const frame = this.#rest.subarray(4, end);
      this.#rest = this.#rest.subarray(end);
      this.#waiting.shift()?.(frame);
    }
  }
}

export function decodeFrame<S extends Table>(response: S, version: number, frame: Buffer): MessageOf<S> {
  return codec(response, version).decode(new ByteReader(frame.subarray(responseHeaderBytes(response.apiKey, version))));
}
