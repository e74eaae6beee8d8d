// CreateTopics and DeleteTopics as decisions, beside what Apache Kafka answered to the same story.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { fenceBroker } from '../../src/metadata/brokers.ts';
import { DIRECTORY_ID } from './cluster.ts';
import { Controller } from './decider.ts';
import { topicCases } from './topic-cases.ts';

interface Answer {
  readonly about: string;
  readonly topics: readonly { readonly name: string | null; readonly errorCode: number; readonly errorMessage: string | null }[];
}
const golden: { readonly answers: readonly Answer[] } = JSON.parse(
  readFileSync(new URL('../golden/metadata/topics.json', import.meta.url), 'utf8'),
);

describe('asked the same as Apache Kafka', () => {
  const controller = new Controller([1]);
  const ids = new Map<string, string>();
  topicCases.forEach((asked, i) => {
    test(asked.about, () => {
      const expected = golden.answers[i];
      expect(expected?.about).toBe(asked.about);
      if ('create' in asked) {
        const { response } = controller.create(asked.create, asked.validateOnly ?? false);
        for (const topic of response) if (topic.topicId !== ZERO_UUID && !asked.validateOnly) ids.set(`@${topic.name}`, topic.topicId);
        const seen = response.map(({ configs, topicId, ...rest }) => ({
          ...rest,
          hasId: topicId !== ZERO_UUID,
          hasConfigs: configs.length > 0,
        }));
        expect(byName(seen)).toEqual(byName(expected?.topics ?? []));
      } else {
        const { response } = controller.remove(asked.remove.map(({ name, topicId }) => ({ name, topicId: ids.get(topicId) ?? topicId })));
        const seen = response.map(({ topicId, ...rest }) => ({ ...rest, hasId: topicId !== ZERO_UUID }));
        expect(byName(seen)).toEqual(byName(expected?.topics ?? [])); // Kafka shuffles its answers.
      }
    });
  });
});

describe('records', () => {
  test('are a topic, its configuration, its partitions', () => {
    const controller = new Controller([1]);
    const configs = [{ name: 'retention.ms', value: '1000' }];
    const { records, response } = controller.create([{ name: 'one', numPartitions: 2, replicationFactor: 1, assignments: [], configs }]);
    const topicId = response[0]?.topicId;
    expect(records.slice(0, 2)).toEqual([
      { type: 'TopicRecord', name: 'one', topicId },
      { type: 'ConfigRecord', resourceType: 2, resourceName: 'one', name: 'retention.ms', value: '1000' },
    ]);
    expect(records.slice(2)).toMatchObject(
      [0, 1].map((partitionId) => ({
        type: 'PartitionRecord',
        partitionId,
        replicas: [1],
        isr: [1],
        leader: 1,
        directories: [DIRECTORY_ID],
      })),
    );
    expect(response[0]?.configs).toContainEqual({
      name: 'retention.ms',
      value: '1000',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    });
  });

  test('are none where nothing is made', () => {
    const controller = new Controller([1]);
    const wanted = { name: 'one', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] };
    expect(controller.create([wanted], true).records).toEqual([]);
    expect(controller.create([{ ...wanted, replicationFactor: 3 }]).records).toEqual([]);
    expect(controller.remove([{ name: 'one', topicId: ZERO_UUID }]).records).toEqual([]);
  });

  test('name the directory with the fewest where the broker has several, the first of equals', () => {
    const others = ['AAAAAAAAAAAAAAAAAAAAZQ', 'AAAAAAAAAAAAAAAAAAAAZg'] as const;
    const controller = new Controller([1], [DIRECTORY_ID, ...others]);
    const places = (name: string, numPartitions: number): unknown[] =>
      controller
        .create([{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }])
        .records.flatMap((record) => (record.type === 'PartitionRecord' ? record.directories : []));
    expect(places('one', 4)).toEqual([DIRECTORY_ID, ...others, DIRECTORY_ID]);
    expect(places('two', 3)).toEqual([...others, DIRECTORY_ID]);
    controller.remove([{ name: 'one', topicId: ZERO_UUID }]);
    expect(places('three', 1)).toEqual([DIRECTORY_ID]);
  });

  test('spread over the brokers, leaders and followers alike', () => {
    const controller = new Controller([1, 2, 3]);
    const { records } = controller.create([{ name: 'wide', numPartitions: 6, replicationFactor: 2, assignments: [], configs: [] }]);
    const leaders = new Map<number, number>();
    for (const record of records) {
      if (record.type !== 'PartitionRecord') continue;
      expect(new Set(record.replicas).size).toBe(2);
      leaders.set(record.leader, (leaders.get(record.leader) ?? 0) + 1);
    }
    expect([...leaders.values()]).toEqual([2, 2, 2]);
  });

  test('leave a fenced broker out of the in-sync replicas', () => {
    const controller = new Controller([1, 2]);
    controller.apply([fenceBroker(2, 0)]);
    const { records } = controller.create([{ name: 'one', numPartitions: 1, replicationFactor: 2, assignments: [], configs: [] }]);
    expect(records[1]).toMatchObject({ replicas: [1, 2], isr: [1], leader: 1 });
    controller.apply([fenceBroker(1, 0)]);
    const { response } = controller.create([{ name: 'two', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]);
    expect(response[0]?.errorMessage).toBe(
      'Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log directories cordoned.',
    );
  });
});

function byName<T extends { readonly name: string | null }>(topics: readonly T[]): T[] {
  return [...topics].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
