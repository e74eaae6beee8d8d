// How long a group takes until all members have what they are to have: when all of them come at once, and when one more comes. Members
// report each 100 ms, and do at once what they are told.
import { setTimeout as sleep } from 'node:timers/promises';
import { writeAssignment, writeSubscription } from '../../src/groups/consumer-protocol.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import { heartbeatRequest, heartbeatResponse } from '../../src/protocol/apis/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { syncGroupRequest, syncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { type Figure, untilCoordinated } from './group-offsets.ts';
import { cpuSeconds, type Subject } from './subjects.ts';
import { Wire } from './wire.ts';

const HEARTBEAT_MS = 100;
const SESSION_MS = 30_000;
const REBALANCE_MS = 60_000;
const PROTOCOL = 'range';
const TOPIC = 'bench';
const SUBSCRIPTION = writeSubscription({ topics: [TOPIC], userData: null, ownedPartitions: [], generationId: -1, rackId: null }, 1);
/** What is not calm by then is not going to be. */
const LIMIT_MS = 120_000;

abstract class Member {
  protected readonly wire: Wire;
  protected readonly groupId: string;
  isStopping = false;
  partitions: readonly number[] = [];
  /** The generation or epoch in which it has all that it is to have; −1: not now. */
  settledEpoch = -1;

  constructor(wire: Wire, groupId: string) {
    this.wire = wire;
    this.groupId = groupId;
  }

  abstract step(): Promise<void>;

  async run(): Promise<void> {
    while (!this.isStopping) await this.step();
    this.wire.close();
  }
}

class ClassicMember extends Member {
  #memberId = '';
  #generationId = -1;

  override async step(): Promise<void> {
    if (this.settledEpoch < 0) return this.#join();
    await sleep(HEARTBEAT_MS);
    const identity = { groupId: this.groupId, generationId: this.#generationId, memberId: this.#memberId, groupInstanceId: null };
    const { errorCode } = await this.wire.ask(heartbeatRequest, heartbeatResponse, 4, identity);
    if (errorCode !== ERROR.NONE) this.settledEpoch = -1;
  }

  async #join(): Promise<void> {
    const joined = await this.wire.ask(joinGroupRequest, joinGroupResponse, 9, {
      groupId: this.groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: PROTOCOL, metadata: SUBSCRIPTION }],
      reason: null,
    });
    if (joined.memberId !== '') this.#memberId = joined.memberId;
    if (joined.errorCode !== ERROR.NONE) return;
    this.#generationId = joined.generationId;
    const { members } = joined;
    const assignments = members.map(({ memberId }, index) => {
      const partitions = Array.from({ length: 300 }, (_, partition) => partition).filter((each) => each % members.length === index);
      return { memberId, assignment: writeAssignment([{ topic: TOPIC, partitions }], 1) };
    });
    const synced = await this.wire.ask(syncGroupRequest, syncGroupResponse, 5, {
      groupId: this.groupId,
      generationId: joined.generationId,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: PROTOCOL,
      assignments,
    });
    if (synced.errorCode === ERROR.NONE) this.settledEpoch = joined.generationId;
  }
}

class ConsumerMember extends Member {
  static #count = 0;
  readonly #memberId = `bench-${++ConsumerMember.#count}`;
  readonly #topicId: string;
  #memberEpoch = 0;
  #isAtOnce = true;
  #ownsTold = true;

  constructor(wire: Wire, groupId: string, topicId: string) {
    super(wire, groupId);
    this.#topicId = topicId;
  }

  override async step(): Promise<void> {
    if (!this.#isAtOnce) await sleep(HEARTBEAT_MS);
    const isJoin = this.#memberEpoch === 0;
    const owned = this.partitions.length === 0 ? [] : [{ topicId: this.#topicId, partitions: [...this.partitions] }];
    const answer = await this.wire.ask(consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse, 0, {
      groupId: this.groupId,
      memberId: this.#memberId,
      memberEpoch: this.#memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: isJoin ? REBALANCE_MS : -1,
      subscribedTopicNames: isJoin ? [TOPIC] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: isJoin || this.#ownsTold ? owned : null,
    });
    if (answer.errorCode !== ERROR.NONE) {
      this.#isAtOnce = false;
      return;
    }
    this.#memberEpoch = answer.memberEpoch;
    this.settledEpoch = answer.memberEpoch;
    this.#ownsTold = answer.assignment !== null;
    this.#isAtOnce = answer.assignment !== null;
    if (answer.assignment !== null) this.partitions = answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions);
  }
}

let groupCount = 0;

/** `count` members at once, then one more. Times, and the broker's CPU for both. */
export async function rebalance(
  subject: Subject,
  protocol: 'classic' | 'consumer',
  count: number,
  topicId: string,
): Promise<readonly Figure[]> {
  const groupId = `${protocol}-${count}-${process.pid}-${++groupCount}`;
  const wires = await Promise.all(Array.from({ length: count + 1 }, () => Wire.connect(subject.port)));
  await untilCoordinated(wires[0] as Wire, [groupId]);
  const members: Member[] = wires.map((wire) =>
    protocol === 'classic' ? new ClassicMember(wire, groupId) : new ConsumerMember(wire, groupId, topicId),
  );
  const late = members.pop() as Member;
  const cpuBefore = cpuSeconds(subject.pid());
  const startedAt = performance.now();
  const runs = members.map((member) => member.run());
  await untilSettled(members, protocol);
  const formedMs = performance.now() - startedAt;
  await sleep(5 * HEARTBEAT_MS);
  const lateAt = performance.now();
  runs.push(late.run());
  members.push(late);
  await untilSettled(members, protocol);
  const joinedMs = performance.now() - lateAt;
  const cpuMs = (cpuSeconds(subject.pid()) - cpuBefore) * 1000;
  for (const member of members) member.isStopping = true;
  await Promise.all(runs);
  const row = `${count} members, ${protocol}`;
  return [
    { row: `${row}: all come at once`, unit: 'ms', value: formedMs },
    { row: `${row}: one more comes`, unit: 'ms', value: joinedMs },
    { row: `${row}: CPU for both`, unit: 'CPU-ms', value: cpuMs },
  ];
}

/** All in one generation or epoch; where the coordinator assigns, each partition once. */
async function untilSettled(members: readonly Member[], protocol: 'classic' | 'consumer'): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const epoch = members[0]?.settledEpoch ?? -1;
    const isOne = epoch >= 0 && members.every((member) => member.settledEpoch === epoch);
    if (isOne && (protocol === 'classic' || isDealtOut(members))) return;
    if (performance.now() - startedAt > LIMIT_MS) throw new Error(`${members.length} members have not come to rest`);
    await sleep(1);
  }
}

function isDealtOut(members: readonly Member[]): boolean {
  const seen = new Set<number>();
  let total = 0;
  for (const { partitions } of members) {
    total += partitions.length;
    for (const partition of partitions) seen.add(partition);
  }
  return total === 300 && seen.size === 300;
}
