// DescribeGroups, ConsumerGroupDescribe and DeleteGroups: lists of groups, each of which its own shard answers for.
// Source: the protocol guide; KIP-430 (authorized operations), KIP-848.
import { groupRefusal } from '../../groups/group-refusals.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../../protocol/apis/consumer-group-describe.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../../protocol/apis/delete-groups.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../../protocol/apis/describe-groups.ts';
import { GROUP_OPERATIONS } from '../../protocol/authorized-operations.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { MessageOf, Table } from '../../protocol/schema.ts';
import type { BrokerContext } from '../broker-context.ts';
import { askByGroup } from './group-fan-out.ts';
import { answerGathered, decodeBody, type Handler } from './handler.ts';

/** A request that is a list of group ids, and a response with a result for each. */
interface ListShape<Request extends Table, Response extends Table, Result> {
  readonly request: Request;
  readonly response: Response;
  readonly idsOf: (body: MessageOf<Request>) => readonly string[];
  readonly withIds: (body: MessageOf<Request>, groupIds: string[]) => MessageOf<Request>;
  readonly resultsOf: (response: MessageOf<Response>) => readonly Result[];
  readonly responseOf: (results: Result[], body: MessageOf<Request>) => MessageOf<Response>;
}

function groupListHandler<Request extends Table, Response extends Table, Result>(
  shape: ListShape<Request, Response, Result>,
): (context: BrokerContext) => Handler {
  return (context) => (request) => {
    const body = decodeBody(request, shape.request);
    askByGroup<Request, Response, string, Result>(context, request, shape, {
      items: shape.idsOf(body),
      groupIdOf: (groupId) => groupId,
      bodyFor: (groupIds) => shape.withIds(body, groupIds),
      resultsOf: shape.resultsOf,
      refuse: (part) => groupRefusal(request.apiKey, request.apiVersion, part, ERROR.NOT_COORDINATOR) as MessageOf<Response>,
      done: (results) => answerGathered(request, shape.response, shape.responseOf(results, body)),
    });
    return true;
  };
}

export const describeGroupsHandler = groupListHandler({
  request: describeGroupsRequest,
  response: describeGroupsResponse,
  idsOf: ({ groups }) => groups,
  withIds: (body, groups) => ({ ...body, groups }),
  resultsOf: ({ groups }) => groups,
  responseOf: (groups, body) => ({ throttleTimeMs: 0, groups: withOperations(groups, body.includeAuthorizedOperations) }),
});

export const consumerGroupDescribeHandler = groupListHandler({
  request: consumerGroupDescribeRequest,
  response: consumerGroupDescribeResponse,
  idsOf: ({ groupIds }) => groupIds,
  withIds: (body, groupIds) => ({ ...body, groupIds }),
  resultsOf: ({ groups }) => groups,
  responseOf: (groups, body) => ({ throttleTimeMs: 0, groups: withOperations(groups, body.includeAuthorizedOperations) }),
});

export const deleteGroupsHandler = groupListHandler({
  request: deleteGroupsRequest,
  response: deleteGroupsResponse,
  idsOf: ({ groupsNames }) => groupsNames,
  withIds: (body, groupsNames) => ({ ...body, groupsNames }),
  resultsOf: ({ results }) => results,
  responseOf: (results) => ({ throttleTimeMs: 0, results }),
});

function withOperations<G extends { errorCode: number; authorizedOperations: number }>(groups: G[], isWanted: boolean): G[] {
  if (isWanted) for (const group of groups) if (group.errorCode === ERROR.NONE) group.authorizedOperations = GROUP_OPERATIONS;
  return groups;
}
