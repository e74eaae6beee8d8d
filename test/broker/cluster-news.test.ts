// What the log tells of changes of the cluster: one line for a request that names thousands, no value of a secret.
import { describe, expect, it } from 'vitest';
import { clusterNews } from '../../src/broker/cluster-news.ts';
import { ClusterImage } from '../../src/metadata/image.ts';
import { CLUSTER_DEFAULT, RESOURCE } from '../../src/metadata/image-types.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';

const image = new ClusterImage('MkU3OEVBNTcwNTJENDM2Qg');
let offset = 0;

/** Replays the records as one change and gives the lines. */
function told(...records: MetadataRecord[]): [string, unknown][] {
  for (const record of records) image.replay(record, offset++);
  return clusterNews(image.takeChange(), image).map(({ message, fields }) => [message, fields]);
}

function idOf(name: string): string {
  return Buffer.from(name.padEnd(16)).toString('base64url');
}

function partition(name: string, partitionId: number): MetadataRecord {
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId: idOf(name),
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: [],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  };
}

function made(name: string, partitionCount = 1): MetadataRecord[] {
  const partitions = Array.from({ length: partitionCount }, (_, i) => partition(name, i));
  return [{ type: 'TopicRecord', name, topicId: idOf(name) }, ...partitions];
}

function config(resourceType: number, resourceName: string, name: string, value: string | null): MetadataRecord {
  return { type: 'ConfigRecord', resourceType, resourceName, name, value };
}

describe('topics', () => {
  it('one: its name, id, partitions and what was set for it, in one line', () => {
    expect(told(...made('one', 3), config(RESOURCE.TOPIC, 'one', 'retention.ms', '5'))).toEqual([
      ['topic made', { topic: 'one', id: idOf('one'), partitions: 3, set: 'retention.ms=5' }],
    ]);
    expect(told(partition('one', 3), partition('one', 4))).toEqual([
      ['topic grown', { topic: 'one', id: idOf('one'), partitions: 5, added: 2 }],
    ]);
    expect(told({ type: 'RemoveTopicRecord', topicId: idOf('one') })).toEqual([
      ['topic deleted', { topic: 'one', id: idOf('one'), partitions: 5 }],
    ]);
  });

  it('two thousand: one line with how many and the first names', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `t${i}`);
    const topics = 't0, t1, t2, t3, t4 and 1995 more';
    const configs = names.map((name) => config(RESOURCE.TOPIC, name, 'retention.ms', '5'));
    expect(told(...names.flatMap((name) => made(name, 2)), ...configs)).toEqual([
      ['topics made', { count: 2000, partitions: 4000, topics }],
    ]);
    expect(told(...names.map((name) => config(RESOURCE.TOPIC, name, 'segment.ms', '9')))).toEqual([
      ['configurations changed', { count: 2000, of: topics.replaceAll('t', 'topic t'), keys: 'segment.ms' }],
    ]);
    expect(told(...names.map((name): MetadataRecord => ({ type: 'RemoveTopicRecord', topicId: idOf(name) })))).toEqual([
      ['topics deleted', { count: 2000, partitions: 4000, topics }],
    ]);
  });

  it('a change of leadership is no news', () => {
    told(...made('led'));
    const change = { ...partition('led', 0), leaderEpoch: 7 };
    expect(told(change as MetadataRecord)).toEqual([]);
  });
});

describe('configurations', () => {
  it('are told with the values that hold, a removed one as removed, a long one cut', () => {
    const many = 'x'.repeat(1000);
    expect(
      told(
        config(RESOURCE.BROKER, '1', 'log.retention.ms', '1'),
        config(RESOURCE.BROKER, '1', 'log.retention.ms', '2'),
        config(RESOURCE.BROKER, '1', 'max.connections.per.ip.overrides', many),
        config(RESOURCE.BROKER, '1', 'num.io.threads', null),
      ),
    ).toEqual([
      [
        'configuration changed',
        {
          of: 'broker 1',
          set: `log.retention.ms=2, max.connections.per.ip.overrides=${many.slice(0, 200)}…, num.io.threads removed`,
        },
      ],
    ]);
  });

  it('show no secret, and nothing of what nobody knows', () => {
    const lines = told(
      config(RESOURCE.BROKER, CLUSTER_DEFAULT, 'ssl.keystore.password', 'hush'),
      config(RESOURCE.BROKER, CLUSTER_DEFAULT, 'listener.name.inner.ssl.key.password', 'hush'),
      config(RESOURCE.BROKER, CLUSTER_DEFAULT, 'a.plugin.token', 'hush'),
      config(RESOURCE.BROKER, CLUSTER_DEFAULT, 'min.insync.replicas', '1'),
    );
    expect(lines).toEqual([
      [
        'configuration changed',
        {
          of: 'all brokers',
          set: 'ssl.keystore.password (hidden), listener.name.inner.ssl.key.password (hidden), a.plugin.token (hidden), min.insync.replicas=1',
        },
      ],
    ]);
  });

  it('of groups, and of what is to come, are told too', () => {
    expect(told(config(RESOURCE.GROUP, 'g', 'consumer.session.timeout.ms', '45000'))).toEqual([
      ['configuration changed', { of: 'group g', set: 'consumer.session.timeout.ms=45000' }],
    ]);
  });
});

it('features are told with their levels, 0 where one was taken away', () => {
  const level = (name: string, featureLevel: number): MetadataRecord => ({ type: 'FeatureLevelRecord', name, featureLevel });
  expect(told(level('metadata.version', 29), level('group.version', 0))).toEqual([
    ['features changed', { levels: 'metadata.version=29, group.version=0' }],
  ]);
});
