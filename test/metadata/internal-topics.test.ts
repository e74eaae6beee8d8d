// What the topics of coordinators are made like, by how many brokers there are and what their options say.
import { describe, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { fenceBroker } from '../../src/metadata/brokers.ts';
import { internalTopic } from '../../src/metadata/internal-topics.ts';
import { INTERNAL_TOPICS } from '../../src/metadata/topic-names.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Controller } from './decider.ts';

const { config } = resolveBrokerConfig({ coreCount: 1 });

function made(
  name: string,
  brokerIds: readonly number[],
  of = config,
): { replicas: number | undefined; configs: Record<string, string | null> } {
  const topic = internalTopic(name, of, new Controller(brokerIds).image);
  return {
    replicas: topic?.replicationFactor,
    configs: Object.fromEntries((topic?.configs ?? []).map((each) => [each.name, each.value])),
  };
}

describe.each([...INTERNAL_TOPICS])('%s', (name) => {
  test.each([
    { brokers: [1], replicas: 1 },
    { brokers: [1, 2], replicas: 2 },
    { brokers: [1, 2, 3], replicas: 3 },
    { brokers: [1, 2, 3, 4, 5], replicas: 3 },
  ])('has $replicas replicas on brokers $brokers, and can be made', ({ brokers, replicas }) => {
    const controller = new Controller(brokers);
    const topic = internalTopic(name, config, controller.image);
    expect(topic).toMatchObject({ name, numPartitions: 50, replicationFactor: replicas });
    const { response } = controller.create(topic === null ? [] : [topic]);
    expect(response).toMatchObject([{ errorCode: ERROR.NONE, errorMessage: null, numPartitions: 50, replicationFactor: replicas }]);
  });

  test('counts fenced brokers: they come back', () => {
    const controller = new Controller([1, 2, 3]);
    controller.apply([fenceBroker(3, 0)]);
    expect(internalTopic(name, config, controller.image)?.replicationFactor).toBe(3);
  });

  test('can be written to on the brokers that it is made on', () => {
    for (const brokers of [[1], [1, 2], [1, 2, 3]]) {
      const { replicas = 0, configs } = made(name, brokers);
      expect(Number(configs['min.insync.replicas'] ?? 1)).toBeLessThanOrEqual(replicas);
    }
  });
});

test('the options of each say what it is like', () => {
  const given = resolveBrokerConfig({
    coreCount: 1,
    file: [
      'offsets.topic.num.partitions=7',
      'offsets.topic.segment.bytes=2000000',
      'transaction.state.log.replication.factor=2',
      'transaction.state.log.min.isr=1',
      'share.coordinator.state.topic.replication.factor=1',
    ].join('\n'),
  }).config;
  const brokers = [1, 2, 3];
  expect(internalTopic('__consumer_offsets', given, new Controller(brokers).image)?.numPartitions).toBe(7);
  expect(made('__consumer_offsets', brokers, given).configs).toMatchObject({ 'cleanup.policy': 'compact', 'segment.bytes': '2000000' });
  expect(made('__transaction_state', brokers, given)).toMatchObject({ replicas: 2, configs: { 'min.insync.replicas': '1' } });
  expect(made('__share_group_state', brokers, given)).toMatchObject({
    replicas: 1,
    configs: { 'min.insync.replicas': '1', 'retention.ms': '-1' },
  });
});

test('other names are no internal topics', () => {
  const { image } = new Controller([1]);
  expect(['orders', '__cluster_metadata', ''].map((name) => internalTopic(name, config, image))).toEqual([null, null, null]);
});
