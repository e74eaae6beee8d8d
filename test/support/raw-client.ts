// A Kafka connection without a client library: frames in, frames out, so that tests can say exactly which bytes a broker gets.
import { connect, type Socket } from 'node:net';

export class RawClient {
  readonly socket: Socket;
  /** Resolves when the other side has closed the connection. */
  readonly closed: Promise<void>;
  /** What its requests call it. */
  clientId = 'raw';
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  #waiting: { bytes: number; done: (bytes: Buffer) => void; fail: (error: Error) => void } | null = null;
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      this.#unread.push(bytes);
      this.#unreadBytes += bytes.length;
      this.#serve();
    });
    this.closed = new Promise((done) =>
      socket.once('close', () => {
        this.#waiting?.fail(new Error('the connection was closed'));
        done();
      }),
    );
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((done, fail) => {
      const socket = connect({ port, host, noDelay: true }, () => done(new RawClient(socket)));
      socket.once('error', fail);
    });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** A request frame with header v1 (v2 when `flexible`). Returns its correlation id. */
  send(apiKey: number, apiVersion: number, body: Uint8Array, flexible = false): number {
    const correlationId = ++this.#correlationId;
    this.write(requestFrame(apiKey, apiVersion, correlationId, body, flexible, this.clientId));
    return correlationId;
  }

  /** The next response frame without its length: correlation id first. */
  async receive(): Promise<Buffer> {
    const length = (await this.#take(4)).readInt32BE(0);
    return this.#take(length);
  }

  /** Sends and waits for the answer; gives what follows the response header (its tag section too when `flexibleResponse`). */
  async ask(apiKey: number, apiVersion: number, body: Uint8Array, flexible = false, flexibleResponse = flexible): Promise<Buffer> {
    const correlationId = this.send(apiKey, apiVersion, body, flexible);
    const response = await this.receive();
    if (response.readInt32BE(0) !== correlationId) throw new Error(`answer ${response.readInt32BE(0)} to request ${correlationId}`);
    return response.subarray(flexibleResponse ? 5 : 4);
  }

  close(): void {
    this.socket.destroy();
  }

  #take(bytes: number): Promise<Buffer> {
    return new Promise((done, fail) => {
      this.#waiting = { bytes, done, fail };
      this.#serve();
      if (this.socket.destroyed) fail(new Error('the connection was closed'));
    });
  }

  #serve(): void {
    if (this.#waiting === null || this.#unreadBytes < this.#waiting.bytes) return;
    const { bytes, done } = this.#waiting;
    this.#waiting = null;
    const received = this.#unread.length === 1 ? (this.#unread[0] as Buffer) : Buffer.concat(this.#unread);
    this.#unread = received.length === bytes ? [] : [received.subarray(bytes)];
    this.#unreadBytes -= bytes;
    done(received.subarray(0, bytes));
  }
}

export function requestFrame(
  apiKey: number,
  apiVersion: number,
  correlationId: number,
  body: Uint8Array,
  flexible = false,
  clientName = 'raw',
): Buffer {
  const clientId = Buffer.from(clientName);
  const header = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + (flexible ? 1 : 0));
  header.writeInt32BE(header.length - 4 + body.length, 0);
  header.writeInt16BE(apiKey, 4);
  header.writeInt16BE(apiVersion, 6);
  header.writeInt32BE(correlationId, 8);
  header.writeInt16BE(clientId.length, 12);
  clientId.copy(header, 14);
  return Buffer.concat([header, body]);
}
