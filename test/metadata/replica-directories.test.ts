// Where replicas lie, as the metadata tells it: brought in line with what a start finds, and without a leader in a directory that failed.
import { describe, expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { bootstrapRecords } from '../../src/metadata/bootstrap.ts';
import { registerBroker, unfenceBroker } from '../../src/metadata/brokers.ts';
import type { PartitionImage, TopicImage } from '../../src/metadata/image-types.ts';
import {
  directoryOf,
  isDirectoryOnline,
  tellFailedDirectories,
  tellFoundReplicas,
  UNASSIGNED,
} from '../../src/metadata/replica-directories.ts';
import { Controller } from './decider.ts';

const A = 'AAAAAAAAAAAAAAAAAAAAZQ';
const B = 'AAAAAAAAAAAAAAAAAAAAZg';
const C = 'AAAAAAAAAAAAAAAAAAAAZw';
const NOWHERE = (): null => null;

/** A broker with directories A, B and C, and topic `t` with partition 0 in A, 1 in B and 2 in C. */
function cluster(): Controller {
  const controller = new Controller([1], [A, B, C]);
  controller.create([{ name: 't', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]);
  return controller;
}

function partition(controller: Controller, number: number): PartitionImage {
  return (controller.image.topicByName('t') as TopicImage).partitions[number] as PartitionImage;
}

function places(controller: Controller): string[] {
  return [0, 1, 2].map((number) => directoryOf(partition(controller, number), 1));
}

/** The broker starts again with these directories; how many replicas are lost. */
function restart(controller: Controller, logDirs: readonly string[], found: readonly (string | null)[], hasOffline: boolean): number {
  const registration = { brokerId: 1, incarnationId: A, endPoints: [], features: [], rack: null, logDirs };
  controller.apply(registerBroker(registration, 50).records);
  const foundIn = (_topic: TopicImage, number: number): string | null => found[number] ?? null;
  const { records, lost } = tellFoundReplicas(controller.image, { brokerId: 1, foundIn, hasOffline });
  controller.apply(records);
  controller.apply(unfenceBroker(controller.image, 1, 50));
  return [...lost.values()].reduce((sum, count) => sum + count, 0);
}

describe('a start', () => {
  test('leaves the metadata alone where all is as it says', () => {
    const controller = cluster();
    const foundIn = (_topic: TopicImage, number: number): string | null => [A, B, null][number] ?? null;
    expect(tellFoundReplicas(controller.image, { brokerId: 1, foundIn, hasOffline: false })).toEqual({ records: [], lost: new Map() });
  });

  test('says where a partition was found that was moved by hand', () => {
    const controller = cluster();
    restart(controller, [A, B, C], [A, C, C], false);
    expect(places(controller)).toEqual([A, C, C]);
    expect(partition(controller, 1)).toMatchObject({ leader: 1, isr: [1] });
  });

  test('names a directory for what none was named for, the one with the fewest', () => {
    const controller = cluster();
    const topicId = controller.image.topicByName('t')?.id ?? '';
    for (const [partitionId, directories] of [
      [0, []],
      [1, [UNASSIGNED]],
      [2, [ZERO_UUID]],
    ] as const) {
      const { partition: _, slot: __, ...rest } = partition(controller, partitionId);
      const lists = { replicas: [1], isr: [1], removingReplicas: [], addingReplicas: [], eligibleLeaderReplicas: null, lastKnownElr: null };
      controller.apply([{ type: 'PartitionRecord', partitionId, topicId, ...rest, ...lists, directories: [...directories] }]);
    }
    expect(restart(controller, [A, B, C], [null, C, null], false)).toBe(0);
    expect(places(controller)).toEqual([A, C, B]);
  });

  test('makes a partition anew whose directory the broker has no more', () => {
    const controller = cluster();
    expect(restart(controller, [A, B], [A, B, null], false)).toBe(1);
    expect(places(controller)).toEqual([A, B, A]);
    expect(partition(controller, 2).leader).toBe(1);
  });

  test('waits for a directory that cannot be read, without a leader, and leads again when it is back', () => {
    const controller = cluster();
    expect(restart(controller, [A, B], [A, B, null], true)).toBe(0);
    expect(places(controller)).toEqual([A, B, C]);
    expect(isDirectoryOnline(controller.image, partition(controller, 2), 1)).toBe(false);
    expect(partition(controller, 2)).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] });
    restart(controller, [A, B, C], [A, B, C], false);
    expect(partition(controller, 2)).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [], lastKnownElr: [] });
  });
});

describe('a directory that fails', () => {
  test('leaves its partitions without a leader and gets no new ones, in the records of Apache Kafka', () => {
    const controller = cluster();
    const records = tellFailedDirectories(controller.image, 1, [B]);
    expect(records).toMatchObject([
      {
        type: 'PartitionChangeRecord',
        partitionId: 1,
        isr: [],
        leader: -1,
        eligibleLeaderReplicas: [1],
        lastKnownElr: [1],
        directories: null,
      },
      { type: 'BrokerRegistrationChangeRecord', brokerId: 1, fenced: 0, logDirs: [A, C] },
    ]);
    controller.apply(records);
    expect(tellFailedDirectories(controller.image, 1, [B])).toEqual([]);
    controller.create([{ name: 'u', numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] }]);
    const topic = controller.image.topicByName('u') as TopicImage;
    expect(topic.partitions.map((each) => directoryOf(each, 1))).toEqual([A, C, A, C]);
  });

  test('keeps the last one in sync where nobody keeps note of who was', () => {
    const controller = new Controller([], []);
    controller.apply(bootstrapRecords());
    controller.apply([{ type: 'FeatureLevelRecord', name: 'eligible.leader.replicas.version', featureLevel: 0 }]);
    restart(controller, [A, B, C], [], false);
    controller.create([{ name: 't', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]);
    controller.apply(tellFailedDirectories(controller.image, 1, [A]));
    expect(partition(controller, 0)).toMatchObject({ leader: -1, isr: [1], eligibleLeaderReplicas: [] });
    restart(controller, [B, C], [null, B, C], true);
    expect(partition(controller, 0)).toMatchObject({ leader: -1, isr: [1] });
  });

  test('that nothing else is left of is told of its partitions alone', () => {
    const controller = new Controller([1], [A]);
    controller.create([{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]);
    expect(tellFailedDirectories(controller.image, 1, [A]).map(({ type }) => type)).toEqual(['PartitionChangeRecord']);
    expect(tellFailedDirectories(controller.image, 1, [C])).toEqual([]);
    expect(tellFoundReplicas(controller.image, { brokerId: 2, foundIn: NOWHERE, hasOffline: false }).records).toEqual([]);
  });
});
