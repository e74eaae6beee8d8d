// Limits of batches that are above what naru.memory.max has room for: the broker's is refused when it is changed, as it is at a start; a topic's is
// taken, since "as much as there is" is a usual value, and told, so that nobody wonders why connections are closed.
// Runs on: worker 0, once for all.

import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerOptions } from '../config/broker-options.ts';
import { topicOptions } from '../config/topic-options.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { RESOURCE } from '../metadata/image-types.ts';
import type { MetadataActor } from '../metadata/metadata-actor.ts';
import type { Logger } from '../telemetry/logger.ts';
import { messageSizeFault } from './memory-budget.ts';

const BROKER_KEY = brokerOptions.messageMaxBytes.name;
const TOPIC_KEY = topicOptions.maxMessageBytes.name;
/** Of one change, or of a start: the others are counted. */
const TOPICS_NAMED_MAX = 10;

/** Why a broker cannot have these options while it runs, or null. */
export function messageSizeRule(config: BrokerConfig, arenaBytes: number): (texts: ReadonlyMap<string, string>) => string | null {
  return (texts) => {
    const text = texts.get(BROKER_KEY);
    const fault = text === undefined ? null : messageSizeFault(Number(text), arenaBytes, config);
    return fault === null ? null : `Invalid value ${text} for configuration ${BROKER_KEY}: ${fault}`;
  };
}

/** Tells of topics that are made with such a limit or get one, and at the start of those that have one. */
export function watchMessageSizes(metadata: MetadataActor, config: BrokerConfig, arenaBytes: number, logger: Logger): void {
  const faultOf = (image: ClusterImage, topic: string): string | null => {
    const text = image.configsOf(RESOURCE.TOPIC, topic).get(TOPIC_KEY);
    return text === undefined ? null : messageSizeFault(Number(text), arenaBytes, config);
  };
  metadata.onChange(({ configsChanged }, image) => {
    let count = 0;
    for (const { resourceType, resourceName } of configsChanged) {
      if (resourceType !== RESOURCE.TOPIC) continue;
      const fault = faultOf(image, resourceName);
      if (fault === null || ++count > TOPICS_NAMED_MAX) continue;
      const given = image.configsOf(RESOURCE.TOPIC, resourceName).get(TOPIC_KEY);
      logger.warn(`${TOPIC_KEY}=${given} of the topic ${resourceName}: ${fault}`);
    }
    if (count > TOPICS_NAMED_MAX) logger.warn(`${TOPIC_KEY} of ${count - TOPICS_NAMED_MAX} more topics: the same`);
  });
}
