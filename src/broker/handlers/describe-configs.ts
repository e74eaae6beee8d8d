// DescribeConfigs: every option of topics and brokers with its value, where that comes from, and what stands behind it.
// Source: the protocol guide; KIP-226 (synonyms), KIP-569 (types and documentation).
import {
  type ConfigEntry,
  describeBrokerConfigs,
  describeBrokerLoggers,
  describeClientMetricsConfigs,
  describeClusterConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
} from '../../config/describe.ts';
import { brokerOverrides, isInt32 } from '../../metadata/config-rules.ts';
import { CLUSTER_DEFAULT, RESOURCE } from '../../metadata/image-types.ts';
import { topicNameFault } from '../../metadata/topic-names.ts';
import { type DescribeConfigsResponse, describeConfigsRequest, describeConfigsResponse } from '../../protocol/apis/describe-configs.ts';
import { ERROR, errorMessage } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type Result = DescribeConfigsResponse['results'][number];

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(RESOURCE));

export function describeConfigsHandler(context: BrokerContext): Handler {
  return (request) => {
    const body = decodeBody(request, describeConfigsRequest);
    if (body.resources.some(({ resourceType }) => !KNOWN_TYPES.has(resourceType))) {
      // As from Apache Kafka, one type that nobody knows refuses all that was asked.
      const refusal = { errorCode: ERROR.INVALID_REQUEST, errorMessage: errorMessage(ERROR.INVALID_REQUEST), configs: [] };
      const refused = body.resources.map(({ resourceType, resourceName }) => ({ resourceType, resourceName, ...refusal }));
      answer(request, describeConfigsResponse, { throttleTimeMs: 0, results: refused });
      return true;
    }
    const results = body.resources.map(({ resourceType, resourceName, configurationKeys }): Result => {
      const found = entriesOf(context, resourceType, resourceName);
      const common = { resourceType, resourceName };
      if ('errorCode' in found) return { ...common, ...found, configs: [] };
      const wanted = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys);
      const configs = found.entries
        .filter((entry) => wanted === null || wanted.has(entry.name))
        .map((entry) => ({
          ...entry,
          synonyms: body.includeSynonyms ? entry.synonyms.map((synonym) => ({ ...synonym })) : [],
          documentation: body.includeDocumentation || resourceType === RESOURCE.BROKER_LOGGER ? entry.documentation : null,
        }));
      return { ...common, errorCode: ERROR.NONE, errorMessage: '', configs };
    });
    answer(request, describeConfigsResponse, { throttleTimeMs: 0, results });
    return true;
  };
}

type Found = { readonly entries: readonly ConfigEntry[] } | { readonly errorCode: number; readonly errorMessage: string | null };

function entriesOf(context: BrokerContext, resourceType: number, name: string): Found {
  const { config, logLevel, metadata, nodeId } = context;
  const { image } = metadata;
  const overrides = brokerOverrides(image, nodeId);
  const refuse = (message: string): Found => ({ errorCode: ERROR.INVALID_REQUEST, errorMessage: message });
  switch (resourceType) {
    case RESOURCE.TOPIC: {
      const fault = topicNameFault(name);
      if (fault !== null) return { errorCode: ERROR.INVALID_TOPIC_EXCEPTION, errorMessage: fault };
      if (image.topicByName(name) === null) return { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: '' };
      return { entries: describeTopicConfigs(image.configsOf(RESOURCE.TOPIC, name), config, overrides) };
    }
    case RESOURCE.BROKER:
      if (name === CLUSTER_DEFAULT) return { entries: describeClusterConfigs(overrides) };
      if (!isInt32(name)) return refuse(`Broker id must be an integer, but it is: ${name}`);
      if (Number(name) !== nodeId) return refuse(`Unexpected broker id, expected ${nodeId} or empty string, but received ${name}`);
      return { entries: describeBrokerConfigs(config, overrides) };
    case RESOURCE.BROKER_LOGGER:
      if (name === '') return refuse('Broker id must not be empty');
      if (!isInt32(name)) return refuse(`Broker id must be an integer, but it is: ${name}`);
      if (Number(name) !== nodeId) return refuse(`Unexpected broker id, expected ${nodeId} but received ${name}`);
      return { entries: describeBrokerLoggers(logLevel.word) };
    case RESOURCE.CLIENT_METRICS:
      if (name === '') return refuse('Client metrics subscription name must not be empty');
      return { entries: describeClientMetricsConfigs(image.configsOf(RESOURCE.CLIENT_METRICS, name)) };
    case RESOURCE.GROUP:
      if (name === '') return refuse('Group name must not be empty');
      return { entries: describeGroupConfigs(image.configsOf(RESOURCE.GROUP, name), config, overrides) };
    default:
      return refuse(errorMessage(ERROR.INVALID_REQUEST));
  }
}
