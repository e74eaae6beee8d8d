// Requests that concern several groups: split by the shards that the groups belong to, one question for each shard, and the answers put
// together in the order of the request.
// Runs on: the worker of the connection. Not here: what a request and its answer hold (each handler).
import { assert } from '../../base/assert.ts';
import { ByteReader } from '../../base/byte-reader.ts';
import type { AnswerSink, ShardAddress } from '../../coordinator/coordinator-client.ts';
import type { IncomingRequest } from '../../network/incoming-request.ts';
import { codec } from '../../protocol/compile.ts';
import type { MessageOf, Table } from '../../protocol/schema.ts';
import type { BrokerContext } from '../broker-context.ts';
import { groupAddress } from '../group-address.ts';
import { clientHostOf } from './client-host.ts';
import { encodeBody } from './group-request.ts';

/** How long a part waits that found no memory. */
const RETRY_MS = 5;

/** A question to one shard. */
export interface Part<Request extends Table> {
  readonly address: ShardAddress;
  readonly body: MessageOf<Request>;
}

/** Gathers the bytes of one part's answer. */
class PartSink implements AnswerSink {
  readonly #done: (bytes: Buffer | null, reason: string) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(done: (bytes: Buffer | null, reason: string) => void) {
    this.#done = done;
  }

  begin(sizeBytes: number): void {
    this.#bytes = Buffer.allocUnsafe(sizeBytes);
  }

  piece(bytes: Buffer, position: number, length: number): void {
    bytes.copy(this.#bytes, this.#position, position, position + length);
    this.#position += length;
  }

  end(): void {
    this.#done(this.#bytes, '');
  }

  malformed(reason: string): void {
    this.#done(null, reason);
  }
}

/**
 * Asks all parts, at least one; `done` hears their answers in the order of the parts. A part that finds no memory is asked again when
 * others have been answered or after a moment: nothing was promised to it yet.
 */
export function askParts<Request extends Table, Response extends Table>(
  context: BrokerContext,
  incoming: IncomingRequest,
  tables: { readonly request: Request; readonly response: Response },
  parts: readonly Part<Request>[],
  done: (answers: MessageOf<Response>[]) => void,
): void {
  const { apiKey, apiVersion } = incoming;
  const clientId = incoming.clientId ?? '';
  const clientHost = clientHostOf(incoming.connection);
  const answers: MessageOf<Response>[] = [];
  let left = parts.length;
  let fault = '';
  for (const [index, { address, body }] of parts.entries()) {
    const bytes = encodeBody(tables.request, apiVersion, body);
    const question = { apiKey, apiVersion, clientId, clientHost, bytes, position: 0, length: bytes.length };
    const sink = new PartSink((answered, reason) => {
      if (answered === null) fault = reason;
      else answers[index] = codec(tables.response, apiVersion).decode(new ByteReader(answered)) as MessageOf<Response>;
      if (--left > 0) return;
      if (fault === '') done(answers);
      else incoming.close(fault);
    });
    const ask = (): void => {
      if (!context.coordinators.ask(address, question, sink)) context.runtime.after(RETRY_MS, ask);
    };
    ask();
  }
}

/** A request about a list of things, each of which belongs to a group. */
export interface ByGroup<Request extends Table, Response extends Table, Item, Result> {
  readonly items: readonly Item[];
  readonly groupIdOf: (item: Item) => string;
  /** The request with these items alone. */
  readonly bodyFor: (items: Item[]) => MessageOf<Request>;
  /** A result for each item of a part, in their order. */
  readonly resultsOf: (response: MessageOf<Response>) => readonly Result[];
  /** The answer to a part that has no shard on this broker. */
  readonly refuse: (part: MessageOf<Request>) => MessageOf<Response>;
  readonly done: (results: Result[]) => void;
}

/** Asks the shards of all items, one question for each shard; `done` hears a result for each item, in their order. */
export function askByGroup<Request extends Table, Response extends Table, Item, Result>(
  context: BrokerContext,
  incoming: IncomingRequest,
  tables: { readonly request: Request; readonly response: Response },
  { items, groupIdOf, bodyFor, resultsOf, refuse, done }: ByGroup<Request, Response, Item, Result>,
): void {
  const results: Result[] = [];
  const bySlot = new Map<number, { readonly address: ShardAddress; readonly indexes: number[] }>();
  const strangers: number[] = [];
  for (const [index, item] of items.entries()) {
    const address = groupAddress(groupIdOf(item), context.metadata.image, context.nodeId, context.runtime.workerCount);
    if (address === null) {
      strangers.push(index);
      continue;
    }
    const found = bySlot.get(address.slot);
    if (found === undefined) bySlot.set(address.slot, { address, indexes: [index] });
    else found.indexes.push(index);
  }
  const pick = (indexes: readonly number[]): Item[] => indexes.map((index) => items[index] as Item);
  const fill = (indexes: readonly number[], response: MessageOf<Response>): void => {
    const found = resultsOf(response);
    assert(found.length === indexes.length, 'a result for each item');
    for (const [i, index] of indexes.entries()) results[index] = found[i] as Result;
  };
  if (strangers.length > 0) fill(strangers, refuse(bodyFor(pick(strangers))));
  const parts = [...bySlot.values()];
  if (parts.length === 0) {
    done(results);
    return;
  }
  const questions = parts.map(({ address, indexes }) => ({ address, body: bodyFor(pick(indexes)) }));
  askParts(context, incoming, tables, questions, (answers) => {
    for (const [i, { indexes }] of parts.entries()) fill(indexes, answers[i] as MessageOf<Response>);
    done(results);
  });
}
