// What administrators change, over images of several brokers: elections, reassignments, features, brokers that leave.
import { describe, expect, test } from 'vitest';
import { fenceBroker, unregisterBroker } from '../../src/metadata/brokers.ts';
import { ELECTION_TYPE, electLeaders } from '../../src/metadata/elections.ts';
import { UPGRADE_TYPE, updateFeatures } from '../../src/metadata/features.ts';
import type { PartitionImage } from '../../src/metadata/image-types.ts';
import { reassignPartitions } from '../../src/metadata/reassignments.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { DIRECTORY_ID } from './cluster.ts';
import { Controller } from './decider.ts';

/** A topic `t` whose partition 0 is on these brokers, led by the first. */
function clusterWith(replicas: readonly number[], brokerIds: readonly number[] = [1, 2, 3]): Controller {
  const controller = new Controller(brokerIds);
  const topic = { name: 't', numPartitions: -1, replicationFactor: -1, configs: [] };
  const assignments = [{ partitionIndex: 0, brokerIds: [...replicas] }];
  expect(controller.create([{ ...topic, assignments }]).response).toMatchObject([{ errorCode: ERROR.NONE }]);
  return controller;
}

function partitionOf(controller: Controller): PartitionImage {
  return controller.image.topicByName('t')?.partitions[0] ?? expect.fail('no partition');
}

/** What a broker that is gone has left: the partition is led by another, or by nobody. */
function change(
  controller: Controller,
  fields: { leader?: number; isr?: number[]; addingReplicas?: number[]; removingReplicas?: number[] },
): void {
  const nothing = { replicas: null, directories: null, eligibleLeaderReplicas: null, lastKnownElr: null, leaderRecoveryState: -1 };
  const unchanged = { isr: null, leader: -2, addingReplicas: null, removingReplicas: null };
  const topicId = controller.image.topicByName('t')?.id ?? '';
  controller.apply([{ type: 'PartitionChangeRecord', partitionId: 0, topicId, ...nothing, ...unchanged, ...fields }]);
}

describe('an election', () => {
  function elect(controller: Controller, electionType: number, partitions = [0]): number[] {
    const { records, response } = electLeaders(controller.image, { electionType, topicPartitions: [{ topic: 't', partitions }] });
    controller.apply(records);
    return response.flatMap(({ partitionResult }) => partitionResult.map(({ errorCode }) => errorCode));
  }

  test('brings the first replica back, once', () => {
    const controller = clusterWith([1, 2]);
    change(controller, { leader: 2 });
    expect(elect(controller, ELECTION_TYPE.PREFERRED, [0, 0])).toEqual([ERROR.NONE, ERROR.ELECTION_NOT_NEEDED]);
    expect(partitionOf(controller)).toMatchObject({ leader: 1, leaderEpoch: 2, isr: [1, 2] });
    expect(elect(controller, ELECTION_TYPE.PREFERRED)).toEqual([ERROR.ELECTION_NOT_NEEDED]);
  });

  test('waits for a preferred leader that is behind, or away', () => {
    const controller = clusterWith([1, 2]);
    change(controller, { leader: 2, isr: [2] });
    expect(elect(controller, ELECTION_TYPE.PREFERRED)).toEqual([ERROR.PREFERRED_LEADER_NOT_AVAILABLE]);
    change(controller, { isr: [1, 2] });
    controller.apply([fenceBroker(1, 0)]);
    expect(elect(controller, ELECTION_TYPE.PREFERRED)).toEqual([ERROR.PREFERRED_LEADER_NOT_AVAILABLE]);
    expect(partitionOf(controller).leader).toBe(2);
  });

  test('that may lose records takes whoever is there, and says so; one in sync is taken before', () => {
    const controller = clusterWith([1, 2]);
    change(controller, { leader: -1, isr: [1] });
    controller.apply([fenceBroker(1, 0)]);
    expect(elect(controller, ELECTION_TYPE.UNCLEAN)).toEqual([ERROR.NONE]);
    expect(partitionOf(controller)).toMatchObject({ leader: 2, isr: [2], leaderRecoveryState: 1 });

    const other = clusterWith([1, 2]);
    change(other, { leader: -1, isr: [2] });
    expect(elect(other, ELECTION_TYPE.UNCLEAN)).toEqual([ERROR.NONE]);
    expect(partitionOf(other)).toMatchObject({ leader: 2, isr: [2], leaderRecoveryState: 0 });
  });

  test('without anybody elects nobody', () => {
    const controller = clusterWith([1]);
    change(controller, { leader: -1 });
    controller.apply([fenceBroker(1, 0)]);
    expect(elect(controller, ELECTION_TYPE.UNCLEAN)).toEqual([ERROR.ELIGIBLE_LEADERS_NOT_AVAILABLE]);
  });

  test('of everything tells of those alone that had to change', () => {
    const controller = clusterWith([1, 2]);
    controller.create([{ name: 'u', numPartitions: 2, replicationFactor: 1, configs: [], assignments: [] }]);
    change(controller, { leader: 2 });
    const { response } = electLeaders(controller.image, { electionType: ELECTION_TYPE.PREFERRED, topicPartitions: null });
    expect(response).toEqual([
      { topic: 't', partitionResult: [{ partitionId: 0, errorCode: ERROR.NONE, errorMessage: null }] },
      { topic: 'u', partitionResult: [] },
    ]);
  });
});

describe('a reassignment', () => {
  function reassign(controller: Controller, replicas: number[] | null, allowReplicationFactorChange = true): [number, string | null] {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, replicas }] }];
    const { records, response } = reassignPartitions(controller.image, { allowReplicationFactorChange, topics });
    controller.apply(records);
    const result = response[0]?.partitions[0] ?? expect.fail('no answer');
    return [result.errorCode, result.errorMessage];
  }

  test('takes replicas away, and with them the leadership', () => {
    const controller = clusterWith([1, 2, 3]);
    expect(reassign(controller, [2, 3])).toEqual([ERROR.NONE, null]);
    expect(partitionOf(controller)).toMatchObject({ replicas: [2, 3], isr: [2, 3], leader: 2, directories: [DIRECTORY_ID, DIRECTORY_ID] });
  });

  test('into another order elects nobody', () => {
    const controller = clusterWith([1, 2]);
    expect(reassign(controller, [2, 1], false)).toEqual([ERROR.NONE, null]);
    expect(partitionOf(controller)).toMatchObject({ replicas: [2, 1], leader: 1, leaderEpoch: 0 });
  });

  test('is refused where it would lose records, change the count, or need a copy', () => {
    const controller = clusterWith([1, 2]);
    change(controller, { isr: [1] });
    expect(reassign(controller, [2])[0]).toBe(ERROR.INVALID_REPLICA_ASSIGNMENT);
    expect(reassign(controller, [1], false)).toEqual([ERROR.INVALID_REPLICATION_FACTOR, 'The replication factor is changed from 2 to 1']);
    expect(reassign(controller, [1, 3])).toEqual([ERROR.INVALID_REPLICA_ASSIGNMENT, expect.stringContaining('broker 3')]);
    expect(partitionOf(controller)).toMatchObject({ replicas: [1, 2], isr: [1], partitionEpoch: 1 });
  });

  test('that another controller began can be called off', () => {
    const controller = clusterWith([1, 2]);
    change(controller, { addingReplicas: [2] });
    expect(reassign(controller, null)).toEqual([ERROR.NONE, null]);
    expect(partitionOf(controller)).toMatchObject({ replicas: [1], isr: [1], addingReplicas: [], removingReplicas: [] });
    expect(reassign(controller, null)[0]).toBe(ERROR.NO_REASSIGNMENT_IN_PROGRESS);
  });
});

describe('a broker that is unregistered', () => {
  test('leaves the partitions to those who are left', () => {
    const controller = clusterWith([2, 1]);
    const { records, response } = unregisterBroker(controller.image, { brokerId: 2, ownId: 1 });
    controller.apply(records);
    expect(response).toEqual({ errorCode: ERROR.NONE, errorMessage: '' });
    expect(controller.image.broker(2)).toBeNull();
    expect(partitionOf(controller)).toMatchObject({ replicas: [2, 1], isr: [1], leader: 1 });
  });

  test('stays the one in sync where it was alone', () => {
    const controller = clusterWith([2]);
    controller.apply(unregisterBroker(controller.image, { brokerId: 2, ownId: 1 }).records);
    expect(partitionOf(controller)).toMatchObject({ isr: [2], leader: -1 });
  });

  test('is not the one that decides', () => {
    const controller = clusterWith([1]);
    const { records, response } = unregisterBroker(controller.image, { brokerId: 1, ownId: 1 });
    expect(records).toEqual([]);
    expect(response.errorCode).toBe(ERROR.INVALID_REQUEST);
  });
});

describe('a feature', () => {
  const update = (controller: Controller, feature: string, maxVersionLevel: number, upgradeType: number = UPGRADE_TYPE.UPGRADE) => {
    const updates = [{ feature, maxVersionLevel, upgradeType }];
    const { records, response } = updateFeatures(controller.image, { updates, validateOnly: false, controllerId: 1 }, controller.env);
    controller.apply(records);
    return response;
  };

  test('that a broker cannot live with is refused', () => {
    const controller = new Controller([1]);
    const old = { brokerId: 2, isMigratingZkBroker: false, incarnationId: DIRECTORY_ID, brokerEpoch: 9, endPoints: [], rack: null };
    const features = [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }];
    const rest = { features, fenced: true, inControlledShutdown: false, logDirs: [], cordonedLogDirs: null };
    controller.apply([
      { type: 'FeatureLevelRecord', name: 'group.version', featureLevel: 0 },
      { type: 'RegisterBrokerRecord', ...old, ...rest },
    ]);
    expect(update(controller, 'group.version', 1)).toEqual({
      errorCode: ERROR.INVALID_UPDATE_VERSION,
      errorMessage: expect.stringContaining('Broker 2 does not support this feature.'),
    });
    expect(controller.image.features.has('group.version')).toBe(false);
  });

  test('may need a level of another', () => {
    const controller = new Controller([1]);
    for (const [name, featureLevel] of [
      ['eligible.leader.replicas.version', 0],
      ['metadata.version', 22],
    ] as const) {
      controller.apply([{ type: 'FeatureLevelRecord', name, featureLevel }]);
    }
    expect(update(controller, 'eligible.leader.replicas.version', 1).errorMessage).toMatch(/depends on metadata\.version level 23$/);
    expect(update(controller, 'metadata.version', 30)).toEqual({ errorCode: ERROR.NONE, errorMessage: null });
    expect(update(controller, 'eligible.leader.replicas.version', 1).errorCode).toBe(ERROR.NONE);
  });

  test('of eligible leader replicas makes min.insync.replicas the cluster’s', () => {
    const controller = new Controller([1]);
    const config = { type: 'ConfigRecord', resourceType: 4, name: 'min.insync.replicas' } as const;
    controller.apply([
      { type: 'FeatureLevelRecord', name: 'eligible.leader.replicas.version', featureLevel: 0 },
      { ...config, resourceName: '', value: null },
      { ...config, resourceName: '1', value: '2' },
    ]);
    expect(update(controller, 'eligible.leader.replicas.version', 1).errorCode).toBe(ERROR.NONE);
    expect([...controller.image.configsOf(4, '')]).toEqual([['min.insync.replicas', '1']]);
    expect([...controller.image.configsOf(4, '1')]).toEqual([]);
  });

  test('of the quorum cannot be raised where no voters stand in the log', () => {
    const controller = new Controller([1]);
    expect(update(controller, 'kraft.version', 1).errorCode).toBe(ERROR.INVALID_UPDATE_VERSION);
    controller.image.kraftVersion = 1;
    expect(update(controller, 'kraft.version', 1).errorCode).toBe(ERROR.NONE);
  });
});
