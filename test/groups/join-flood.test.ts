// A flood of JoinGroups whose senders never come back with the ids that they are given: each costs an id and a timer, and all of it goes
// when the session timeout, and for groups the next check of retention, is over.
import { expect, test } from 'vitest';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { JoinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { GroupDriver } from '../support/group-driver.ts';

const COUNT = 10_000;
const SESSION_MS = 10_000;

function join(driver: GroupDriver, groupId: string): void {
  const answer = driver.answerTo<JoinGroupResponse>(API.JoinGroup, 9, {
    groupId,
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
    reason: null,
  });
  driver.takeHappened();
  expect(answer).toMatchObject({ errorCode: ERROR.MEMBER_ID_REQUIRED });
}

test.each([
  ['one group', (): string => 'g', 1],
  ['as many groups', (i: number): string => `g${i}`, COUNT],
])('%s', (_, groupOf, groupCount) => {
  const driver = new GroupDriver({
    makeShard: (environment, config) => new GroupCoordinator(environment, config),
    isWaitingChecked: false,
  });
  const { groups } = driver.shard as GroupCoordinator;
  const timers = driver.timers.length;
  for (let i = 0; i < COUNT; i++) join(driver, groupOf(i));
  expect(groups.count).toBe(groupCount);
  expect(driver.log.length).toBe(groupCount);
  expect(driver.timers.length).toBe(timers + COUNT);
  for (let i = 0; i < COUNT; i++) expect(groups.classic(groupOf(i))?.members.size).toBe(0);
  // All sessions end at once: firing them one by one is the driver's business, and slow; the first and the last tell.
  const { shard } = driver;
  for (const [key] of driver.timers) if (key.includes('session')) shard.onTimer(key);
  for (const group of groups.values()) expect('pendingJoins' in group ? group.pendingJoins.size : -1).toBe(0);
  driver.reload();
  // Ids are not written down, groups are.
  const loaded = (driver.shard as GroupCoordinator).groups;
  expect(loaded.count).toBe(groupCount);
  expect(driver.timers.length).toBe(timers);
  driver.advance(driver.config.offsetsRetentionCheckIntervalMs + 1000);
  expect(loaded.count).toBe(0);
});
