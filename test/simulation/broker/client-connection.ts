// A client's end of a connection to a simulated broker: real frames through a MemoryTransport, cut and delayed by the seed.
// Invariants it watches: each request gets one answer, in order, that decodes to its last byte, or the connection closes;
// nobody waits longer for it than its patience.

import { MemoryTransport, type MemoryTransportOptions } from '../../../src/network/memory-transport.ts';
import type { Transport, TransportListener } from '../../../src/network/transport.ts';
import { encodeMessage } from '../../../src/protocol/compile.ts';
import { isRequestFlexible } from '../../../src/protocol/header.ts';
import type { MessageOf, Table } from '../../../src/protocol/schema.ts';
import type { Simulation } from '../../../src/scheduler/sim-runtime.ts';
import { message, type Sparse } from '../../support/messages.ts';
import { requestFrame } from '../../support/raw-client.ts';
import { decodeAnswer } from '../../support/wire-client.ts';
import { Violation } from './violation.ts';

const NOTHING = new Uint8Array(0);
const NETWORK_DELAY_MS = 0.3;
/** Virtual time in which a request at the head of its connection is answered, besides what it asked to wait. */
const PATIENCE_MS = 5_000;

/** How one connection behaves. */
export interface Manners {
  /** Bytes that the broker gets in one read. */
  readonly readBytesMax: number;
  /** Bytes that the client takes in one. */
  readonly takeBytesMax: number;
  /** The kernel's send buffer. */
  readonly sendBufferBytes: number;
}

/** Tells when the broker has sent something or has ended. */
class TellingTransport extends MemoryTransport {
  readonly #onStart: (closed: TransportListener | null) => void;
  readonly #onOutput: () => void;

  constructor(options: MemoryTransportOptions, onStart: (closed: TransportListener | null) => void, onOutput: () => void) {
    super(options);
    this.#onStart = onStart;
    this.#onOutput = onOutput;
  }

  /** What has come before is read like what comes later; and perhaps it is over already. */
  override start(listener: TransportListener): void {
    super.start(listener);
    this.#onStart(this.isClosed ? listener : null);
  }

  override write(pieces: readonly Uint8Array[]): boolean {
    const isTaken = super.write(pieces);
    this.#onOutput();
    return isTaken;
  }

  override sendSmall(bytes: Uint8Array, position: number, length: number): number {
    const outcome = super.sendSmall(bytes, position, length);
    this.#onOutput();
    return outcome;
  }

  override end(): void {
    super.end();
    this.#onOutput();
  }

  override destroy(): void {
    super.destroy();
    this.#onOutput();
  }
}

interface Outstanding {
  readonly correlationId: number;
  readonly what: string;
  readonly waitMs: number;
  readonly sentAtMs: number;
  readonly answer: (frame: Buffer) => void;
}

export class ClientConnection {
  readonly worker: number;
  /** The broker has closed it, or died; or we have. */
  isClosed = false;
  /** Called once, with the requests that will not be answered. */
  onClosed: () => void = () => {};
  readonly #simulation: Simulation;
  readonly #manners: Manners;
  readonly #transport: TellingTransport;
  readonly #outstanding: Outstanding[] = [];
  #received = Buffer.alloc(0);
  #correlationId = 0;
  #lastBytesMs = 0;
  #lastArrivalMs = 0;
  #isTaking = false;
  #isProcessDead = false;

  constructor(simulation: Simulation, worker: number, manners: Manners) {
    this.worker = worker;
    this.#simulation = simulation;
    this.#manners = manners;
    const defer = (task: () => void): void => this.#later(simulation.draw(0.1), task);
    const readOn = (closed: TransportListener | null): void =>
      defer(() => (closed === null ? this.#transport.deliver(NOTHING, manners.readBytesMax) : closed.closed(null)));
    this.#transport = new TellingTransport({ defer, sendBufferBytes: manners.sendBufferBytes }, readOn, () => this.#takeLater());
  }

  get transport(): Transport {
    return this.#transport;
  }

  get outstandingCount(): number {
    return this.#outstanding.length;
  }

  /** Sends a request; `onAnswer` hears its answer with the body that records lie in. `waitMs`: what the request itself asks to wait. */
  ask<Q extends Table, S extends Table>(
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
    onAnswer: (answer: MessageOf<S>, bytes: Buffer) => void,
    waitMs = 0,
  ): void {
    const correlationId = this.tell(request, version, partial);
    this.#outstanding.push({
      correlationId,
      what: `${request.name} v${version}`,
      waitMs,
      sentAtMs: this.#simulation.time.nowMs,
      answer: (frame) => {
        const { message: answer, bytes } = decodeAnswer(response, version, frame);
        onAnswer(answer, bytes);
      },
    });
  }

  /** Sends a request that has no answer (acks=0). */
  tell<Q extends Table>(request: Q, version: number, partial: Sparse<MessageOf<Q>>): number {
    const correlationId = ++this.#correlationId;
    const body = encodeMessage(request, version, message(request, partial));
    const frame = requestFrame(request.apiKey, version, correlationId, body, isRequestFlexible(request.apiKey, version));
    const { time } = this.#simulation;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, time.nowMs + this.#simulation.draw(NETWORK_DELAY_MS));
    this.#later(this.#lastArrivalMs - time.nowMs, () => {
      if (!this.#transport.isClosed) this.#transport.deliver(frame, this.#manners.readBytesMax);
    });
    return correlationId;
  }

  /** Breaks the connection off. */
  reset(): void {
    this.#transport.reset();
    this.#close();
  }

  /** The broker's process is gone: nothing of this connection reaches it any more. */
  processDied(): void {
    this.#isProcessDead = true;
    this.#close();
  }

  /** Throws where a request waits too long for its answer. */
  checkPatience(): void {
    const [first] = this.#outstanding;
    if (first === undefined || this.isClosed) return;
    const sinceMs = this.#simulation.time.nowMs - Math.max(first.sentAtMs, this.#lastBytesMs);
    if (sinceMs > first.waitMs + PATIENCE_MS) {
      throw new Violation(
        `${first.what} on worker ${this.worker} has no answer since ${Math.round(sinceMs)} ms (it asked to wait ${first.waitMs})`,
      );
    }
  }

  #takeLater(): void {
    if (this.#isTaking || this.isClosed) return;
    this.#isTaking = true;
    this.#later(this.#simulation.draw(NETWORK_DELAY_MS), () => this.#take());
  }

  #take(): void {
    this.#isTaking = false;
    if (this.isClosed) return;
    const taken = this.#transport.take(this.#manners.takeBytesMax);
    if (taken.length > 0) {
      this.#hear(taken);
      this.#takeLater();
    } else if (this.#transport.isClosed || this.#transport.hasEnded) {
      this.#close();
    }
  }

  #hear(bytes: Buffer): void {
    this.#lastBytesMs = this.#simulation.time.nowMs;
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= 4 && !this.isClosed) {
      const end = 4 + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      const frame = Buffer.from(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
      const asked = this.#outstanding.shift();
      if (asked === undefined) throw new Violation(`an answer to request ${frame.readInt32BE(0)}, which nobody waits for`);
      if (frame.readInt32BE(0) !== asked.correlationId) {
        throw new Violation(`answer ${frame.readInt32BE(0)} where ${asked.what} ${asked.correlationId} is next`);
      }
      asked.answer(frame);
    }
  }

  #close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed();
  }

  #later(delayMs: number, task: () => void): void {
    const { time } = this.#simulation;
    time.at(time.nowMs + delayMs, () => {
      if (!this.#isProcessDead) task();
    });
  }
}
