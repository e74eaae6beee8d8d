// What a handler sees of a request, and how it reads and answers one. A handler decodes the body, decides or asks an actor,
// and answers exactly once, now or in a later turn.
// Runs on: the worker of the connection.
import { ByteReader } from '../../base/byte-reader.ts';
import { ByteWriter } from '../../base/byte-writer.ts';
import type { IncomingRequest } from '../../network/incoming-request.ts';
import { codec } from '../../protocol/compile.ts';
import { noteErrors } from '../../protocol/error-fields.ts';
import type { MessageOf, Table } from '../../protocol/schema.ts';

/** False: nothing could be taken now (no memory); the network actor calls again with the same request. */
export type Handler = (request: IncomingRequest) => boolean;

// One each per thread: used within one synchronous call only.
const reader = new ByteReader(new Uint8Array(0));
const writer = new ByteWriter(new Uint8Array(0));

/** Reads the request's body at its version. Throws DecodeError, which closes the connection. */
export function decodeBody<T extends Table>(request: IncomingRequest, table: T): MessageOf<T> {
  reader.reset(request.bytes, request.position, request.position + request.length);
  return codec(table, request.apiVersion).decode(reader);
}

/** Answers with `message` at the request's version, or at `version` where that is another (ApiVersions). */
export function answer<T extends Table>(request: IncomingRequest, table: T, message: MessageOf<T>, version = request.apiVersion): void {
  noteErrors(table, message, request);
  answerGathered(request, table, message, version);
}

/** The same with what coordinators have answered: errors were counted there. */
export function answerGathered<T extends Table>(
  request: IncomingRequest,
  table: T,
  message: MessageOf<T>,
  version = request.apiVersion,
): void {
  const { size, encode } = codec(table, version);
  const position = request.beginReply(size(message));
  encode(message, writer.reset(request.replyBytes, position));
  request.endReply();
}

/** The body of an answer in `version`, on the heap: for one that many requests get. Its error codes are not counted. */
export function encoded<T extends Table>(table: T, version: number, message: MessageOf<T>): Buffer {
  const { size, encode } = codec(table, version);
  const bytes = Buffer.allocUnsafeSlow(size(message));
  encode(message, writer.reset(bytes, 0));
  return bytes;
}

/** Answers with a body made by `encoded` in the version that the request wants. */
export function answerEncoded(request: IncomingRequest, body: Buffer): void {
  const position = request.beginReply(body.length);
  body.copy(request.replyBytes, position);
  request.endReply();
}
