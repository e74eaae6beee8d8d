// What a group's own configuration may say: inside of the bounds that the broker sets for all groups.
// Pure.
// Source: KIP-848, KIP-932, KIP-1071; the words were recorded from Apache Kafka 4.3.1 (test/golden/answers/config-changes/groups.json).
import { type BrokerConfig, type BrokerOverrides, brokerTextOf } from './broker-config.ts';
import { ConfigError } from './define.ts';
import { groupOptions } from './group-options.ts';

const rows = new Map(groupOptions.map(({ row }) => [row.name, row]));

/** Options with a lower and an upper bound among the broker's options, in the order in which they are looked at. */
const BOUNDED: readonly (readonly [name: string, least: string | null, most: string])[] = [
  ['consumer.heartbeat.interval.ms', 'group.consumer.min.heartbeat.interval.ms', 'group.consumer.max.heartbeat.interval.ms'],
  ['consumer.session.timeout.ms', 'group.consumer.min.session.timeout.ms', 'group.consumer.max.session.timeout.ms'],
  ['consumer.assignment.interval.ms', 'group.consumer.min.assignment.interval.ms', 'group.consumer.max.assignment.interval.ms'],
  ['share.heartbeat.interval.ms', 'group.share.min.heartbeat.interval.ms', 'group.share.max.heartbeat.interval.ms'],
  ['share.session.timeout.ms', 'group.share.min.session.timeout.ms', 'group.share.max.session.timeout.ms'],
  ['share.record.lock.duration.ms', 'group.share.min.record.lock.duration.ms', 'group.share.max.record.lock.duration.ms'],
  ['share.delivery.count.limit', 'group.share.min.delivery.count.limit', 'group.share.max.delivery.count.limit'],
  ['share.partition.max.record.locks', 'group.share.min.partition.max.record.locks', 'group.share.max.partition.max.record.locks'],
  ['share.assignment.interval.ms', 'group.share.min.assignment.interval.ms', 'group.share.max.assignment.interval.ms'],
  ['streams.heartbeat.interval.ms', 'group.streams.min.heartbeat.interval.ms', 'group.streams.max.heartbeat.interval.ms'],
  ['streams.session.timeout.ms', 'group.streams.min.session.timeout.ms', 'group.streams.max.session.timeout.ms'],
  ['streams.num.standby.replicas', null, 'group.streams.max.standby.replicas'],
  ['streams.assignment.interval.ms', 'group.streams.min.assignment.interval.ms', 'group.streams.max.assignment.interval.ms'],
];

const KINDS = ['consumer', 'share', 'streams'] as const;

/** What is wrong with all that a group would have of its own, in the words that Apache Kafka answers with, or null. */
export function groupConfigFault(texts: ReadonlyMap<string, string>, config: BrokerConfig, overrides: BrokerOverrides): string | null {
  for (const name of texts.keys()) if (!rows.has(name)) return `Unknown group config name: ${name}`;
  try {
    for (const [name, row] of rows) {
      const text = texts.get(name);
      if (text !== undefined) row.parse(text);
    }
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  const broker = (name: string): number => Number(brokerTextOf(config, overrides, name));
  for (const [name, least, most] of BOUNDED) {
    const text = texts.get(name);
    if (text === undefined) continue;
    const value = Number(text);
    if (least !== null && value < broker(least)) return `${name} must be greater than or equal to ${least}`;
    if (value > broker(most)) return `${name} must be less than or equal to ${most}`;
  }
  for (const kind of KINDS) {
    const session = Number(texts.get(`${kind}.session.timeout.ms`) ?? broker(`group.${kind}.session.timeout.ms`));
    const heartbeat = Number(texts.get(`${kind}.heartbeat.interval.ms`) ?? broker(`group.${kind}.heartbeat.interval.ms`));
    if (session <= heartbeat) return `${kind}.session.timeout.ms must be greater than ${kind}.heartbeat.interval.ms`;
  }
  return null;
}
