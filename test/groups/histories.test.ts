// Random histories of classic groups: members of every version join, hang, leave and come back under new ids, time goes on, the shard is
// dropped and built anew. After each step the rules hold that a group's members rely on.
import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { SECOND_MS } from '../../src/base/units.ts';
import type { ClassicGroup } from '../../src/groups/classic-group.ts';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { JoinGroupRequest, JoinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import type { SyncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { subscription } from '../support/classic-verbs.ts';
import { type AnswerGiven, GroupDriver, groupConfig, type ShardFactory } from '../support/group-driver.ts';

const SEEDS = 60;
const STEPS = 300;
const GROUPS = ['g', 'h'];

/** A client: what it was told last. */
interface Client {
  readonly name: string;
  readonly group: string;
  readonly instanceId: string | null;
  memberId: string;
  generationId: number;
  /** Of its last JoinGroup: tokens that are still open belong to it. */
  joinToken: number;
  syncToken: number;
  /** Its id and generation when it asked for that. */
  synced: { readonly memberId: string; readonly generationId: number };
}

class History {
  readonly driver: GroupDriver;
  readonly #random: Random;
  readonly #clients: Client[] = [];
  /** Leader that a generation of a group was answered with, by group and generation, since the shard was last built. */
  #leaders = new Map<string, string>();
  /** Last offset that was acknowledged, by group. */
  readonly #committed = new Map<string, number>();
  syncedCount = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const config = { ...groupConfig, initialRebalanceDelayMs: this.#pick([0, 3 * SECOND_MS]), classicSizeMax: this.#pick([3, 100]) };
    const makeShard: ShardFactory = (environment, given) => new GroupCoordinator(environment, given);
    this.driver = new GroupDriver({ makeShard, config, seed, onEvent: ({ answers }) => this.#hear(answers) });
    this.driver.createTopic('orders', 4);
    for (const group of GROUPS) {
      for (let i = 0; i < 5; i++) {
        const instanceId = i < 2 ? `i${i}` : null;
        this.#clients.push({
          name: `c${i}`,
          group,
          instanceId,
          memberId: '',
          generationId: -1,
          joinToken: -1,
          syncToken: -1,
          synced: { memberId: '', generationId: -1 },
        });
      }
    }
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#random.below(values.length)] as T;
  }

  get coordinator(): GroupCoordinator {
    return this.driver.shard as GroupCoordinator;
  }

  step(): void {
    const client = this.#pick(this.#clients);
    const action = this.#random.below(100);
    if (action < 60) this.#behave(client);
    else if (action < 66) this.#join(client);
    else if (action < 72) this.#sync(client);
    else if (action < 76) this.#commit(client);
    else if (action < 78) this.#leave(client);
    else if (action < 80) client.memberId = '';
    else if (action < 99) this.driver.advance(this.#pick([0, 0, 1, 1000, 3000, 20_000]));
    else this.#reload();
    this.driver.takeHappened();
    this.#check();
  }

  /** What a client does that follows the protocol: it joins when it is told to, and syncs what it joined. */
  #behave(client: Client): void {
    if (this.driver.open.has(client.joinToken) || this.driver.open.has(client.syncToken)) return;
    const group = this.coordinator.groups.classic(client.group);
    const isIn = group?.members.has(client.memberId) === true && client.generationId === group.generationId;
    if (!isIn || group?.state === 'PreparingRebalance') this.#join(client);
    else if (group?.pendingSyncs.has(client.memberId)) this.#sync(client);
    else if (this.#random.below(2) === 0) this.#heartbeat(client);
    else this.#commit(client);
  }

  #reload(): void {
    const before = durable(this.coordinator);
    this.driver.reload();
    expect(durable(this.coordinator)).toEqual(before);
    // A generation that was told and not written down may be told again, with another leader.
    this.#leaders = new Map();
    for (const group of this.coordinator.groups.values()) {
      // More members than allowed, as static ones stay when they do not join: a round begins at once.
      const isOver = (group as ClassicGroup).members.size > this.driver.config.classicSizeMax;
      expect(isOver ? ['PreparingRebalance'] : ['Empty', 'Stable']).toContain(group.stateName);
    }
  }

  #join(client: Client): void {
    const protocols = this.#pick([['range'], ['range', 'sticky'], ['sticky', 'range']]);
    const request: JoinGroupRequest = {
      groupId: client.group,
      sessionTimeoutMs: this.#pick([6, 10, 30]) * SECOND_MS,
      rebalanceTimeoutMs: this.#pick([5, 20]) * SECOND_MS,
      memberId: client.memberId,
      groupInstanceId: client.instanceId,
      protocolType: 'consumer',
      protocols: protocols.map((name) => ({ name, metadata: subscription(this.#pick(['orders', 'orders+payments'])) })),
      reason: null,
    };
    const version = client.instanceId !== null ? this.#pick([5, 8, 9]) : this.#pick([0, 3, 5, 9]);
    const given = { ...request, groupInstanceId: version < 5 ? null : client.instanceId };
    client.joinToken = this.driver.nextToken;
    this.driver.ask(API.JoinGroup, version, given, client.name);
  }

  #sync(client: Client): void {
    const group = this.coordinator.groups.classic(client.group);
    const assignments = [...(group?.members.keys() ?? [])].map((memberId) => ({ memberId, assignment: Buffer.from(memberId) }));
    client.syncToken = this.driver.nextToken;
    client.synced = { memberId: client.memberId, generationId: client.generationId };
    this.driver.ask(API.SyncGroup, 4, {
      groupId: client.group,
      generationId: client.generationId,
      memberId: client.memberId,
      groupInstanceId: client.instanceId,
      protocolType: null,
      protocolName: null,
      assignments: group?.isLeader(client.memberId) ? assignments : [],
    });
  }

  #heartbeat({ group, memberId, generationId, instanceId }: Client): void {
    this.driver.ask(API.Heartbeat, 4, { groupId: group, generationId, memberId, groupInstanceId: instanceId });
  }

  #leave(client: Client): void {
    const members = [{ memberId: client.memberId, groupInstanceId: client.instanceId, reason: null }];
    this.driver.ask(API.LeaveGroup, 5, { groupId: client.group, memberId: '', members });
  }

  #commit(client: Client): void {
    const offset = (this.#committed.get(client.group) ?? 0) + 1;
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null }];
    const isMember = this.#random.below(4) > 0;
    const request: OffsetCommitRequest = {
      groupId: client.group,
      generationIdOrMemberEpoch: isMember ? client.generationId : -1,
      memberId: isMember ? client.memberId : '',
      groupInstanceId: isMember ? client.instanceId : null,
      retentionTimeMs: -1,
      topics: [{ name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions }],
    };
    const group = this.coordinator.groups.classic(client.group);
    const isAllowed = group === undefined || group.isEmpty() || group.members.has(client.memberId);
    const answer = this.driver.answerTo<OffsetCommitResponse>(API.OffsetCommit, 8, request);
    if (answer.topics[0]?.partitions[0]?.errorCode !== ERROR.NONE) return;
    expect(isAllowed).toBe(true);
    this.#committed.set(client.group, offset);
  }

  #hear(answers: readonly AnswerGiven[]): void {
    for (const answer of answers) {
      if (answer.apiKey === API.JoinGroup) this.#hearJoin(answer);
      if (answer.apiKey === API.SyncGroup) this.#hearSync(answer);
    }
  }

  #hearJoin({ token, body }: AnswerGiven): void {
    const client = this.#clients.find(({ joinToken }) => joinToken === token);
    const response = body as JoinGroupResponse | null;
    if (client === undefined || response === null) return;
    if (response.errorCode === ERROR.MEMBER_ID_REQUIRED) client.memberId = response.memberId;
    if (response.errorCode === ERROR.UNKNOWN_MEMBER_ID || response.errorCode === ERROR.FENCED_INSTANCE_ID) client.memberId = '';
    if (response.errorCode !== ERROR.NONE) return;
    client.memberId = response.memberId;
    client.generationId = response.generationId;
    const group = this.coordinator.groups.classic(client.group) as ClassicGroup;
    // An answered join belongs to the generation there is, and its member is in it.
    expect(response.generationId).toBe(group.generationId);
    expect(group.members.has(response.memberId)).toBe(true);
    if (response.leader !== response.memberId) return;
    // A generation has one leader; a static one that came back leads it under its new id.
    const key = `${client.group} ${response.generationId}`;
    const known = this.#leaders.get(key);
    const isSame = known === undefined || known === response.memberId || !group.members.has(known);
    expect(isSame).toBe(true);
    this.#leaders.set(key, response.memberId);
    expect(response.members.map(({ memberId }) => memberId).sort()).toEqual([...group.members.keys()].sort());
  }

  #hearSync({ token, body }: AnswerGiven): void {
    const client = this.#clients.find(({ syncToken }) => syncToken === token);
    const response = body as SyncGroupResponse | null;
    if (client === undefined || response === null || response.errorCode !== ERROR.NONE) return;
    const group = this.coordinator.groups.classic(client.group) as ClassicGroup;
    expect(group.state).toBe('Stable');
    expect(client.synced.generationId).toBe(group.generationId);
    const committed = group.committed?.members.find(({ memberId }) => memberId === client.synced.memberId);
    this.syncedCount++;
    expect(Buffer.from(response.assignment)).toEqual(Buffer.from(committed?.assignment ?? []));
  }

  #check(): void {
    for (const group of this.coordinator.groups.values()) {
      const classic = group as ClassicGroup;
      const members = [...classic.members.values()];
      if (members.length > 0) expect(classic.members.has(classic.leaderId ?? '')).toBe(true);
      if (classic.state === 'Empty') expect(members).toEqual([]);
      expect(classic.awaitingJoinCount).toBe(members.filter(({ isAwaitingJoin }) => isAwaitingJoin).length);
      const statics = members.filter(({ instanceId }) => instanceId !== null);
      expect(new Map(statics.map(({ instanceId, memberId }) => [instanceId, memberId]))).toEqual(classic.staticMemberIds);
      for (const memberId of classic.pendingSyncs) expect(classic.members.has(memberId)).toBe(true);
      for (const memberId of classic.pendingJoins) expect(classic.members.has(memberId)).toBe(false);
      if (classic.state !== 'Stable' && classic.state !== 'Empty') continue;
      expect(classic.committed?.generation ?? 0).toBe(classic.generationId);
      if (classic.state === 'Stable') {
        expect(classic.committed?.members.map(({ memberId }) => memberId).sort()).toEqual([...classic.members.keys()].sort());
      }
    }
    for (const [groupId, offset] of this.#committed) {
      expect(this.coordinator.offsets.ofGroup(groupId)?.get('orders')?.get(0)?.offset).toBe(offset);
    }
  }
}

/** All that the log says. */
function durable(coordinator: GroupCoordinator): unknown {
  const groups = [...coordinator.groups.values()].map((group) => {
    const { committed } = group as ClassicGroup;
    const members = committed?.members.map((each) => ({ ...each, assignment: `${each.assignment}`, subscription: `${each.subscription}` }));
    return [group.groupId, committed === null ? null : { ...committed, members }];
  });
  return [new Map(groups as [string, unknown][]), new Map(coordinator.offsets.groups())];
}

test('histories', () => {
  let syncedCount = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const history = new History(seed);
    try {
      for (let i = 0; i < STEPS; i++) history.step();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    syncedCount += history.syncedCount;
  }
  // Histories in which nobody gets anywhere would show nothing.
  expect(syncedCount).toBeGreaterThan(10 * SEEDS);
});
