// What the configuration rows say to configurations of topics, brokers, groups and the rest, over what the image says was changed on the
// running brokers.
// Pure.
import { type BrokerConfig, type BrokerOverrides, brokerRow } from '../config/broker-config.ts';
import { clientMetricsFault } from '../config/client-metrics-rules.ts';
import type { Option } from '../config/define.ts';
import { effectiveTopicConfigs } from '../config/describe.ts';
import { brokerChangeFault, usableTexts } from '../config/dynamic-options.ts';
import { groupConfigFault } from '../config/group-rules.ts';
import { loggerChangeFault } from '../config/logger-rules.ts';
import { validateTopicConfigs } from '../config/topic-config.ts';
import { topicOptionsByName } from '../config/topic-options.ts';
import { ERROR } from '../protocol/errors.ts';
import type { ConfigFault, ConfigRules, TopicConfigRules } from './controller.ts';
import type { ClusterImage } from './image.ts';
import { CLUSTER_DEFAULT, RESOURCE } from './image-types.ts';

/** The rules of the broker `brokerId` with this configuration. */
export function topicConfigRules(config: BrokerConfig, brokerId: number): TopicConfigRules {
  return {
    validate: (configs, image) => validateTopicConfigs(configs, config, brokerOverrides(image, brokerId)),
    effective: (overrides, image) => effectiveTopicConfigs(overrides, config, brokerOverrides(image, brokerId)),
  };
}

/** Lists of groups and of subscriptions can be set alone. */
function listRow(resourceType: number, name: string): Option<unknown> | undefined {
  if (resourceType === RESOURCE.TOPIC) return topicOptionsByName.get(name);
  return resourceType === RESOURCE.BROKER ? brokerRow(name) : undefined;
}

/** What may be changed while the broker `brokerId` runs with this configuration; `hostFault`: what the machine or the process cannot do. */
export function configRules(
  config: BrokerConfig,
  brokerId: number,
  hostFault: (texts: ReadonlyMap<string, string>) => string | null = () => null,
): ConfigRules {
  return {
    listDefault: (resourceType, name) => {
      const row = listRow(resourceType, name);
      return row?.type === 'LIST' ? (row.defaultText ?? '') : null;
    },
    noListFault: (resourceType, name, isAppended) => {
      if (resourceType !== RESOURCE.BROKER) {
        return invalid(`Can't ${isAppended ? 'APPEND' : 'SUBTRACT'} to key ${name} because its type is not LIST.`);
      }
      if (brokerRow(name) === undefined) return invalid(`Unknown config name: ${name}`);
      return invalid(`Config value ${isAppended ? 'append' : 'subtract'} is not allowed for config key: ${name}`);
    },
    fault: (resourceType, resourceName, texts, image) => {
      const overrides = brokerOverrides(image, brokerId);
      switch (resourceType) {
        case RESOURCE.TOPIC:
          return invalid(validateTopicConfigs(texts, config, overrides));
        case RESOURCE.BROKER:
          return badRequest(brokerChangeFault(texts, resourceName !== CLUSTER_DEFAULT, config, overrides) ?? hostFault(texts));
        case RESOURCE.GROUP:
          return invalid(groupConfigFault(texts, config, overrides));
        default: {
          const fault = clientMetricsFault(texts);
          return fault?.isBadRequest ? badRequest(fault.message) : invalid(fault?.message ?? null);
        }
      }
    },
    brokerNameFault: (name) => {
      if (!isInt32(name)) return badRequest(`Node id must be an integer, but it is: ${name}`);
      return Number(name) === brokerId ? null : badRequest(`Unexpected broker id, expected ${brokerId}, but received ${name}`);
    },
    loggerFault: (name, changes) => {
      if (!isInt32(name)) return badRequest(`Node id must be an integer, but it is: ${name}`);
      if (Number(name) !== brokerId) return badRequest(`Unexpected node id. Expected ${brokerId}, but received ${Number(name)}`);
      const fault = loggerChangeFault(changes);
      return fault?.isBadRequest ? badRequest(fault.message) : invalid(fault?.message ?? null);
    },
  };
}

/** A number as Java reads an int: `+1` and `01` are 1. */
export function isInt32(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Number(text) === (Number(text) | 0);
}

function invalid(message: string): ConfigFault;
function invalid(message: string | null): ConfigFault | null;
function invalid(message: string | null): ConfigFault | null {
  return message === null ? null : { errorCode: ERROR.INVALID_CONFIG, errorMessage: message };
}

function badRequest(message: string): ConfigFault;
function badRequest(message: string | null): ConfigFault | null;
function badRequest(message: string | null): ConfigFault | null {
  return message === null ? null : { errorCode: ERROR.INVALID_REQUEST, errorMessage: message };
}

/**
 * What was set for the broker and for all brokers while they run. What cannot hold is left out, as with Apache Kafka, whose controllers
 * take it: a data directory may have come from there.
 */
export function brokerOverrides(image: ClusterImage, brokerId: number): BrokerOverrides {
  return {
    forBroker: usableTexts(image.configsOf(RESOURCE.BROKER, String(brokerId)), true),
    forCluster: usableTexts(image.configsOf(RESOURCE.BROKER, CLUSTER_DEFAULT), false),
  };
}
