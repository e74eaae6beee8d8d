// ListConfigResources: what has a configuration that DescribeConfigs can be asked for. Topics and brokers always have one; groups and
// subscriptions to clients' metrics where something is set for them.
// Source: KIP-714 (v0: subscriptions alone), KIP-1142 (v1: all types; an empty list asks for all of them).
import { RESOURCE } from '../../metadata/image-types.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from '../../protocol/apis/list-config-resources.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const ALL_TYPES: readonly number[] = [RESOURCE.GROUP, RESOURCE.CLIENT_METRICS, RESOURCE.BROKER_LOGGER, RESOURCE.BROKER, RESOURCE.TOPIC];
/** In this order they are told. */
const TYPES_BY_VERSION: readonly (readonly number[])[] = [[RESOURCE.CLIENT_METRICS], ALL_TYPES];

export function listConfigResourcesHandler(context: BrokerContext): Handler {
  return (request) => {
    const { resourceTypes } = decodeBody(request, listConfigResourcesRequest);
    const served = TYPES_BY_VERSION[request.apiVersion] ?? ALL_TYPES;
    const isUnknown = resourceTypes.some((type) => !served.includes(type));
    const wanted = resourceTypes.length === 0 ? served : served.filter((type) => resourceTypes.includes(type));
    const configResources = isUnknown ? [] : wanted.flatMap((resourceType) => namesOf(context, resourceType));
    const errorCode = isUnknown ? ERROR.UNSUPPORTED_VERSION : ERROR.NONE;
    answer(request, listConfigResourcesResponse, { throttleTimeMs: 0, errorCode, configResources });
    return true;
  };
}

function namesOf({ metadata: { image } }: BrokerContext, resourceType: number): { resourceName: string; resourceType: number }[] {
  return [...names()].map((resourceName) => ({ resourceName, resourceType }));

  function* names(): Iterable<string> {
    switch (resourceType) {
      case RESOURCE.TOPIC:
        for (const { name } of image.topics) yield name;
        return;
      case RESOURCE.BROKER:
      case RESOURCE.BROKER_LOGGER:
        for (const { brokerId, isFenced } of image.brokers) if (!isFenced) yield String(brokerId);
        return;
      default:
        yield* image.configuredResources(resourceType);
    }
  }
}
