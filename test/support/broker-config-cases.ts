// Changes of a broker's own configuration and of that of all brokers. Takes a broker without topics that is called 1, and takes back what
// it has changed.
import { BROKER, ConfigStory, TOPIC } from './config-story.ts';

const ALL = '';
const SELF = '1';

/** What may be set for one broker and for all, with a value that is good and is not the default. */
const DYNAMIC: readonly (readonly [name: string, value: string])[] = [
  ['log.segment.bytes', '2000000'],
  ['log.roll.ms', '60000'],
  ['log.roll.jitter.ms', '5'],
  ['log.index.interval.bytes', '1024'],
  ['log.index.size.max.bytes', '4096'],
  ['log.preallocate', 'true'],
  ['log.segment.delete.delay.ms', '1000'],
  ['log.flush.interval.messages', '10'],
  ['log.flush.interval.ms', '1000'],
  ['message.max.bytes', '2000000'],
  ['compression.type', 'zstd'],
  ['compression.gzip.level', '3'],
  ['compression.lz4.level', '5'],
  ['compression.zstd.level', '4'],
  ['log.message.timestamp.type', 'LogAppendTime'],
  ['log.message.timestamp.before.max.ms', '1000'],
  ['log.message.timestamp.after.max.ms', '1000'],
  ['producer.id.expiration.ms', '100000'],
  ['log.cleanup.policy', 'compact'],
  ['log.retention.bytes', '1000000'],
  ['log.retention.ms', '1000000'],
  ['log.cleaner.threads', '2'],
  ['log.cleaner.backoff.ms', '100'],
  ['log.cleaner.io.max.bytes.per.second', '1000.5'],
  ['log.cleaner.min.cleanable.ratio', '0.2'],
  ['log.cleaner.min.compaction.lag.ms', '5'],
  ['log.cleaner.max.compaction.lag.ms', '500'],
  ['log.cleaner.delete.retention.ms', '500'],
  ['log.cleaner.dedupe.buffer.size', '200000000'],
  ['log.cleaner.io.buffer.size', '100000'],
  ['log.cleaner.io.buffer.load.factor', '0.5'],
  ['log.local.retention.ms', '-2'],
  ['unclean.leader.election.enable', 'true'],
  ['num.io.threads', '10'],
  ['num.network.threads', '4'],
  ['num.replica.fetchers', '2'],
  ['num.recovery.threads.per.data.dir', '3'],
  ['background.threads', '12'],
  ['max.connections', '1000'],
  ['max.connections.per.ip', '100'],
  ['max.connections.per.ip.overrides', '127.0.0.1:1000'],
  ['max.connection.creation.rate', '1000'],
  ['group.consumer.assignment.interval.ms', '500'],
  ['group.share.assignment.interval.ms', '500'],
  ['group.streams.assignment.interval.ms', '500'],
  ['group.coordinator.cached.buffer.max.bytes', '600000'],
  ['share.coordinator.cached.buffer.max.bytes', '600000'],
  ['transaction.partition.verification.enable', 'false'],
  ['remote.log.manager.copier.thread.pool.size', '12'],
  ['remote.fetch.max.wait.ms', '600'],
  ['follower.fetch.last.tiered.offset.enable', 'true'],
  ['leader.replication.throttled.rate', '1000'],
];

/** Asked of one broker: refused, or taken as they were not written. */
const ODD: readonly string[] = [
  'SET num.partitions=2',
  'SET log.dirs=/tmp/x',
  'SET log.retention.hours=5',
  'SET auto.create.topics.enable=false',
  'DELETE num.partitions',
  'APPEND log.cleanup.policy=compact',
  'SUBTRACT log.cleanup.policy=delete',
  'DELETE log.cleanup.policy',
  'SUBTRACT log.cleanup.policy=delete',
  'DELETE log.cleanup.policy',
  'APPEND log.segment.bytes=1',
  'SUBTRACT num.io.threads=1',
  'APPEND no.such.key=1',
  'SET no.such.key=1',
  'DELETE no.such.key',
  'SET naru.nothing=1',
  'DELETE naru.nothing',
  'SET my.password=secret',
  'DELETE my.password',
  'SET log.segment.bytes=1',
  'SET log.segment.bytes=x',
  'SET log.segment.bytes',
  'SET log.cleanup.policy=shred',
  'SET log.cleanup.policy=',
  'DELETE log.cleanup.policy',
  'SET compression.type=best',
  'SET log.roll.ms=0',
  'SET log.roll.ms=-1',
  'SET log.retention.ms=0',
  'SET log.retention.ms=-1',
  'SET log.retention.ms=-2',
  'SET log.retention.bytes=-2',
  'DELETE log.retention.bytes',
  'DELETE log.retention.ms',
  'DELETE log.roll.ms',
  'SET log.roll.jitter.ms=-1',
  'DELETE log.roll.jitter.ms',
  'SET num.io.threads=0',
  'SET num.io.threads=3',
  'SET num.io.threads=17',
  'SET num.io.threads=4',
  'SET num.io.threads=8',
  'DELETE num.io.threads',
  'SET num.network.threads=7',
  'SET background.threads=21',
  'SET log.cleaner.threads=0',
  'SET log.cleaner.threads=3',
  'SET log.cleaner.dedupe.buffer.size=1',
  'SET log.cleaner.io.buffer.size=-1',
  'SET log.cleaner.io.buffer.load.factor=x',
  'SET log.cleaner.max.compaction.lag.ms=0',
  'SET max.connections=-1',
  'SET max.connections=0',
  'DELETE max.connections',
  'SET max.connections.per.ip=0',
  'SET max.connections.per.ip.overrides=127.0.0.1',
  'SET max.connections.per.ip.overrides=nowhere.invalid:5',
  'DELETE max.connections.per.ip.overrides',
  'SET max.connections.per.ip.overrides=127.0.0.1:x',
  'DELETE max.connections.per.ip.overrides',
  'DELETE max.connections.per.ip',
  'SET max.connection.creation.rate=-1',
  'SET max.connection.creation.rate=0',
  'SET min.insync.replicas=2',
  'DELETE min.insync.replicas',
  'SET producer.id.expiration.ms=0',
  'SET message.max.bytes=-1',
  'SET unclean.leader.election.enable=perhaps',
  'SET group.consumer.assignment.interval.ms=-1',
  'SET group.consumer.assignment.interval.ms=20000',
  'DELETE group.consumer.assignment.interval.ms',
  'SET group.consumer.session.timeout.ms=46000',
  'SET log.local.retention.ms=5',
  'SET log.local.retention.bytes=5',
  'DELETE log.local.retention.bytes',
  'DELETE log.local.retention.ms',
  'SET ssl.keystore.password=secret',
  'SET cordoned.log.dirs=/no/such/directory',
  'SET broker.rack=x',
  'SET advertised.listeners=PLAINTEXT://127.0.0.1:1',
  'SET inter.broker.listener.name=x',
  'SET leader.replication.throttled.rate=-1',
  'SET leader.replication.throttled.rate=x',
  'SET remote.log.manager.copier.thread.pool.size=100',
  '4 log.retention.ms=5',
  '-1 log.retention.ms=5',
];

export async function askBrokerConfigCases(port: number): Promise<Map<string, unknown>> {
  const story = await ConfigStory.open(port);
  await story.book.client.createTopic('told', 1);
  for (const [name, value] of DYNAMIC) {
    await story.change(BROKER, SELF, `SET ${name}=${value}`);
    await story.change(BROKER, SELF, `DELETE ${name}`);
    await story.change(BROKER, ALL, `SET ${name}=${value}`);
    await story.change(BROKER, ALL, `DELETE ${name}`);
  }
  for (const change of ODD) {
    await story.change(BROKER, SELF, change);
    await story.change(BROKER, ALL, change);
  }

  // What is set for one broker goes before what is set for all, and both stand behind a topic's options.
  const keys = ['log.retention.ms', 'log.retention.hours', 'log.segment.bytes', 'message.max.bytes', 'log.flush.interval.ms'];
  const ofTopics = ['retention.ms', 'segment.bytes', 'max.message.bytes', 'flush.ms', 'min.insync.replicas'];
  const look = async (versions: readonly number[] = [4]): Promise<void> => {
    await story.describeAt(versions, BROKER, SELF, keys);
    await story.describeAt(versions, BROKER, ALL, keys);
    await story.describeAt(versions, TOPIC, 'told', ofTopics);
  };
  await story.change(BROKER, ALL, 'SET log.retention.ms=5000', 'SET log.segment.bytes=3000000', 'SET log.flush.interval.ms=50');
  await look();
  await story.change(BROKER, SELF, 'SET log.retention.ms=6000', 'SET message.max.bytes=3000000');
  await look([1, 2, 3, 4]);
  await story.change(TOPIC, 'told', 'SET retention.ms=7000', 'SET segment.bytes=4000000');
  await look();
  await story.change(BROKER, SELF, 'DELETE log.retention.ms');
  await look();
  await story.replace([{ type: BROKER, name: SELF, changes: ['log.segment.bytes=5000000'] }], { keys, validateOnly: true });
  await story.replace([{ type: BROKER, name: SELF, changes: ['log.segment.bytes=5000000'] }], { keys });
  await look();
  await story.replace([{ type: BROKER, name: SELF, changes: [] }], { keys });
  await story.replace([{ type: BROKER, name: SELF, changes: ['num.partitions=5'] }], { keys });
  await story.replace([{ type: BROKER, name: SELF, changes: ['log.segment.bytes=5'] }], { keys });
  await story.replace([{ type: BROKER, name: SELF, changes: ['log.segment.bytes'] }], { keys });
  await story.replace([{ type: BROKER, name: ALL, changes: ['log.segment.bytes=5000000'] }], { keys });
  await story.replace([{ type: BROKER, name: ALL, changes: ['log.segment.bytes=5000000', 'min.insync.replicas=1'] }], { keys });
  await story.replace([{ type: BROKER, name: ALL, changes: ['min.insync.replicas=1'] }], { keys });
  await look();
  await story.change(BROKER, ALL, 'SET min.insync.replicas=2');
  await story.describeAt([4], TOPIC, 'told', ofTopics);
  await story.change(BROKER, ALL, 'SET min.insync.replicas=1');
  await story.change(BROKER, ALL, 'SET log.retention.ms=x', 'SET log.segment.bytes=3000000');
  await story.changes([{ type: BROKER, name: SELF, changes: ['SET log.retention.ms=9'] }], { validateOnly: true });

  for (const name of ['2', 'x', '-1', '01', '+1', '1 ', '99999999999']) {
    await story.change(BROKER, name, 'SET log.retention.ms=1000');
    await story.replace([{ type: BROKER, name, changes: [] }], { keys });
  }
  await story.change(BROKER, '01', 'DELETE log.retention.ms');
  await story.change(BROKER, '+1', 'DELETE log.retention.ms');
  await story.changes([
    { type: BROKER, name: SELF, changes: ['SET log.retention.ms=1000'] },
    { type: BROKER, name: ALL, changes: ['SET log.retention.ms=x'] },
    { type: BROKER, name: '9', changes: ['SET log.retention.ms=1000'] },
  ]);
  await story.change(BROKER, SELF, 'DELETE log.retention.ms');

  // Options of a single listener: told by the option of the same name for all of them.
  const single = ['max.connections=100', 'max.connection.creation.rate=100', 'num.network.threads=4', 'some.option=4', 'max.connections=x'];
  const limits = ['max.connections', 'max.connection.creation.rate'].flatMap((name) => [`${name}=0`, `${name}=-1`]);
  const options = [...single, ...limits].map((option) => `plaintext.${option}`);
  for (const option of [...options, ...limits.map((each) => `elsewhere.${each}`)]) {
    const name = `listener.name.${option}`;
    for (const whose of [SELF, ALL]) {
      await story.change(BROKER, whose, `SET ${name}`);
      await story.change(BROKER, whose, `DELETE ${name.slice(0, name.indexOf('='))}`);
    }
  }
  await story.book.client.deleteTopic('told');
  return story.close();
}
