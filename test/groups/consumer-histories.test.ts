// Random histories of a consumer group: members of both protocols that join, hang, leave, come back and are not heard, topics that come,
// grow and go, a coordinator that restarts. At each step nobody has what another has; in the end everything is owned; and the records
// alone lead to the same group.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConsumerGroup } from '../../src/groups/consumer-group.ts';
import { readAssignment, writeSubscription } from '../../src/groups/consumer-protocol.ts';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import type { HeartbeatResponse } from '../../src/protocol/apis/heartbeat.ts';
import type { JoinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import type { SyncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { GroupDriver, groupConfig, type ShardFactory } from '../support/group-driver.ts';

const GROUP = 'g';
const TOPICS = ['orders', 'payments', 'returns'];

const makeShard: ShardFactory = (environment, config) => new GroupCoordinator(environment, config);

type Owned = Map<string, Set<number>>;

class World {
  readonly driver = new GroupDriver({
    makeShard,
    // Classic members stay in a group that all others have left.
    config: { ...groupConfig, consumer: { ...groupConfig.consumer, migrationPolicy: 'upgrade', assignors: ['uniform', 'range'] } },
  });
  readonly clients: Client[] = [];
  #epochSeen = 0;

  get group(): ConsumerGroup | undefined {
    return (this.driver.shard as GroupCoordinator).groups.consumer(GROUP);
  }

  /** What must hold at any time. */
  check(): void {
    const { group } = this;
    if (group === undefined) return;
    expect(group.groupEpoch).toBeGreaterThanOrEqual(this.#epochSeen);
    this.#epochSeen = group.groupEpoch;
    expect(group.assignmentEpoch).toBeLessThanOrEqual(group.groupEpoch);
    const holders = new Map<string, string>();
    for (const { memberId, current } of group.members.values()) {
      expect(current.memberEpoch).toBeLessThanOrEqual(group.groupEpoch);
      for (const partitions of [current.assigned, current.pendingRevocation]) {
        for (const [topicId, epochs] of partitions) {
          for (const [partition, epoch] of epochs) {
            expect(epoch).toBeLessThanOrEqual(group.groupEpoch);
            const place = `${topicId}/${partition}`;
            expect(holders.get(place) ?? memberId).toBe(memberId);
            holders.set(place, memberId);
          }
        }
      }
    }
    // As the clients see it, those aside that were given up without knowing.
    const owners = new Map<string, string>();
    for (const client of this.clients) {
      if (!client.isHeardFrom) continue;
      for (const [topic, partitions] of client.owned) {
        for (const partition of partitions) {
          const place = `${topic}/${partition}`;
          expect(`${place} of ${owners.get(place) ?? client.name}`).toBe(`${place} of ${client.name}`);
          owners.set(place, client.name);
        }
      }
    }
  }

  /** Whether the group, as it is, is what its records say. */
  checkReplay(): void {
    const fresh = new GroupDriver({ makeShard, config: this.driver.config });
    for (const { key, value } of this.driver.log) fresh.append(key, value);
    fresh.reload();
    expect(told((fresh.shard as GroupCoordinator).groups.consumer(GROUP))).toEqual(told(this.group));
  }
}

/** All of a group that follows from its records. */
function told(group: ConsumerGroup | undefined): unknown {
  if (group === undefined) return null;
  const { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestampMs, members, staticMemberIds, targets, subscriptions } = group;
  const sorted = (names: Iterable<string>): string[] => [...names].sort();
  return {
    ...{ groupEpoch, metadataHash, assignmentEpoch, assignmentTimestampMs, state: group.stateName },
    members: new Map([...members].map(([id, { metadata, current }]) => [id, { metadata, current }])),
    staticMemberIds: new Map(staticMemberIds),
    targets: new Map(targets),
    topics: sorted(subscriptions.topicNames()),
    regexes: new Map(subscriptions.regexes),
    resolved: new Map(subscriptions.resolved),
    isAlike: subscriptions.isAlike(members.size),
    preferred: group.preferredAssignor(null, null),
    classicMemberCount: group.classicMemberCount,
    held: TOPICS.map((_topic, i) => group.owners(`${i}`)),
  };
}

abstract class Client {
  readonly world: World;
  memberId: string;
  readonly name: string;
  topics: string[];
  owned: Owned = new Map();
  isIn = false;
  /** The coordinator has not given it up, as far as anybody can know: its last request was answered, and its session has not ended since. */
  heardMs = Number.NEGATIVE_INFINITY;
  joinedCount = 0;

  constructor(world: World, name: string, topics: string[]) {
    this.world = world;
    this.name = name;
    this.memberId = name;
    this.topics = topics;
  }

  get isHeardFrom(): boolean {
    return this.isIn && this.world.driver.nowMs < this.heardMs + this.sessionMs;
  }

  /** The shorter of the session and the time to give up partitions: a member that is not heard from may be told so, and not hear it. */
  get sessionMs(): number {
    return 20_000;
  }

  lose(): void {
    this.owned = new Map();
    this.isIn = false;
  }

  has(topic: string, partition: number): boolean {
    return this.owned.get(topic)?.has(partition) === true;
  }

  /** One request or two, as it would send them now; `isAnswerLost`: it hears nothing of what came of it. */
  abstract beat(isAnswerLost: boolean): void;
  abstract leave(): void;
}

class ConsumerClient extends Client {
  epoch = 0;
  instanceId: string | null;
  regex: string | null;
  assignor: string | null;
  /** What it must say with the next request. */
  #saysAll = true;
  #hasLeftForAWhile = false;

  constructor(world: World, name: string, topics: string[], instanceId: string | null, regex: string | null, assignor: string | null) {
    super(world, name, topics);
    this.instanceId = instanceId;
    this.regex = regex;
    this.assignor = assignor;
  }

  subscribe(topics: string[], regex: string | null): void {
    this.topics = topics;
    this.regex = regex;
    this.#saysAll = true;
  }

  beat(isAnswerLost: boolean): void {
    const { driver } = this.world;
    if (!this.isIn) {
      if (this.#hasLeftForAWhile) this.memberId = `${this.name}-${++this.joinedCount}`;
      this.#hasLeftForAWhile = false;
      this.epoch = 0;
      this.#saysAll = true;
    }
    const answer = driver.answerTo<ConsumerGroupHeartbeatResponse>(API.ConsumerGroupHeartbeat, 1, this.#request(this.epoch));
    if (isAnswerLost) {
      // What it cannot know it must not lean on.
      this.#saysAll = true;
      this.heardMs = this.isIn ? this.heardMs : Number.NEGATIVE_INFINITY;
      return;
    }
    if (answer.errorCode !== ERROR.NONE) {
      expect([
        ERROR.FENCED_MEMBER_EPOCH,
        ERROR.UNKNOWN_MEMBER_ID,
        ERROR.UNRELEASED_INSTANCE_ID,
        ERROR.GROUP_ID_NOT_FOUND,
        ERROR.FENCED_INSTANCE_ID,
      ]).toContain(answer.errorCode);
      this.lose();
      this.epoch = 0;
      return;
    }
    this.isIn = true;
    this.heardMs = driver.nowMs;
    this.epoch = answer.memberEpoch;
    this.#saysAll = false;
    if (answer.assignment !== null) this.#take(answer.assignment.topicPartitions);
  }

  #take(assigned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]): void {
    const next: Owned = new Map();
    for (const { topicId, partitions } of assigned) next.set(topicId, new Set(partitions));
    // It says at once what it has now: what it gave up is free from then on.
    this.owned = next;
    this.#saysAll = true;
  }

  #request(epoch: number): ConsumerGroupHeartbeatRequest {
    const all = this.#saysAll || epoch === 0;
    return {
      groupId: GROUP,
      memberId: this.memberId,
      memberEpoch: epoch,
      instanceId: this.instanceId,
      rackId: null,
      rebalanceTimeoutMs: all ? 20_000 : -1,
      subscribedTopicNames: all ? this.topics : null,
      subscribedTopicRegex: all ? (this.regex ?? '') : null,
      serverAssignor: this.assignor,
      topicPartitions: all
        ? [...(epoch === 0 ? [] : this.owned)].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
        : null,
    };
  }

  leave(): void {
    if (!this.isIn) return;
    const epoch = this.instanceId === null || this.topics.length > 1 ? -1 : -2;
    this.world.driver.answerTo(API.ConsumerGroupHeartbeat, 1, { ...this.#request(0), memberEpoch: epoch });
    this.#hasLeftForAWhile = epoch === -2;
    this.lose();
  }
}

/** Gives up what it must before it joins again, as with the cooperative protocol, or everything, as with the eager one. */
class ClassicClient extends Client {
  generationId = -1;
  readonly isEager: boolean;
  #mustJoin = true;

  constructor(world: World, name: string, topics: string[], isEager: boolean) {
    super(world, name, topics);
    this.isEager = isEager;
  }

  override get sessionMs(): number {
    return 10_000;
  }

  beat(isAnswerLost: boolean): void {
    const { driver, group } = this.world;
    // Alone it would make a classic group of it.
    if (group === undefined || group.isEmpty()) {
      this.lose();
      this.#mustJoin = true;
      return;
    }
    if (!this.isIn || this.#mustJoin) {
      this.#join(isAnswerLost);
      return;
    }
    const message = { groupId: GROUP, memberId: this.memberId, generationId: this.generationId, groupInstanceId: null };
    const { errorCode } = driver.answerTo<HeartbeatResponse>(API.Heartbeat, 4, message);
    if (isAnswerLost) return;
    this.#hear(errorCode);
  }

  #hear(errorCode: number): void {
    if (errorCode === ERROR.NONE || errorCode === ERROR.REBALANCE_IN_PROGRESS) {
      this.heardMs = this.world.driver.nowMs;
      if (errorCode === ERROR.REBALANCE_IN_PROGRESS) this.#mustJoin = true;
      return;
    }
    expect([ERROR.UNKNOWN_MEMBER_ID, ERROR.ILLEGAL_GENERATION]).toContain(errorCode);
    this.lose();
    this.#mustJoin = true;
  }

  #join(isAnswerLost: boolean): void {
    const { driver } = this.world;
    if (this.isEager) this.owned = new Map();
    const ownedPartitions = [...this.owned].map(([topicId, partitions]) => ({
      topic: nameOf(driver, topicId),
      partitions: [...partitions],
    }));
    const metadata = writeSubscription({ topics: this.topics, userData: null, ownedPartitions, generationId: -1, rackId: null }, 1);
    const joined = driver.answerTo<JoinGroupResponse>(API.JoinGroup, 9, {
      ...{ groupId: GROUP, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, memberId: this.memberId, groupInstanceId: null },
      ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata }], reason: null },
    });
    expect(joined.errorCode).toBe(ERROR.NONE);
    if (isAnswerLost) return;
    this.isIn = true;
    this.heardMs = driver.nowMs;
    this.generationId = joined.generationId;
    const synced = driver.answerTo<SyncGroupResponse>(API.SyncGroup, 5, {
      ...{ groupId: GROUP, generationId: this.generationId, memberId: this.memberId, groupInstanceId: null },
      ...{ protocolType: 'consumer', protocolName: 'range', assignments: [] },
    });
    this.#mustJoin = false;
    if (synced.errorCode !== ERROR.NONE) {
      this.#hear(synced.errorCode);
      return;
    }
    const next: Owned = new Map();
    for (const { topic, partitions } of readAssignment(synced.assignment)?.assignedPartitions ?? []) {
      const topicId = driver.topic(topic)?.topicId;
      if (topicId !== undefined) next.set(topicId, new Set(partitions));
    }
    const isRevoking = [...this.owned].some(([topicId, partitions]) =>
      [...partitions].some((each) => next.get(topicId)?.has(each) !== true),
    );
    this.owned = next;
    if (isRevoking) this.#mustJoin = true;
  }

  leave(): void {
    if (!this.isIn || this.world.group === undefined) return;
    const members = [{ memberId: this.memberId, groupInstanceId: null, reason: null }];
    this.world.driver.answerTo(API.LeaveGroup, 5, { groupId: GROUP, memberId: '', members });
    this.lose();
    this.#mustJoin = true;
  }
}

function nameOf(driver: GroupDriver, topicId: string): string {
  return TOPICS.find((name) => driver.topic(name)?.topicId === topicId) ?? 'gone';
}

const some = fc.nat({ max: 1000 });
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('beat' as const), which: some, isLost: fc.nat(9).map((n) => n === 0) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('consumer' as const), topics: some, isStatic: fc.boolean(), regex: some, assignor: some }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('classic' as const), topics: some, isEager: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: some }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), which: some, topics: some, regex: some }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(0, 1000, 9000, 21_000, 46_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('topic' as const), topic: some, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** One, two or all of the topics, by number. */
function pick(number: number): string[] {
  return TOPICS.filter((_name, i) => ((number % 7) + 1) & (1 << i));
}

function regexOf(number: number): string | null {
  return number % 4 === 0 ? (number % 8 === 0 ? 'orders|returns' : '.*s') : null;
}

function run(world: World, each: Step): void {
  const { driver, clients } = world;
  const client = 'which' in each && clients.length > 0 ? clients[each.which % clients.length] : undefined;
  switch (each.kind) {
    case 'beat':
      client?.beat(each.isLost);
      break;
    case 'consumer': {
      const name = `n${clients.length}`;
      const assignor = [null, 'range', 'uniform'][each.assignor % 3] ?? null;
      clients.push(new ConsumerClient(world, name, pick(each.topics), each.isStatic ? `i-${name}` : null, regexOf(each.regex), assignor));
      break;
    }
    case 'classic':
      clients.push(new ClassicClient(world, `c${clients.length}`, pick(each.topics), each.isEager));
      break;
    case 'leave':
      client?.leave();
      break;
    case 'subscribe':
      if (client instanceof ConsumerClient) client.subscribe(pick(each.topics), regexOf(each.regex));
      break;
    case 'time':
      driver.advance(each.ms);
      break;
    case 'topic': {
      const name = TOPICS[each.topic % TOPICS.length] ?? '';
      const topic = driver.topic(name);
      if (topic === undefined) driver.createTopic(name, each.count);
      else if (each.count === 1) driver.deleteTopic(name);
      else driver.addPartitions(name, topic.partitionCount + each.count);
      break;
    }
    case 'reload':
      driver.reload();
      break;
  }
}

/** All clients go on as they should, until nothing changes any more. */
function heal(world: World): void {
  const { driver, clients } = world;
  for (let round = 0; round < 60; round++) {
    // Longer than what keeps searches apart, in all; shorter than any session, each.
    driver.advance(1000);
    for (const client of clients) client.beat(false);
    world.check();
  }
}

function checkOwned(world: World): void {
  const { driver, group, clients } = world;
  if (group === undefined || clients.length === 0 || clients.every((each) => each instanceof ClassicClient)) return;
  expect(group.stateName).toBe('Stable');
  for (const name of TOPICS) {
    const topic = driver.topic(name);
    if (topic === undefined) continue;
    const isSubscribed = (client: Client): boolean => {
      if (client.topics.includes(name)) return true;
      return client instanceof ConsumerClient && client.regex !== null && new RegExp(`^(${client.regex})$`).test(name);
    };
    for (let partition = 0; partition < topic.partitionCount; partition++) {
      const owners = clients.filter((client) => client.has(topic.topicId, partition));
      expect(owners.length).toBe(clients.some(isSubscribed) ? 1 : 0);
      for (const owner of owners) expect(isSubscribed(owner)).toBe(true);
    }
  }
}

test('in every history each partition has at most one owner, in the end each has one, and the records say it all', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (steps) => {
      const world = new World();
      for (const name of TOPICS) world.driver.createTopic(name, 3);
      for (const [index, each] of steps.entries()) {
        run(world, each);
        world.check();
        if (index % 10 === 0) world.checkReplay();
      }
      heal(world);
      checkOwned(world);
      world.checkReplay();
    }),
    { numRuns: 120 },
  );
});
