// What the configuration rows say to a new topic's configuration, over what the image says was changed on the running brokers.
// Pure.
import type { BrokerConfig, BrokerOverrides } from '../config/broker-config.ts';
import { effectiveTopicConfigs } from '../config/describe.ts';
import { validateTopicConfigs } from '../config/topic-config.ts';
import type { TopicConfigRules } from './controller.ts';
import type { ClusterImage } from './image.ts';
import { CLUSTER_DEFAULT, RESOURCE } from './image-types.ts';

/** The rules of the broker `brokerId` with this configuration. */
export function topicConfigRules(config: BrokerConfig, brokerId: number): TopicConfigRules {
  return {
    validate: (configs, image) => validateTopicConfigs(configs, config, brokerOverrides(image, brokerId)),
    effective: (overrides, image) => effectiveTopicConfigs(overrides, config, brokerOverrides(image, brokerId)),
  };
}

/** What was set for the broker and for all brokers while they run. */
export function brokerOverrides(image: ClusterImage, brokerId: number): BrokerOverrides {
  return {
    forBroker: image.configsOf(RESOURCE.BROKER, String(brokerId)),
    forCluster: image.configsOf(RESOURCE.BROKER, CLUSTER_DEFAULT),
  };
}
