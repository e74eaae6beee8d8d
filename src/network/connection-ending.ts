// How a connection ends: closed at once, or, where the other side has ended or the broker stops, when all that was taken is answered.
// Invariant: the host hears once that the connection closes, and once that its transport is closed; nothing is sent after our end was said.
// Runs on: the worker of the connection. Not what makes a connection end (connection.ts), nor whether anything is left to start there.
import type { ConnectionHost, HostedConnection } from './connection-host.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { InputBuffer } from './input-buffer.ts';
import type { CloseCause } from './network-counters.ts';
import type { OpenRequests } from './open-requests.ts';
import type { Replies } from './replies.ts';
import type { Transport } from './transport.ts';

/** What of a connection its end concerns. */
interface EndingParts {
  readonly connection: HostedConnection;
  readonly host: ConnectionHost;
  readonly transport: Transport;
  readonly input: InputBuffer;
  readonly requests: OpenRequests;
  readonly replies: Replies;
}

export class ConnectionEnding {
  /** Takes nothing more; its replies leave, then its end is said. */
  isStopping = false;
  /** All that it held is given up. */
  isClosing = false;
  isTransportClosed = false;
  readonly #parts: EndingParts;
  #hasPeerEnded = false; // The other side sends no more.
  #hasSaidEnd = false;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  notePeerEnded(): void {
    this.#hasPeerEnded = true;
  }

  /** The transport is gone, by an error or in order. */
  transportClosed(error: Error | null): void {
    const { connection, host, replies } = this.#parts;
    this.isTransportClosed = true;
    this.close(this.#hasPeerEnded && error === null ? 'peer' : 'reset', error === null ? 'broken off' : error.message);
    replies.closed();
    host.connectionClosed(connection);
  }

  close(cause: CloseCause, reason: string): void {
    if (this.isClosing) return;
    const { connection, host, transport, input, requests, replies } = this.#parts;
    if (!this.isTransportClosed) replies.flush();
    if (this.isClosing) return; // That could not be sent.
    this.isClosing = true;
    input.drop();
    requests.drop();
    replies.drop();
    if (!this.isStopping) host.connectionClosing(connection, cause, reason);
    if (!this.isTransportClosed) transport.destroy();
  }

  /** The broker stops: what is not answered and may be given up is, and what is answered leaves. */
  stop(): void {
    const { connection, host, requests, replies } = this.#parts;
    this.isStopping = true;
    if (requests.orderClass !== 'produce') requests.drop();
    else requests.dropHeld();
    host.connectionClosing(connection, 'shutdown', '');
    replies.flush();
  }

  /** An error of our own ends the instance. Until it has, nothing more is done here. */
  fail(error: unknown): void {
    this.isClosing = true;
    this.#parts.host.fail(error);
  }

  /** Called where no request waits to be started: the other side has ended, or the broker stops, and all is answered: then we end, too. */
  endWhenAnswered(): void {
    if (!(this.#hasPeerEnded || this.isStopping) || this.#hasSaidEnd || this.isClosing) return;
    const { requests, replies, transport } = this.#parts;
    if (requests.count > 0 || replies.unsentBytes > 0) return;
    this.#hasSaidEnd = true;
    transport.end();
  }

  /** A request that was ended after the connection gave it up. */
  discardLate(request: IncomingRequest): void {
    const { requests, replies } = this.#parts;
    requests.discard(request);
    // Where its reply stood; what stands before it still leaves where the connection only stops.
    if (this.isClosing) replies.drop();
    else replies.flush();
  }
}
