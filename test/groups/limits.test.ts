// Groups as large and as many as are promised, and what comes from others: records and metadata that say nothing. Nothing here grows with
// the square of its number: each counts events, not time.
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/base/byte-writer.ts';
import { seededRandom } from '../../src/base/random.ts';
import { MIB, MINUTE_MS, SECOND_MS } from '../../src/base/units.ts';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { groupRecordCodec } from '../../src/groups/group-records.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { JoinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import type { ListGroupsResponse } from '../../src/protocol/apis/list-groups.ts';
import type { OffsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import type { SyncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { subscription } from '../support/classic-verbs.ts';
import { GroupDriver } from '../support/group-driver.ts';
import { encodeRecord } from '../support/record-bytes.ts';

const MEMBERS = 1000;
const GROUPS = 10_000;

function driver(recordBytesMax = MIB): GroupDriver {
  const made = new GroupDriver({
    makeShard: (environment, config) => new GroupCoordinator(environment, config),
    isWaitingChecked: false,
    recordBytesMax,
  });
  made.createTopic('orders', 50);
  return made;
}

function joinRequest(groupId: string, memberId = ''): unknown {
  return {
    groupId,
    sessionTimeoutMs: 30 * SECOND_MS,
    rebalanceTimeoutMs: 5 * MINUTE_MS,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('orders') }],
    reason: null,
  };
}

function syncRequest(groupId: string, generationId: number, memberId: string, assignments: unknown[]): unknown {
  return { groupId, generationId, memberId, groupInstanceId: null, protocolType: null, protocolName: null, assignments };
}

function commitRequest(groupId: string, partitions: number): unknown {
  const list = Array.from({ length: partitions }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 1,
    committedLeaderEpoch: -1,
    committedMetadata: '',
  }));
  const topics = [{ name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: list }];
  return { groupId, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1, topics };
}

/** All join, and are answered together. Gives their ids, the leader's first. */
function fill(made: GroupDriver, groupId: string, count: number): string[] {
  for (let i = 0; i < count; i++) made.ask(API.JoinGroup, 3, joinRequest(groupId), `c${i}`);
  made.advance(0);
  const joined = made.takeHappened().answers.map(({ body }) => body as JoinGroupResponse);
  expect(joined.length).toBe(count);
  expect(new Set(joined.map(({ memberId }) => memberId)).size).toBe(count);
  return joined.map(({ memberId }) => memberId);
}

describe('limits', () => {
  test('a group of 1,000 members joins, syncs, rebalances and is loaded', () => {
    const made = driver();
    const memberIds = fill(made, 'big', MEMBERS);
    const [leaderId = '', ...followers] = memberIds;
    for (const memberId of followers) made.ask(API.SyncGroup, 4, syncRequest('big', 1, memberId, []));
    expect(made.open.size).toBe(MEMBERS - 1);
    const assignments = memberIds.map((memberId, index) => ({ memberId, assignment: Buffer.from(`${index}`) }));
    made.ask(API.SyncGroup, 4, syncRequest('big', 1, leaderId, assignments));
    const { records, answers } = made.takeHappened();
    expect(records.length).toBe(1);
    expect(answers.map(({ body }) => (body as SyncGroupResponse).errorCode)).toEqual(Array(MEMBERS).fill(ERROR.NONE));
    made.reload();
    for (const memberId of memberIds) made.ask(API.JoinGroup, 3, joinRequest('big', memberId));
    const generations = made.takeHappened().answers.map(({ body }) => (body as JoinGroupResponse).generationId);
    expect(generations).toEqual(Array(MEMBERS).fill(2));
    // All sessions end at once: the group is empty after one round, with one record.
    made.advance(10 * MINUTE_MS);
    expect(made.takeHappened().records.map(({ value }) => (value as { members: unknown[] } | null)?.members)).toEqual([[], undefined]);
  });

  test('an assignment that no record can hold is refused to all, and the group goes on', () => {
    const made = driver(64 * 1024);
    const memberIds = fill(made, 'big', 100);
    const [leaderId = ''] = memberIds;
    const assign = (bytes: number): unknown[] => memberIds.map((memberId) => ({ memberId, assignment: Buffer.alloc(bytes) }));
    for (const memberId of memberIds) {
      made.ask(API.SyncGroup, 4, syncRequest('big', 1, memberId, memberId === leaderId ? assign(1000) : []));
    }
    const refused = made.takeHappened();
    expect(refused.records).toEqual([]);
    const codes = refused.answers.map(({ body }) => (body as SyncGroupResponse).errorCode);
    // Those that ask after the leader are told of the round that has begun.
    expect(codes).toEqual([ERROR.UNKNOWN_SERVER_ERROR, ...Array(99).fill(ERROR.REBALANCE_IN_PROGRESS)]);
    for (const memberId of memberIds) made.ask(API.JoinGroup, 3, joinRequest('big', memberId));
    made.takeHappened();
    for (const memberId of memberIds) {
      made.ask(API.SyncGroup, 4, syncRequest('big', 2, memberId, memberId === leaderId ? assign(100) : []));
    }
    const taken = made.takeHappened();
    expect(taken.records.length).toBe(1);
    expect(taken.answers.length).toBe(100);
  });

  test('where records may be small, what fits in none is refused, and the shard goes on', () => {
    const made = driver(300);
    const long = 'g'.repeat(400);
    expect(made.answerTo<JoinGroupResponse>(API.JoinGroup, 9, joinRequest(long)).errorCode).toBe(ERROR.UNKNOWN_SERVER_ERROR);
    const codes = (groupId: string): number[] =>
      made
        .answerTo<OffsetCommitResponse>(API.OffsetCommit, 9, commitRequest(groupId, 2))
        .topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    expect(codes(long)).toEqual([ERROR.UNKNOWN_SERVER_ERROR, ERROR.UNKNOWN_SERVER_ERROR]);
    expect(codes('g'.repeat(100))).toEqual([ERROR.NONE, ERROR.NONE]);
    // A protocol type that no record can hold: that the group was left is not written, but that it goes is.
    const message = { ...(joinRequest('odd') as object), protocolType: 't'.repeat(400) };
    made.ask(API.JoinGroup, 3, message);
    made.takeHappened();
    made.advance(9 * MINUTE_MS);
    expect(made.takeHappened().records).toEqual([]);
    made.advance(1 * MINUTE_MS);
    expect(made.takeHappened().records).toEqual([{ type: 'GroupMetadata', key: { group: 'odd' }, value: null }]);
  });

  test('10,000 groups commit, are listed, loaded, and go with their offsets', () => {
    const made = driver();
    for (let i = 0; i < GROUPS; i++) made.ask(API.OffsetCommit, 9, commitRequest(`g${i}`, 2));
    expect(made.takeHappened().records.length).toBe(2 * GROUPS);
    made.reload();
    const list = (): number => made.answerTo<ListGroupsResponse>(API.ListGroups, 5, { statesFilter: [], typesFilter: [] }).groups.length;
    expect(list()).toBe(GROUPS);
    made.takeHappened();
    made.advance(8 * 24 * 60 * MINUTE_MS);
    // Two offsets and the group itself, each once, in several checks.
    expect(made.takeHappened().records.length).toBe(3 * GROUPS);
    expect(list()).toBe(0);
  });

  test('a flood of heartbeats leaves one timer a member', () => {
    const made = driver();
    const [memberId = ''] = fill(made, 'g', 1);
    made.ask(API.SyncGroup, 4, syncRequest('g', 1, memberId, []));
    const before = made.timers.length;
    for (let i = 0; i < 10_000; i++) made.ask(API.Heartbeat, 4, { groupId: 'g', generationId: 1, memberId, groupInstanceId: null });
    expect(made.timers.length).toBe(before);
    expect(made.log.length).toBe(2);
  });

  test('a member id of another group is unknown', () => {
    const made = driver();
    const [memberId = ''] = fill(made, 'g', 1);
    fill(made, 'h', 1);
    const ask = (apiKey: number, apiVersion: number, message: unknown): number =>
      made.answerTo<{ errorCode: number }>(apiKey, apiVersion, message).errorCode;
    expect(ask(API.Heartbeat, 4, { groupId: 'h', generationId: 1, memberId, groupInstanceId: null })).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect(ask(API.SyncGroup, 4, syncRequest('h', 1, memberId, []))).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect(ask(API.JoinGroup, 9, joinRequest('h', memberId))).toBe(ERROR.UNKNOWN_MEMBER_ID);
    const commit = { ...(commitRequest('h', 1) as object), memberId, generationIdOrMemberEpoch: 1 };
    const { topics } = made.answerTo<OffsetCommitResponse>(API.OffsetCommit, 9, commit);
    expect(topics[0]?.partitions[0]?.errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID);
  });

  test('an instance id as long as a string may be is no end of the world', () => {
    const made = driver();
    const instanceId = 'ü'.repeat(16_000);
    const message = { ...(joinRequest('g') as object), groupInstanceId: instanceId };
    made.ask(API.JoinGroup, 9, message);
    made.advance(0);
    const [answer] = made.takeHappened().answers.map(({ body }) => body as JoinGroupResponse);
    expect(answer?.errorCode).toBe(ERROR.NONE);
    expect(answer?.memberId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('records that other brokers, or nobody, would write are replayed or passed over', () => {
    const made = driver();
    const random = seededRandom(7);
    const text = (value: string): Uint8Array => {
      const writer = new ByteWriter(Buffer.alloc(2 + value.length));
      writer.string(value);
      return writer.bytes;
    };
    // A commit and a group as Kafka 0.8.2 wrote them: version 0 of the values.
    const key = (type: number, ...parts: Uint8Array[]): Buffer => Buffer.concat([Buffer.from([0, type]), ...parts]);
    const partition = Buffer.from([0, 0, 0, 3]);
    const offset = Buffer.concat([Buffer.from([0, 0]), Buffer.from([0, 0, 0, 0, 0, 0, 0, 9]), text('old'), Buffer.alloc(8)]);
    made.append(key(0, text('legacy'), text('orders'), partition), offset);
    made.append(key(1, text('legacy'), text('orders'), Buffer.from([0, 0, 0, 4])), offset);
    // A type from the future, a version from the future.
    made.append(key(99, text('x')), Buffer.from([0, 0]));
    made.append(key(2, text('future')), Buffer.from([0, 99]));
    // A group whose leader is no member, whose members use no protocol.
    const members = [0, 1].map((i) => ({
      memberId: `m${i}`,
      groupInstanceId: 'same',
      clientId: '',
      clientHost: '',
      rebalanceTimeout: -1,
      sessionTimeout: -5,
      subscription: Buffer.from([1]),
      assignment: new Uint8Array(0),
    }));
    const value = { protocolType: 'consumer', generation: -7, protocol: null, leader: 'nobody', currentStateTimestamp: -1, members };
    const odd = encodeRecord(groupRecordCodec, { type: 'GroupMetadata', key: { group: 'odd' }, value });
    made.append(odd.key, odd.value);
    made.append(encodeRecord(groupRecordCodec, { type: 'GroupMetadata', key: { group: 'gone' }, value: null }).key, null);
    made.reload();
    const listed = made.answerTo<ListGroupsResponse>(API.ListGroups, 5, { statesFilter: [], typesFilter: [] }).groups;
    expect(listed.map(({ groupId, groupState }) => [groupId, groupState])).toEqual([
      ['legacy', 'Empty'],
      ['odd', 'Stable'],
    ]);
    made.ask(API.OffsetFetch, 5, { groupId: 'legacy', topics: null, groups: [], requireStable: false });
    for (let i = 0; i < 50; i++) {
      const metadata = new Uint8Array(random.below(40));
      random.fill(metadata);
      const message = { ...(joinRequest(`garbage${i}`) as object), protocols: [{ name: 'range', metadata }] };
      made.ask(API.JoinGroup, 3, message);
      made.ask(API.JoinGroup, 3, joinRequest('odd', 'm0'));
    }
    made.advance(60 * MINUTE_MS);
    const answer = made.takeHappened().answers.find(({ apiKey }) => apiKey === API.OffsetFetch);
    expect(answer?.body).toMatchObject({
      topics: [
        {
          name: 'orders',
          partitions: [
            { partitionIndex: 3, committedOffset: 9, metadata: 'old' },
            { partitionIndex: 4, committedOffset: 9, metadata: 'old' },
          ],
        },
      ],
    });
  });
});
