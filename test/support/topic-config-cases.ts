// Changes of topics' configurations. Takes a broker without topics, and leaves none behind.
import { ConfigStory, TOPIC } from './config-story.ts';

const T = 'told';
const BOTH = [T, 'other'] as const;

export async function askTopicConfigCases(port: number): Promise<Map<string, unknown>> {
  const story = await ConfigStory.open(port);
  const set = (...changes: string[]): Promise<void> => story.change(TOPIC, T, ...changes);
  const only = (name: string, ...changes: string[]) => ({ type: TOPIC, name, changes });
  for (const name of BOTH) await story.book.client.createTopic(name, 2);

  for (const version of [0, 1]) {
    await story.changes([only(T, 'SET retention.ms=1000')], { version });
    await story.changes([only(T, 'SET retention.ms=2000', 'SET segment.bytes=2000000')], { version, validateOnly: true });
    await story.changes([only(T, 'DELETE retention.ms')], { version });
  }
  // Each option that changes what a log does, and back.
  for (const change of [
    'segment.bytes=1048576',
    'segment.ms=60000',
    'segment.jitter.ms=10',
    'segment.index.bytes=4096',
    'retention.bytes=-1',
    'retention.bytes=123456',
    'retention.ms=-1',
    'max.message.bytes=100',
    'message.timestamp.type=LogAppendTime',
    'message.timestamp.before.max.ms=5',
    'message.timestamp.after.max.ms=5',
    'cleanup.policy=compact',
    'cleanup.policy=compact,delete',
    'cleanup.policy=',
    'min.insync.replicas=2',
    'compression.type=gzip',
    'compression.gzip.level=9',
    'compression.lz4.level=17',
    'compression.zstd.level=-7',
    'index.interval.bytes=0',
    'flush.messages=1',
    'flush.ms=0',
    'file.delete.delay.ms=0',
    'delete.retention.ms=1',
    'min.compaction.lag.ms=1',
    'max.compaction.lag.ms=100000',
    'min.cleanable.dirty.ratio=0.1',
    'preallocate=true',
    'unclean.leader.election.enable=true',
    'leader.replication.throttled.replicas=0:1,1:1',
    'follower.replication.throttled.replicas=*',
    'internal.segment.bytes=1000',
    'local.retention.ms=-2',
    'remote.log.copy.disable=false',
  ]) {
    await set(`SET ${change}`);
    await set(`DELETE ${change.split('=')[0]}`);
  }
  // Values that are refused, or taken as they were not written.
  for (const change of [
    'segment.bytes=1',
    'segment.bytes=x',
    'segment.bytes=',
    'segment.bytes= 2000000 ',
    'segment.bytes=99999999999',
    'segment.bytes=1e7',
    'segment.bytes=+2000000',
    'retention.ms=-2',
    'retention.ms=9223372036854775807',
    'retention.ms=9223372036854775808',
    'cleanup.policy=shred',
    'cleanup.policy=delete,delete',
    'cleanup.policy=,delete',
    'cleanup.policy=DELETE',
    'compression.type=best',
    'compression.gzip.level=0',
    'min.insync.replicas=0',
    'min.cleanable.dirty.ratio=2',
    'preallocate=yes',
    'preallocate=TRUE',
    'message.timestamp.type=createtime',
    'leader.replication.throttled.replicas=x',
    'remote.storage.enable=true',
    'remote.log.copy.disable=true',
    'local.retention.ms=5',
    'local.retention.bytes=5',
    'no.such.key=1',
    'log.retention.ms=1',
    'message.format.version=2.0',
    '=1',
  ]) {
    await set(`SET ${change}`);
  }
  await set('DELETE segment.bytes', 'DELETE retention.ms', 'DELETE cleanup.policy', 'DELETE preallocate', 'DELETE local.retention.ms');
  await set('DELETE remote.log.copy.disable', 'DELETE min.cleanable.dirty.ratio', 'DELETE local.retention.bytes');
  await set('DELETE no.such.key');
  await set('DELETE retention.ms=7');
  await set('SET min.compaction.lag.ms=10', 'SET max.compaction.lag.ms=5');
  await set('SET min.compaction.lag.ms=10');
  await set('SET max.compaction.lag.ms=5');
  await set('DELETE min.compaction.lag.ms', 'SET max.compaction.lag.ms=5');
  await set('DELETE max.compaction.lag.ms');
  const replicas = (from: number): string => Array.from({ length: 2500 }, (_, i) => `${from + i}:1`).join(',');
  for (const from of [10_000, 20_000]) await set(`APPEND follower.replication.throttled.replicas=${replicas(from)}`);
  await set('DELETE follower.replication.throttled.replicas');

  // Lists.
  await set('APPEND cleanup.policy=compact');
  await set('APPEND cleanup.policy=compact');
  await set('APPEND cleanup.policy=delete');
  await set('APPEND cleanup.policy=shred');
  await set('SUBTRACT cleanup.policy=compact');
  await set('SUBTRACT cleanup.policy=compact');
  await set('SUBTRACT cleanup.policy=delete');
  await set('APPEND cleanup.policy=delete,compact');
  await set('SUBTRACT cleanup.policy=delete,compact,shred');
  await set('DELETE cleanup.policy');
  await set('SUBTRACT cleanup.policy=delete');
  await set('DELETE cleanup.policy');
  await set('APPEND cleanup.policy=');
  await set('DELETE cleanup.policy');
  await set('APPEND segment.bytes=1');
  await set('SUBTRACT segment.bytes=1');
  await set('APPEND no.such.key=1');
  await set('APPEND leader.replication.throttled.replicas=0:1');
  await set('APPEND leader.replication.throttled.replicas=1:1, 0:1');
  await set('DELETE leader.replication.throttled.replicas');

  // Odd requests.
  await set();
  await set('SET retention.ms');
  await set('SET retention.ms', 'APPEND cleanup.policy', 'DELETE segment.bytes');
  await set('SET retention.ms=1', 'SET retention.ms=2');
  await set('SET retention.ms=1', 'DELETE retention.ms');
  await set('SET retention.ms=5', 'SET segment.bytes=1');
  await set('4 retention.ms=1');
  await set('-1 retention.ms=1');
  await set('SET retention.ms=1000', 'SET segment.ms=1000', 'SET flush.ms=5');
  await set('SET retention.ms=1000');
  await set('DELETE flush.ms', 'SET retention.ms=3000');
  for (const name of ['missing', '', '.', 'b@d', '__cluster_metadata', 'x'.repeat(250)]) {
    await story.change(TOPIC, name, 'SET retention.ms=1');
    await story.change(TOPIC, name);
    await story.replace([only(name, 'retention.ms=1')]);
  }
  await story.change(TOPIC, 'missing', 'SET retention.ms=x');
  await story.change(TOPIC, 'missing', 'SET no.such.key=x');
  await story.changes([only(T, 'SET retention.ms=7'), only('missing', 'SET retention.ms=7'), only('other', 'SET retention.ms=8')]);
  await story.changes([only(T, 'SET retention.ms=9'), only(T, 'SET segment.ms=9'), only('other', 'SET retention.ms=9')]);
  await story.changes([only(T, 'SET retention.ms=9'), only(T, 'SET segment.ms=9'), only(T, 'SET flush.ms=9')]);
  await story.changes([]);
  for (const type of [0, 1, 3, 64, 127, -1]) {
    await story.changes([{ type, name: T, changes: ['SET retention.ms=5'] }]);
    await story.changes([{ type, name: T, changes: ['SET retention.ms=5'] }, only(T, 'SET retention.ms=11')]);
    await story.replace([{ type, name: T, changes: ['retention.ms=5'] }]);
  }

  // All at once: what is not named goes.
  const all = ['retention.ms', 'segment.ms', 'segment.bytes', 'flush.ms', 'cleanup.policy'];
  for (const version of [0, 1, 2]) {
    await story.replace([only(T, 'retention.ms=100', 'flush.ms=7')], { version, keys: all });
    await story.replace([only(T, 'segment.bytes=2000000')], { version, keys: all, validateOnly: true });
    await story.replace([only(T, 'segment.bytes=2000000', 'retention.ms=100')], { version, keys: all });
    await story.replace([only(T)], { version, keys: all });
  }
  await story.replace([only(T, 'segment.bytes=1')], { keys: all });
  await story.replace([only(T, 'segment.bytes')], { keys: all });
  await story.replace([only(T, 'segment.bytes', 'retention.ms', 'flush.ms=1')], { keys: all });
  await story.replace([only(T, 'flush.ms=2', 'flush.ms=1')], { keys: all });
  await story.replace([only(T, 'no.such.key=1')], { keys: all });
  await story.replace([only(T, 'retention.ms=1'), only(T, 'retention.ms=2')], { keys: all });
  await story.replace([only(T, 'retention.ms=1'), only('missing', 'retention.ms=2'), only('other')], { keys: all });
  await story.replace([]);

  // What stands behind a topic's option.
  await set('SET retention.ms=1000', 'SET max.message.bytes=1000');
  await story.describeAt([1, 2, 3, 4], TOPIC, T, ['retention.ms', 'max.message.bytes', 'segment.ms', 'flush.ms', 'internal.segment.bytes']);
  for (const name of BOTH) await story.book.client.deleteTopic(name);
  return story.close();
}
