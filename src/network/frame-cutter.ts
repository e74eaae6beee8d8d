// Finds the first frame among the bytes that a connection has received, and says which API it is for and whether it is there in whole.
// Invariant: what it found holds until it looks again; one connection looks, and hands its request on, before another one does.
// Runs on: every worker, one for all of its connections. Not here: whether the request may start (request-dispatcher.ts).
import type { SlabArena } from '../actors/slab-arena.ts';
import { ByteReader } from '../base/byte-reader.ts';
import { apiName } from '../protocol/api-keys.ts';
import { decodeHeaderRest, decodeHeaderStart, isResponseHeaderFlexible, type RequestHeader } from '../protocol/header.ts';
import type { ApiRow } from './api-row.ts';
import { badLength, type FrameError } from './frame-errors.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { type InputBuffer, SIZE_FIELD_BYTES } from './input-buffer.ts';
import type { MemoryReserves } from './memory-order.ts';

/** Key, version, correlation id, and the length of the client id. */
const FRAME_LENGTH_MIN = 10;
/** What must have come before key and version are known. */
const HEADER_START_BYTES = SIZE_FIELD_BYTES + 8;

export interface FrameCutterOptions {
  readonly arena: SlabArena;
  readonly rows: readonly ApiRow[];
  readonly reserves: MemoryReserves;
  /** socket.request.max.bytes: the longest frame. */
  readonly requestBytesMax: number;
}

export class FrameCutter {
  /** Why the frame that was looked at closes its connection; null: it does not. */
  fault: FrameError | null = null;
  /** Of the frame that was found, its size field included. */
  frameBytes = 0;
  readonly #arena: SlabArena;
  readonly #rows: (ApiRow | undefined)[] = [];
  readonly #reserves: MemoryReserves;
  readonly #requestBytesMax: number;
  readonly #header: RequestHeader = { apiKey: 0, apiVersion: 0, correlationId: 0, clientId: null };
  readonly #reader = new ByteReader(Buffer.alloc(0));

  constructor(options: FrameCutterOptions) {
    this.#arena = options.arena;
    this.#reserves = options.reserves;
    this.#requestBytesMax = options.requestBytesMax;
    for (const row of options.rows) this.#rows[row.apiKey] = row;
  }

  /** The API of the first frame of `input` when all of it is there; null: more has to come, or `fault` says why none will. */
  find(input: InputBuffer): ApiRow | null {
    this.fault = null;
    const { bytes } = this.#arena;
    const { position } = input;
    const haveBytes = input.end - position;
    if (haveBytes < SIZE_FIELD_BYTES) return null;
    const length = bytes.readInt32BE(position);
    if (length < FRAME_LENGTH_MIN || length > this.#requestBytesMax) {
      this.fault = badLength(bytes, position, FRAME_LENGTH_MIN, this.#requestBytesMax);
      return null;
    }
    if (haveBytes < HEADER_START_BYTES) return null;
    const headerStart = position + SIZE_FIELD_BYTES;
    decodeHeaderStart(this.#reader.reset(bytes, headerStart, headerStart + 8), this.#header);
    const { apiKey, apiVersion } = this.#header;
    const row = this.#rows[apiKey];
    if (row === undefined || ((apiVersion < row.minVersion || apiVersion > row.maxVersion) && row.acceptsAnyVersion !== true)) {
      this.fault = { cause: 'unknown-api', reason: `${this.requestName} is not served` };
      return null;
    }
    this.frameBytes = SIZE_FIELD_BYTES + length;
    input.reserveBytes = this.#reserves[row.order];
    if (haveBytes >= this.frameBytes) return row;
    if (!this.#arena.canReceive(this.frameBytes, input.reserveBytes)) {
      this.fault = { cause: 'memory', reason: `a frame of ${length} bytes, more than this worker’s share of naru.memory.max has room for` };
    }
    return null;
  }

  /**
   * Reads the header of the frame that was found into `request`, and where its body lies. Throws DecodeError where the header lies.
   * `clientIdBefore` is that of the connection's last request, whose text is used again where it is the same.
   */
  decode(input: InputBuffer, request: IncomingRequest, clientIdBefore: string | null): void {
    const end = input.position + this.frameBytes;
    const header = this.#header;
    decodeHeaderRest(this.#reader.reset(this.#arena.bytes, input.position + HEADER_START_BYTES, end), header, clientIdBefore);
    request.apiKey = header.apiKey;
    request.apiVersion = header.apiVersion;
    request.correlationId = header.correlationId;
    request.clientId = header.clientId;
    request.hasFlexibleReply = isResponseHeaderFlexible(header.apiKey, header.apiVersion);
    request.position = this.#reader.position;
    request.length = end - this.#reader.position;
  }

  /** The row of an API that is served. */
  rowOf(apiKey: number): ApiRow | undefined {
    return this.#rows[apiKey];
  }

  /** API and version of the frame that was looked at last, for a person. */
  get requestName(): string {
    return `${apiName(this.#header.apiKey)} version ${this.#header.apiVersion}`;
  }
}
