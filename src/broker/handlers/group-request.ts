// The requests that concern one group: handed on as they came to the shard of that group, whose answer is the reply. Only the group's id
// is read here; whoever answers decodes the body, and a body that lies closes the connection as anywhere.
// JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, OffsetFetch, OffsetDelete, ConsumerGroupHeartbeat.
// Source: the protocol guide.
import { ByteReader } from '../../base/byte-reader.ts';
import { ByteWriter } from '../../base/byte-writer.ts';
import { copyShared } from '../../base/shared-copy.ts';
import type { AnswerSink } from '../../coordinator/coordinator-client.ts';
import { groupRefusal } from '../../groups/group-refusals.ts';
import type { IncomingRequest } from '../../network/incoming-request.ts';
import { codec } from '../../protocol/compile.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { Table } from '../../protocol/schema.ts';
import type { BrokerContext } from '../broker-context.ts';
import { groupAddress } from '../group-address.ts';
import { clientHostOf } from './client-host.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const reader = new ByteReader(new Uint8Array(0));

/** Bytes of an answer straight into the reply. */
export class ReplySink implements AnswerSink {
  readonly #request: IncomingRequest;
  #position = 0;

  constructor(request: IncomingRequest) {
    this.#request = request;
  }

  begin(sizeBytes: number): void {
    this.#position = this.#request.beginReply(sizeBytes);
  }

  piece(bytes: Buffer, position: number, length: number): void {
    copyShared(bytes, position, this.#request.replyBytes, this.#position, length);
    this.#position += length;
  }

  end(): void {
    this.#request.endReply();
  }

  malformed(reason: string): void {
    this.#request.close(reason);
  }
}

/** A handler of requests whose first field is the group's id. */
export function groupRequestHandler(request: Table, response: Table): (context: BrokerContext) => Handler {
  return (context) => (incoming) => {
    const groupId = firstString(incoming, incoming.apiVersion >= request.flexibleSince);
    return handOn(context, incoming, groupId, request, response);
  };
}

/** Hands a request on to the shard of `groupId`; false where there is no memory for that now. */
export function handOn(context: BrokerContext, incoming: IncomingRequest, groupId: string, request: Table, response: Table): boolean {
  const address = groupAddress(groupId, context.metadata.image, context.nodeId, context.runtime.workerCount);
  const { apiKey, apiVersion, bytes, position, length } = incoming;
  if (address === null) {
    const refusal = groupRefusal(apiKey, apiVersion, decodeBody(incoming, request), ERROR.NOT_COORDINATOR);
    answer(incoming, response, refusal as never);
    return true;
  }
  const { coordinators } = context;
  const question = {
    apiKey,
    apiVersion,
    clientId: incoming.clientId ?? '',
    clientHost: clientHostOf(incoming.connection),
    bytes,
    position,
    length,
  };
  if (coordinators.ask(address, question, new ReplySink(incoming))) return true;
  if (coordinators.canEverAsk(question, incoming.heldBytes)) {
    incoming.memoryRefused();
    return false;
  }
  incoming.close(`a request of ${length} bytes to a coordinator, for which there can never be room beside its frame (naru.memory.max)`);
  return true;
}

function firstString({ bytes, position, length }: IncomingRequest, isFlexible: boolean): string {
  reader.reset(bytes, position, position + length);
  return isFlexible ? reader.compactString() : reader.string();
}

const writer = new ByteWriter(new Uint8Array(0));

/** A request's body at a version: what a handler that splits a request sends to each shard. */
export function encodeBody(table: Table, version: number, message: unknown): Buffer {
  const { size, encode } = codec(table, version);
  const bytes = Buffer.allocUnsafe(size(message as never));
  encode(message as never, writer.reset(bytes, 0));
  return bytes;
}
