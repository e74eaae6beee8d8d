// OffsetFetch: of one group, which is handed on as it came, or of several, each of which its own shard answers for.
// Source: the protocol guide; KIP-709 (several groups).
import { ByteReader } from '../../base/byte-reader.ts';
import { groupRefusal } from '../../groups/group-refusals.ts';
import type { IncomingRequest } from '../../network/incoming-request.ts';
import { type OffsetFetchResponse, offsetFetchRequest, offsetFetchResponse } from '../../protocol/apis/offset-fetch.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { askByGroup } from './group-fan-out.ts';
import { handOn } from './group-request.ts';
import { answerGathered, decodeBody, type Handler } from './handler.ts';

const SEVERAL_GROUPS_SINCE = 8;

const tables = { request: offsetFetchRequest, response: offsetFetchResponse };

export function offsetFetchHandler(context: BrokerContext): Handler {
  return (request) => {
    const only = onlyGroup(request);
    if (only !== null) return handOn(context, request, only, offsetFetchRequest, offsetFetchResponse);
    const body = decodeBody(request, offsetFetchRequest);
    askByGroup<typeof offsetFetchRequest, typeof offsetFetchResponse, (typeof body.groups)[number], OffsetFetchResponse['groups'][number]>(
      context,
      request,
      tables,
      {
        items: body.groups,
        groupIdOf: ({ groupId }) => groupId,
        bodyFor: (groups) => ({ ...body, groups }),
        resultsOf: ({ groups }) => groups,
        refuse: (part) => groupRefusal(request.apiKey, request.apiVersion, part, ERROR.NOT_COORDINATOR) as OffsetFetchResponse,
        done: (groups) => answerGathered(request, offsetFetchResponse, { throttleTimeMs: 0, topics: [], errorCode: ERROR.NONE, groups }),
      },
    );
    return true;
  };
}

const reader = new ByteReader(new Uint8Array(0));

/** The group that is asked about where it is one, without reading the rest. */
function onlyGroup({ bytes, position, length, apiVersion }: IncomingRequest): string | null {
  reader.reset(bytes, position, position + length);
  if (apiVersion < SEVERAL_GROUPS_SINCE) return apiVersion >= offsetFetchRequest.flexibleSince ? reader.compactString() : reader.string();
  return reader.uvarint() - 1 === 1 ? reader.compactString() : null;
}
