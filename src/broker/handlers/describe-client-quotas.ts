// DescribeClientQuotas: the quotas that the metadata log holds. AlterClientQuotas is not served as long as nobody is held to them
// (docs/decisions/0020-admin-of-one-node.md).
// Source: KIP-546.
import { clientQuotas, filterFault, matchingQuotas } from '../../metadata/client-quotas.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from '../../protocol/apis/describe-client-quotas.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function describeClientQuotasHandler(context: BrokerContext): Handler {
  return (request) => {
    const { components, strict } = decodeBody(request, describeClientQuotasRequest);
    const fault = filterFault(components);
    if (fault !== null) {
      const errorCode = fault.fault === 'unsupported' ? ERROR.UNSUPPORTED_VERSION : ERROR.INVALID_REQUEST;
      answer(request, describeClientQuotasResponse, { throttleTimeMs: 0, errorCode, errorMessage: fault.message, entries: null });
      return true;
    }
    const entries = matchingQuotas(clientQuotas(context.metadata.image), components, strict).map(({ entity, values }) => ({
      entity: Array.from(entity, ([entityType, entityName]) => ({ entityType, entityName })),
      values: Array.from(values, ([key, value]) => ({ key, value })),
    }));
    // Kafka's answer has an empty text where there is no error.
    answer(request, describeClientQuotasResponse, { throttleTimeMs: 0, errorCode: ERROR.NONE, errorMessage: '', entries });
    return true;
  };
}
