// What one decision writes is one batch of the log: a group that changes its protocol, takes members in or lets them go in more records than
// that is refused before anything is written or anybody is told, as by Apache Kafka, and goes on as it was.
import { describe, expect, test } from 'vitest';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { ConsumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import type { JoinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { subscription } from '../support/classic-verbs.ts';
import { GroupDriver } from '../support/group-driver.ts';

const MEMBERS = 40;
const REBALANCE_MS = 30_000;

/** The driver says so itself where a decision is larger. */
const makeDriver = (decisionBytesMax: number): GroupDriver =>
  new GroupDriver({ decisionBytesMax, makeShard: (environment, config) => new GroupCoordinator(environment, config) });

const typeOf = (driver: GroupDriver): string | undefined => (driver.shard as GroupCoordinator).groups.get('g')?.type;

const joinBody = (memberId: string, topic = 'orders'): object => ({
  groupId: 'g',
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: REBALANCE_MS,
  memberId,
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription(topic) }],
  reason: null,
});

function beat(driver: GroupDriver, change: object): ConsumerGroupHeartbeatResponse {
  return driver.answerTo(API.ConsumerGroupHeartbeat, 1, {
    groupId: 'g',
    memberId: 'm',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: REBALANCE_MS,
    subscribedTopicNames: ['orders'],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
    ...change,
  });
}

/** A classic group whose members have joined and wait for their leader. */
function waitingClassicGroup(decisionBytesMax: number): { readonly driver: GroupDriver; readonly memberIds: readonly string[] } {
  const driver = makeDriver(decisionBytesMax);
  driver.createTopic('orders', MEMBERS);
  for (let i = 0; i < MEMBERS; i++) driver.ask(API.JoinGroup, 3, joinBody(''));
  driver.advance(10_000);
  const joined = driver.takeHappened().answers.map(({ body }) => body as JoinGroupResponse);
  expect(joined.map(({ errorCode }) => errorCode)).toEqual(new Array(MEMBERS).fill(ERROR.NONE));
  const memberIds = joined.map(({ memberId }) => memberId);
  const leader = joined[0]?.leader;
  for (const memberId of memberIds) {
    if (memberId === leader) continue;
    driver.ask(API.SyncGroup, 3, { groupId: 'g', generationId: 1, memberId, groupInstanceId: null, assignments: [] });
  }
  expect(driver.open.size).toBe(MEMBERS - 1);
  return { driver, memberIds };
}

describe('a classic group that a consumer joins', () => {
  test('is one of the consumer protocol where its records fit, and what waited is answered', () => {
    const { driver } = waitingClassicGroup(1 << 20);
    expect(beat(driver, {}).errorCode).toBe(ERROR.NONE);
    expect(typeOf(driver)).toBe('consumer');
    expect(driver.open.size).toBe(0);
  });

  test('stays what it is where they do not: who waits still waits, and is answered by its leader', () => {
    const { driver, memberIds } = waitingClassicGroup(10_000);
    const written = driver.log.length;
    expect(beat(driver, {})).toMatchObject({ errorCode: ERROR.UNKNOWN_SERVER_ERROR, memberId: null, memberEpoch: 0 });
    expect(driver.log.length).toBe(written);
    expect(typeOf(driver)).toBe('classic');
    expect(driver.open.size).toBe(MEMBERS - 1);
    driver.takeHappened();
    driver.ask(API.SyncGroup, 3, { groupId: 'g', generationId: 1, memberId: memberIds[0], groupInstanceId: null, assignments: [] });
    expect(driver.takeHappened().answers.map(({ body }) => (body as { errorCode: number }).errorCode)).toEqual(new Array(MEMBERS).fill(0));
    // Its sessions go on: nobody is heard from.
    driver.advance(30_000);
    expect((driver.shard as GroupCoordinator).groups.classic('g')?.state).toBe('Empty');
  });
});

/** A consumer group of one consumer, 'm', and classic members. */
function mixedGroup(decisionBytesMax: number): { readonly driver: GroupDriver; readonly memberIds: readonly string[] } {
  const driver = makeDriver(decisionBytesMax);
  driver.createTopic('orders', MEMBERS);
  expect(beat(driver, {}).errorCode).toBe(ERROR.NONE);
  const memberIds = Array.from({ length: MEMBERS }, (_, i) => {
    const { errorCode, memberId } = driver.answerTo<JoinGroupResponse>(API.JoinGroup, 3, joinBody(`c${i}`));
    expect(errorCode).toBe(ERROR.NONE);
    return memberId;
  });
  return { driver, memberIds };
}

describe('a group of the consumer protocol', () => {
  test.each([
    [1 << 20, 'classic'],
    [8000, 'consumer'],
  ])('without its last consumer, of decisions of %i bytes: %s', (decisionBytesMax, type) => {
    const { driver } = mixedGroup(decisionBytesMax);
    expect(beat(driver, { memberEpoch: -1 }).errorCode).toBe(ERROR.NONE);
    expect(typeOf(driver)).toBe(type);
    // Whatever it is, its members are to be heard from.
    driver.advance(60_000);
    const group = (driver.shard as GroupCoordinator).groups.get('g');
    expect(group?.isEmpty()).toBe(true);
  });

  test.each([
    [1 << 20, ERROR.NONE, 0],
    [4500, ERROR.UNKNOWN_SERVER_ERROR, MEMBERS],
  ])('that all its classic members leave at once, of decisions of %i bytes', (decisionBytesMax, errorCode, left) => {
    const { driver, memberIds } = mixedGroup(decisionBytesMax);
    const members = memberIds.map((memberId) => ({ memberId, groupInstanceId: null, reason: null }));
    const written = driver.log.length;
    const answer = driver.answerTo(API.LeaveGroup, 5, { groupId: 'g', memberId: '', members });
    expect(answer).toMatchObject({ errorCode, members: members.map(({ memberId }) => ({ memberId, errorCode })) });
    expect((driver.shard as GroupCoordinator).groups.consumer('g')?.classicMemberCount).toBe(left);
    if (errorCode !== ERROR.NONE) expect(driver.log.length).toBe(written);
    driver.advance(60_000);
    expect((driver.shard as GroupCoordinator).groups.get('g')?.isEmpty()).toBe(true);
  });

  test('whose next assignment moves too many members refuses the heartbeat that computes it, and goes on', () => {
    const driver = makeDriver(3000);
    driver.createTopic('orders', MEMBERS);
    for (let i = 0; i < MEMBERS; i++) expect(beat(driver, { memberId: `m${i}` }).errorCode).toBe(ERROR.NONE);
    const before = (driver.shard as GroupCoordinator).groups.consumer('g')?.groupEpoch;
    const written = driver.log.length;
    driver.createTopic('big', 500);
    expect(beat(driver, { memberId: 'all', subscribedTopicNames: ['orders', 'big'] }).errorCode).toBe(ERROR.UNKNOWN_SERVER_ERROR);
    expect(driver.log.length).toBe(written);
    expect((driver.shard as GroupCoordinator).groups.consumer('g')?.groupEpoch).toBe(before);
    expect(beat(driver, { memberId: 'm0', memberEpoch: 0 }).errorCode).toBe(ERROR.NONE);
  });

  test('keeps the time of a member whose heartbeat is too large, and that is to give something up', () => {
    const driver = makeDriver(3000);
    driver.createTopic('orders', 2);
    driver.createTopic('big', 2000);
    const topicId = driver.topic('orders')?.topicId;
    const owns = [{ topicId, partitions: [0, 1] }];
    beat(driver, { memberId: 'a' });
    beat(driver, { memberId: 'b' });
    expect(beat(driver, { memberId: 'a', memberEpoch: 2, topicPartitions: owns }).errorCode).toBe(ERROR.NONE);
    // Gives up what it was told to, and wants more than can be written down.
    const gives = [{ topicId, partitions: [0] }];
    const asked = { memberId: 'a', memberEpoch: 2, topicPartitions: gives, subscribedTopicNames: ['orders', 'big'] };
    expect(beat(driver, asked).errorCode).toBe(ERROR.UNKNOWN_SERVER_ERROR);
    expect((driver.shard as GroupCoordinator).groups.consumer('g')?.members.has('a')).toBe(true);
    driver.advance(REBALANCE_MS);
    expect((driver.shard as GroupCoordinator).groups.consumer('g')?.members.has('a')).toBe(false);
  });

  test('whose regular expression means more topics than a record can name stays without them', () => {
    const driver = makeDriver(3000);
    for (let i = 0; i < 300; i++) driver.createTopic(`orders-${i}`, 1);
    const regex = { subscribedTopicNames: null, subscribedTopicRegex: 'orders-.*' };
    expect(beat(driver, regex).errorCode).toBe(ERROR.NONE);
    driver.advance(1000);
    expect(driver.takeHappened().records.map(({ type }) => type)).not.toContain('ConsumerGroupRegularExpression');
    expect(beat(driver, { ...regex, subscribedTopicRegex: 'orders-1' }).errorCode).toBe(ERROR.NONE);
    driver.advance(11_000);
    expect(driver.takeHappened().records.map(({ type }) => type)).toContain('ConsumerGroupRegularExpression');
  });
});
