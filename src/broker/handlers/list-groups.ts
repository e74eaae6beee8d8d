// ListGroups: all shards of this broker are asked, and what they know is put together. One that is still loading makes the whole answer
// COORDINATOR_LOAD_IN_PROGRESS, as in Apache Kafka: half a list would be taken for all.
// Source: the protocol guide; KIP-518 (states), KIP-848 (types).
import { listGroupsRequest, listGroupsResponse } from '../../protocol/apis/list-groups.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { allGroupAddresses } from '../group-address.ts';
import { askParts } from './group-fan-out.ts';
import { answer, answerGathered, decodeBody, type Handler } from './handler.ts';

export function listGroupsHandler(context: BrokerContext): Handler {
  return (request) => {
    const body = decodeBody(request, listGroupsRequest);
    const addresses = allGroupAddresses(context.metadata.image, context.nodeId, context.runtime.workerCount);
    if (addresses.length === 0) {
      answer(request, listGroupsResponse, { throttleTimeMs: 0, errorCode: ERROR.NONE, groups: [] });
      return true;
    }
    const parts = addresses.map((address) => ({ address, body }));
    askParts(context, request, { request: listGroupsRequest, response: listGroupsResponse }, parts, (answers) => {
      // A shard that is gone has no groups.
      const failed = answers.find(({ errorCode }) => errorCode !== ERROR.NONE && errorCode !== ERROR.NOT_COORDINATOR);
      const groups = failed === undefined ? answers.flatMap((each) => each.groups) : [];
      answerGathered(request, listGroupsResponse, { throttleTimeMs: 0, errorCode: failed?.errorCode ?? ERROR.NONE, groups });
    });
    return true;
  };
}
