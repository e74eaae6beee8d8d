// Options that Apache Kafka had before 4 and has no more, as they stand in files of old installations: each is named in a warning that says
// what holds in its place, so that nobody takes it for a typing mistake or believes that it works.
// Invariant: no name stands here and in a table of options.
// Pure.

const ZOOKEEPER = 'no ZooKeeper is asked, since the cluster’s metadata lies in the data directory';
const ADDRESS = 'listeners and advertised.listeners say where a broker is found';
const VERSION = 'the metadata log says which formats a cluster uses';
const BROKER_ID = 'node.id is given, or 1';
const PASSWORDS = 'passwords in the metadata are not encrypted by brokers';

/** By name, what holds instead. */
const REMOVED: ReadonlyMap<string, string> = new Map([
  ['host.name', ADDRESS],
  ['port', ADDRESS],
  ['advertised.host.name', ADDRESS],
  ['advertised.port', ADDRESS],
  ['inter.broker.protocol.version', VERSION],
  ['log.message.format.version', VERSION],
  ['log.message.downconversion.enable', 'clients that read formats older than 2 are not served'],
  [
    'log.message.timestamp.difference.max.ms',
    'log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms bound timestamps',
  ],
  ['broker.id.generation.enable', BROKER_ID],
  ['reserved.broker.max.id', BROKER_ID],
  ['control.plane.listener.name', 'controller.listener.names names the listeners of controllers'],
  ['leader.imbalance.per.broker.percentage', 'auto.leader.rebalance.enable alone says whether leaderships are moved back'],
  ['offsets.commit.required.acks', 'offset commits are written as acks=all says'],
  ['quota.producer.default', 'quotas are set in the metadata'],
  ['quota.consumer.default', 'quotas are set in the metadata'],
  ['auto.include.jmx.reporter', 'there is no JMX'],
]);

/** What holds instead of an option that Apache Kafka has had; null for any other name. */
export function insteadOfRemoved(name: string): string | null {
  if (name.startsWith('zookeeper.')) return ZOOKEEPER;
  if (name.startsWith('password.encoder.')) return PASSWORDS;
  return REMOVED.get(name) ?? null;
}
