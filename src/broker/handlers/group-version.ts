// The new protocol of consumer groups belongs to the feature group.version: where the cluster has it not, requests of it are refused as those
// of a version that the broker does not know.
// Source: KIP-848.
import { groupRefusal } from '../../groups/group-refusals.ts';
import { GROUP_VERSION } from '../../metadata/features.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { Table } from '../../protocol/schema.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const CONSUMER_PROTOCOL_LEVEL = 1;

/** `made`, as long as the cluster's groups may have the new protocol. */
export function withGroupVersion(
  request: Table,
  response: Table,
  made: (context: BrokerContext) => Handler,
): (context: BrokerContext) => Handler {
  return (context) => {
    const handler = made(context);
    return (incoming) => {
      const level = context.metadata.image.features.get(GROUP_VERSION) ?? 0;
      if (level >= CONSUMER_PROTOCOL_LEVEL) return handler(incoming);
      const { apiKey, apiVersion } = incoming;
      answer(incoming, response, groupRefusal(apiKey, apiVersion, decodeBody(incoming, request), ERROR.UNSUPPORTED_VERSION) as never);
      return true;
    };
  };
}
