// CreatePartitions as a decision: what the recorded answers of Apache Kafka (test/golden/answers/log-admin.json) do not show.
import { describe, expect, test } from 'vitest';
import { fenceBroker } from '../../src/metadata/brokers.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { createPartitions } from '../../src/metadata/partitions.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Controller } from './decider.ts';

type Topics = Parameters<typeof createPartitions>[1]['topics'];

function grow(controller: Controller, topics: Topics, validateOnly = false): ReturnType<typeof createPartitions> {
  const result = createPartitions(controller.image, { topics, validateOnly }, controller.env);
  controller.apply(result.records);
  return result;
}

function withTopic(brokerIds: readonly number[], replicationFactor: number): Controller {
  const controller = new Controller(brokerIds);
  const topic = { name: 'one', numPartitions: 2, replicationFactor, assignments: [], configs: [] };
  expect(controller.create([topic]).response[0]?.errorCode).toBe(ERROR.NONE);
  return controller;
}

function partitionsOf(records: readonly MetadataRecord[]): { partitionId: number; replicas: readonly number[]; leader: number }[] {
  return records.flatMap((record) => (record.type === 'PartitionRecord' ? [record] : []));
}

describe('new partitions', () => {
  test('are numbered on, and have as many replicas as the others', () => {
    const controller = withTopic([1, 2, 3], 2);
    const { records } = grow(controller, [{ name: 'one', count: 5, assignments: null }]);
    expect(partitionsOf(records).map(({ partitionId }) => partitionId)).toEqual([2, 3, 4]);
    expect(partitionsOf(records).every(({ replicas }) => new Set(replicas).size === 2)).toBe(true);
    expect(controller.image.topicByName('one')?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4]);
  });

  test('go where they are told to, and are led by the first broker that is there', () => {
    const controller = withTopic([1, 2, 3], 2);
    controller.apply([fenceBroker(3, 0)]);
    const assignments = [{ brokerIds: [3, 1] }, { brokerIds: [2, 1] }];
    const { records } = grow(controller, [{ name: 'one', count: 4, assignments }]);
    expect(partitionsOf(records).map(({ replicas, leader }) => [replicas, leader])).toEqual([
      [[3, 1], 1],
      [[2, 1], 2],
    ]);
  });

  test('need a broker that is there', () => {
    const controller = withTopic([1, 2], 1);
    controller.apply([fenceBroker(2, 0)]);
    const { records, response } = grow(controller, [{ name: 'one', count: 3, assignments: [{ brokerIds: [2] }] }]);
    expect(records).toEqual([]);
    expect(response).toEqual([
      {
        name: 'one',
        errorCode: ERROR.INVALID_REPLICA_ASSIGNMENT,
        errorMessage: 'All brokers specified in the manual partition assignment for partition 2 are fenced or in controlled shutdown.',
      },
    ]);
  });

  test('are not made where they are only to be validated', () => {
    const controller = withTopic([1], 1);
    const { records, response } = grow(controller, [{ name: 'one', count: 9, assignments: null }], true);
    expect([records, response[0]?.errorCode]).toEqual([[], ERROR.NONE]);
  });

  test('are at most ten thousand in a request: of a topic that goes beyond none is made, and nothing of those behind it', () => {
    const controller = withTopic([1], 1);
    for (const name of ['two', 'three'])
      controller.create([{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]);
    for (const count of [2 ** 31 - 1, 10_003, 10_002]) {
      const wanted = ['two', 'one', 'three'].map((name) => ({ name, count: name === 'one' ? count : 2, assignments: null }));
      const { records, response } = grow(controller, wanted, true);
      expect(records).toEqual([]);
      expect(response.map(({ errorCode }) => errorCode)).toEqual([ERROR.NONE, ERROR.POLICY_VIOLATION, ERROR.POLICY_VIOLATION]);
    }
    const last = [
      { name: 'one', count: 10_002, assignments: null },
      { name: 'two', count: 2, assignments: null },
    ];
    expect(partitionsOf(grow(controller, last).records)).toHaveLength(10_000);
    expect(controller.image.topicByName('one')?.partitions).toHaveLength(10_002);
    expect(controller.image.topicByName('two')?.partitions).toHaveLength(1);
  });
});
