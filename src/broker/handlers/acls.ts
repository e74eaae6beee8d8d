// DescribeAcls, CreateAcls, DeleteAcls: without an authorizer there are no rules to show or to change, and every one of them is told so.
// A code that stands for "unknown" ends the connection, as from Apache Kafka, which does not read such a request at all.
// Source: KIP-140, KIP-290 (pattern types).
import { createAclsRequest, createAclsResponse } from '../../protocol/apis/create-acls.ts';
import { deleteAclsRequest, deleteAclsResponse } from '../../protocol/apis/delete-acls.ts';
import { describeAclsRequest, describeAclsResponse } from '../../protocol/apis/describe-acls.ts';
import { ERROR } from '../../protocol/errors.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const UNKNOWN = 0;
const MALFORMED = 'an access rule of an unknown type';

export function describeAclsHandler(): Handler {
  return (request) => {
    const { resourceTypeFilter, patternTypeFilter, operation, permissionType } = decodeBody(request, describeAclsRequest);
    if ([resourceTypeFilter, patternTypeFilter, operation, permissionType].includes(UNKNOWN)) {
      request.close(MALFORMED);
      return true;
    }
    const errorMessage = 'No Authorizer is configured on the broker';
    answer(request, describeAclsResponse, { throttleTimeMs: 0, errorCode: ERROR.SECURITY_DISABLED, errorMessage, resources: [] });
    return true;
  };
}

const REFUSED = { errorCode: ERROR.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' };

export function createAclsHandler(): Handler {
  return (request) => {
    const { creations } = decodeBody(request, createAclsRequest);
    const isMalformed = creations.some(({ resourceType, resourcePatternType, operation, permissionType }) =>
      [resourceType, resourcePatternType, operation, permissionType].includes(UNKNOWN),
    );
    if (isMalformed) request.close(MALFORMED);
    else answer(request, createAclsResponse, { throttleTimeMs: 0, results: creations.map(() => ({ ...REFUSED })) });
    return true;
  };
}

export function deleteAclsHandler(): Handler {
  return (request) => {
    const { filters } = decodeBody(request, deleteAclsRequest);
    const isMalformed = filters.some(({ resourceTypeFilter, patternTypeFilter, operation, permissionType }) =>
      [resourceTypeFilter, patternTypeFilter, operation, permissionType].includes(UNKNOWN),
    );
    if (isMalformed) request.close(MALFORMED);
    else answer(request, deleteAclsResponse, { throttleTimeMs: 0, filterResults: filters.map(() => ({ ...REFUSED, matchingAcls: [] })) });
    return true;
  };
}
