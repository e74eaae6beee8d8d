// What many members, many groups and large subscriptions cost a consumer group: counted in records and look-ups, not in time.
import { expect, test } from 'vitest';
import type { TopicsView, TopicView } from '../../src/coordinator/shard.ts';
import { parseConsumerTimer } from '../../src/groups/consumer-timers.ts';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import type { GroupRecord } from '../../src/groups/group-records.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { subscription } from '../support/classic-verbs.ts';
import { GroupDriver } from '../support/group-driver.ts';

/** How often topics were looked at. */
let lookups = 0;
/** How often a search for topics was put off to another turn, its start among them. */
let searchTurns = 0;
let written: GroupRecord[] = [];

function counted(topics: TopicsView): TopicsView {
  const count = <T>(value: T): T => {
    lookups++;
    return value;
  };
  return {
    byName: (name): TopicView | null => count(topics.byName(name)),
    byId: (topicId): TopicView | null => count(topics.byId(topicId)),
    names: () => count(topics.names()),
    get version(): number {
      return topics.version;
    },
  };
}

function makeDriver(recordBytesMax?: number): GroupDriver {
  return new GroupDriver({
    ...(recordBytesMax === undefined ? {} : { recordBytesMax }),
    makeShard: (environment, config) => {
      const { timers } = environment;
      const set = (key: string, delayMs: number): void => {
        if (parseConsumerTimer(key).timer === 'regex') searchTurns++;
        timers.set(key, delayMs);
      };
      const cancel = (key: string): void => timers.cancel(key);
      return new GroupCoordinator({ ...environment, topics: counted(environment.topics), timers: { set, cancel } }, config);
    },
    isWaitingChecked: false,
  });
}

function beat(driver: GroupDriver, change: Partial<ConsumerGroupHeartbeatRequest>): ConsumerGroupHeartbeatResponse {
  const answer = driver.answerTo<ConsumerGroupHeartbeatResponse>(API.ConsumerGroupHeartbeat, 1, {
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: null,
    ...change,
  });
  written.push(...driver.takeHappened().records);
  return answer;
}

const JOIN = { memberEpoch: 0, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['orders'], topicPartitions: [] };

test('a group of a thousand members: each partition has an owner, and a heartbeat without news looks at nothing and writes nothing', () => {
  const driver = makeDriver();
  driver.createTopic('orders', 2000);
  for (let i = 0; i < 1000; i++) expect(beat(driver, { ...JOIN, memberId: `m${i}` }).errorCode).toBe(ERROR.NONE);
  const owned = new Map<number, readonly number[]>();
  const epochs = new Map<number, number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1000; i++) {
      const topicPartitions =
        (owned.get(i) ?? []).length === 0
          ? []
          : [{ topicId: driver.topic('orders')?.topicId ?? '', partitions: [...(owned.get(i) ?? [])] }];
      // The first round is a new start for everybody: nothing is owned, everything free.
      const change = round === 0 ? JOIN : { memberEpoch: epochs.get(i) ?? 0, topicPartitions };
      const { errorCode, memberEpoch, assignment } = beat(driver, { ...change, memberId: `m${i}` });
      expect(errorCode).toBe(ERROR.NONE);
      epochs.set(i, memberEpoch);
      if (assignment !== null) owned.set(i, assignment.topicPartitions[0]?.partitions ?? []);
    }
  }
  const all = [...owned.values()].flat();
  expect(all.length).toBe(2000);
  expect(new Set(all).size).toBe(2000);
  expect([...owned.values()].every(({ length }) => length === 2)).toBe(true);
  written = [];
  lookups = 0;
  for (let i = 0; i < 1000; i++) {
    expect(beat(driver, { memberId: `m${i}`, memberEpoch: epochs.get(i) ?? 0 })).toMatchObject({ errorCode: ERROR.NONE, assignment: null });
  }
  expect(written).toEqual([]);
  expect(lookups).toBe(0);
});

test('a member that leaves a group of a thousand moves what it had and nothing else', () => {
  const driver = makeDriver();
  driver.createTopic('orders', 1000);
  for (let i = 0; i < 1000; i++) beat(driver, { ...JOIN, memberId: `m${i}` });
  written = [];
  beat(driver, { memberId: 'm7', memberEpoch: -1 });
  beat(driver, { ...JOIN, memberId: 'm8' });
  const targets = written.filter(({ type, value }) => type === 'ConsumerGroupTargetAssignmentMember' && value !== null);
  expect(targets.length).toBe(1);
});

test('ten thousand groups: a topic that comes costs each of them one look, with its next heartbeat', () => {
  const driver = makeDriver();
  driver.createTopic('orders', 1);
  for (let i = 0; i < 10_000; i++) beat(driver, { ...JOIN, groupId: `g${i}` });
  for (let i = 0; i < 10_000; i++) beat(driver, { groupId: `g${i}`, memberEpoch: 2 });
  written = [];
  lookups = 0;
  driver.createTopic('other', 1);
  expect(lookups).toBe(0);
  for (let i = 0; i < 10_000; i++) beat(driver, { groupId: `g${i}`, memberEpoch: 2 });
  for (let i = 0; i < 100; i++) beat(driver, { groupId: `g${i}`, memberEpoch: 2 });
  expect(lookups).toBe(10_000);
  expect(written).toEqual([]);
});

test('a member id of another group is nobody here', () => {
  const driver = makeDriver();
  driver.createTopic('orders', 1);
  beat(driver, JOIN);
  beat(driver, { ...JOIN, groupId: 'other', memberId: 'n' });
  expect(beat(driver, { groupId: 'other', memberEpoch: 2 }).errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID);
  expect(beat(driver, { groupId: 'other', memberEpoch: -1 }).errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID);
  expect(beat(driver, { memberEpoch: 2 }).errorCode).toBe(ERROR.NONE);
});

test('a flood of heartbeats leaves one timer for each member and no record', () => {
  const driver = makeDriver();
  driver.createTopic('orders', 1);
  beat(driver, JOIN);
  written = [];
  const timers = driver.timers.length;
  for (let i = 0; i < 10_000; i++) beat(driver, { memberEpoch: 2 });
  expect(driver.timers.length).toBe(timers);
  expect(written).toEqual([]);
});

test('a search among many topics is done in pieces, each in a turn of its own', () => {
  const driver = makeDriver();
  for (let i = 0; i < 2500; i++) driver.createTopic(`orders-${i}`, 1);
  searchTurns = 0;
  beat(driver, { ...JOIN, subscribedTopicNames: null, subscribedTopicRegex: 'orders-.*9' });
  driver.advance(0);
  // Some 180 names of 11 characters each, against a pattern of 9 steps and what a match costs besides.
  expect(searchTurns).toBe(15);
  const found = driver.takeHappened().records.find(({ type }) => type === 'ConsumerGroupRegularExpression')?.value;
  expect(found).toMatchObject({ topics: { length: 250 } });
});

test('a classic group that no record could hold is not made: its members stay in the group of the consumer protocol', () => {
  const join = (driver: GroupDriver, memberId: string): unknown =>
    driver.answerTo(API.JoinGroup, 9, {
      groupId: 'g',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('orders') }],
      reason: null,
    });
  const typeAfter = (recordBytesMax: number): string | undefined => {
    const driver = makeDriver(recordBytesMax);
    driver.createTopic('orders', 60);
    beat(driver, JOIN);
    // Each says about a hundred bytes of itself, in a record of its own; a classic group's record has them all.
    for (let i = 0; i < 60; i++) expect(join(driver, `c${i}`)).toMatchObject({ errorCode: ERROR.NONE });
    expect(beat(driver, { memberEpoch: -1 }).errorCode).toBe(ERROR.NONE);
    return (driver.shard as GroupCoordinator).groups.get('g')?.type;
  };
  expect(typeAfter(100_000)).toBe('classic');
  expect(typeAfter(2000)).toBe('consumer');
});
