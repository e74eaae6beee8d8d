// Groups of both protocols on a whole broker, on one to three virtual workers: members join, hang, die, leave and come back, connections
// are cut, messages come double, the process is killed, the power goes. In the end every partition has an owner, and keeps it.
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { KIB, MIB } from '../../../src/base/units.ts';
import { type BrokerConfig, resolveBrokerConfig } from '../../../src/config/broker-config.ts';
import { createTopicsRequest, createTopicsResponse } from '../../../src/protocol/apis/create-topics.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../../src/protocol/apis/find-coordinator.ts';
import { metadataRequest, metadataResponse } from '../../../src/protocol/apis/metadata.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../../src/protocol/apis/offset-fetch.ts';
import { ERROR, errorName } from '../../../src/protocol/errors.ts';
import type { MessageOf, Table } from '../../../src/protocol/schema.ts';
import { Simulation } from '../../../src/scheduler/sim-runtime.ts';
import type { Sparse } from '../../support/messages.ts';
import { BrokerMachine } from '../broker/machine.ts';
import { Violation } from '../broker/violation.ts';
import { ClassicMember } from '../groups/classic-member.ts';
import { ConsumerMember } from '../groups/consumer-member.ts';
import { type Counts, GroupLedger } from '../groups/ledger.ts';
import { HEARTBEAT_MS, type Member, REBALANCE_MS, SESSION_MS, TOPIC } from '../groups/member.ts';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from '../scenario.ts';

const LIVES_MAX = 3;
const MEMBERS_MAX = 4;
const ANSWER_LIMIT_MS = 10_000;
/** Rounds that wait for members which are gone, one after the other. */
const SETTLE_LIMIT_MS = 30 * (SESSION_MS + REBALANCE_MS);
/** So long nothing may change any more. */
const CALM_MS = 2 * SESSION_MS + REBALANCE_MS;

type Kind = 'classic' | 'consumer' | 'mixed';

interface Group {
  readonly ledger: GroupLedger;
  readonly kind: Kind;
  members: Member[];
}

export const groups: Scenario = {
  name: 'groups',
  about: 'consumer groups of both protocols on a whole broker, through members that come and go, kills and power losses',
  async run(seed, options) {
    const story = new Story(seed, options);
    try {
      return await story.run();
    } finally {
      story.end();
    }
  },
};

class Story {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #machine: BrokerMachine;
  readonly #counts: Counts = {
    assignments: 0,
    commits: 0,
    refusedCommits: 0,
    fetches: 0,
    rejoins: 0,
    hangs: 0,
    deaths: 0,
    leaves: 0,
    cuts: 0,
    doubled: 0,
  };
  readonly #ends = { kills: 0, powerLosses: 0, stops: 0 };
  readonly #groups: Group[];
  readonly #partitionCount: number;
  #memberCount = 0;
  #topicId = '';
  #isWild = true;

  constructor(seed: number, options: ScenarioOptions) {
    const draws = seededRandom(seed ^ 0x6e0);
    const limits = {
      workerCount: 1 + draws.below(3),
      ringCapacityBytes: pick(draws, [4 * KIB, 256 * KIB]),
      arenaBytes: pick(draws, [MIB, 16 * MIB]),
    };
    this.#simulation = new Simulation({ seed, keepsTrace: options.keepsTrace, limits });
    this.#random = this.#simulation.random;
    const manners = {
      readBytesMax: pick(draws, [50, 4096, MIB]),
      takeBytesMax: pick(draws, [100, MIB, MIB]),
      sendBufferBytes: pick(draws, [100, 64 * KIB, 64 * KIB]),
    };
    this.#machine = new BrokerMachine(this.#simulation, drawConfig(draws), manners);
    this.#partitionCount = 1 + draws.below(6);
    const kinds: readonly Kind[] = pick(draws, [
      ['classic'],
      ['consumer'],
      ['mixed'],
      ['classic', 'consumer'],
      ['classic', 'consumer', 'mixed'],
    ]);
    this.#groups = kinds.map((kind) => ({
      ledger: new GroupLedger(kind, this.#partitionCount, this.#counts, kind === 'mixed'),
      kind,
      members: [],
    }));
  }

  async run(): Promise<ScenarioOutcome> {
    const lives = 1 + this.#random.below(LIVES_MAX);
    for (let life = 0; life < lives; life++) {
      await this.#boot();
      await this.#machine.runFor(this.#random.below(1000));
      if (life === lives - 1) await this.#settle();
      await this.#end();
    }
    await this.#boot();
    await this.#settle();
    await this.#quiet();
    return {
      traceHash: this.#simulation.traceHash,
      trace: this.#simulation.trace,
      counts: { ...this.#counts, ...this.#ends, workers: this.#machine.workerCount, boots: this.#machine.bootCount },
    };
  }

  /** Nothing of it is left: files that are open have descriptors, which hold on to their disk. */
  end(): void {
    this.#machine.kill();
  }

  async #boot(): Promise<void> {
    if ((await this.#machine.boot()) === 'died') throw new Violation('a healthy disk, and the broker died');
    await this.#prepare();
    await this.#checkOffsets();
    this.#setWild(true);
    for (const { members } of this.#groups) for (const member of members) member.start(this.#topicId);
    this.#comeAndGoLater(this.#machine.bootCount);
  }

  async #end(): Promise<void> {
    const end = (['kill', 'power loss', 'stop', 'kill'] as const)[this.#random.below(4)] ?? 'kill';
    if (end === 'stop') {
      this.#ends.stops++;
      if (!(await this.#machine.stop())) throw new Violation('an orderly stop on a healthy disk was not clean');
    } else if (end === 'kill') {
      this.#ends.kills++;
      this.#machine.kill();
    } else {
      this.#ends.powerLosses++;
      this.#machine.losePower();
      for (const { ledger, members } of this.#groups) {
        ledger.losePower();
        for (const member of members) member.losePower();
      }
    }
  }

  /** Now and then somebody comes, leaves or dies. */
  #comeAndGoLater(boot: number): void {
    const { time } = this.#simulation;
    time.at(time.nowMs + this.#simulation.draw(200), () => {
      if (!this.#machine.isUp || this.#machine.bootCount !== boot) return;
      if (this.#isWild && !this.#machine.isStopping) for (const group of this.#groups) this.#comeAndGo(group);
      this.#comeAndGoLater(boot);
    });
  }

  #comeAndGo(group: Group): void {
    group.members = group.members.filter(({ isGone }) => !isGone);
    const { members } = group;
    const choice = this.#random.below(6);
    if (members.length === 0 || (choice < 3 && members.length < MEMBERS_MAX)) this.#come(group);
    else if (choice === 4) members[this.#random.below(members.length)]?.die();
    else if (choice === 5) members[this.#random.below(members.length)]?.leave();
  }

  #come({ ledger, kind, members }: Group): void {
    const isClassic = kind === 'classic' || (kind === 'mixed' && this.#random.below(2) === 0);
    // A static member comes back under the same name, once the one before is gone.
    const isFree = !members.some(({ instanceId }) => instanceId !== null);
    const instanceId = isFree && this.#random.below(3) === 0 ? `static-${isClassic}` : null;
    const Kind = isClassic ? ClassicMember : ConsumerMember;
    const member = new Kind(this.#machine, ledger, `m${++this.#memberCount}`, instanceId);
    members.push(member);
    member.isWild = this.#isWild;
    member.start(this.#topicId);
  }

  #setWild(isWild: boolean): void {
    this.#isWild = isWild;
    for (const { members } of this.#groups) for (const member of members) member.isWild = isWild;
  }

  /** Nobody does anything odd any more: everything finds its owner, and keeps it. */
  async #settle(): Promise<void> {
    this.#setWild(false);
    for (const group of this.#groups) {
      group.members = group.members.filter(({ isGone }) => !isGone);
      if (group.members.length === 0) this.#come(group);
    }
    const complaint = (): string | null => {
      for (const { ledger, members } of this.#groups) {
        const busy = members.find((member) => member.isHung || !member.isCurrent);
        const found = busy === undefined ? ledger.complaint() : `${ledger.groupId}: ${busy.name} is not there`;
        if (found !== null) return found;
      }
      return null;
    };
    const { time } = this.#simulation;
    const isCalm = (): boolean => {
      if (complaint() !== null) calmSinceMs = Number.POSITIVE_INFINITY;
      else calmSinceMs = Math.min(calmSinceMs, time.nowMs);
      return time.nowMs - calmSinceMs > CALM_MS;
    };
    let calmSinceMs = Number.POSITIVE_INFINITY;
    await this.#machine.until(isCalm, SETTLE_LIMIT_MS, () => complaint() ?? 'everybody keeps what it has');
    await this.#checkOffsets();
  }

  /** Once all connections are gone, all memory is back. */
  async #quiet(): Promise<void> {
    for (const { members } of this.#groups) for (const member of members) member.closeConnection();
    this.#machine.isStopping = true; // Nobody connects again.
    await this.#machine.runFor(20 * REBALANCE_MS);
    this.#machine.checkMemory();
  }

  async #prepare(): Promise<void> {
    const topics = [{ name: TOPIC, numPartitions: this.#partitionCount, replicationFactor: 1 }];
    if (this.#topicId === '') await this.#ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 1000 });
    const found = await this.#ask(metadataRequest, metadataResponse, 12, { topics: [{ name: TOPIC }] });
    this.#topicId = found.topics[0]?.topicId ?? '';
    const coordinatorKeys = this.#groups.map(({ ledger }) => ledger.groupId);
    const { coordinators } = await this.#ask(findCoordinatorRequest, findCoordinatorResponse, 6, { coordinatorKeys });
    for (const { key, errorCode } of coordinators)
      if (errorCode !== ERROR.NONE) throw new Violation(`the coordinator of ${key}: ${errorName(errorCode)}`);
  }

  async #checkOffsets(): Promise<void> {
    const partitionIndexes = Array.from({ length: this.#partitionCount }, (_, partition) => partition);
    for (const { ledger } of this.#groups) {
      const floors = partitionIndexes.map((partition) => ledger.floor(partition));
      const asked = { groups: [{ groupId: ledger.groupId, topics: [{ name: TOPIC, partitionIndexes }] }] };
      for (;;) {
        const [group] = (await this.#ask(offsetFetchRequest, offsetFetchResponse, 8, asked)).groups;
        if (group?.errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS) {
          await this.#machine.runFor(HEARTBEAT_MS);
          continue;
        }
        if (group?.errorCode !== ERROR.NONE) throw new Violation(`OffsetFetch of ${ledger.groupId}: ${errorName(group?.errorCode ?? -1)}`);
        for (const { partitionIndex, committedOffset, metadata } of group.topics[0]?.partitions ?? [])
          ledger.checkRead(partitionIndex, committedOffset, metadata, floors[partitionIndex] ?? -1);
        break;
      }
    }
  }

  async #ask<Q extends Table, S extends Table>(
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<MessageOf<S>> {
    const connection = this.#machine.connect();
    const answers: MessageOf<S>[] = [];
    connection.ask(request, response, version, partial, (answer) => void answers.push(answer));
    await this.#machine.until(() => answers.length > 0 || connection.isClosed, ANSWER_LIMIT_MS, `an answer to ${request.name}`);
    const [answer] = answers;
    if (answer === undefined) throw new Violation(`${request.name} is not answered`);
    connection.reset();
    return answer;
  }
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}

function drawConfig(random: Random): BrokerConfig {
  const overrides: (readonly [string, string])[] = [
    ['log.dirs', 'data'],
    ['offsets.topic.num.partitions', pick(random, ['1', '3', '5'])],
    ['log.flush.offset.checkpoint.interval.ms', pick(random, ['5', '60000'])],
    ['group.min.session.timeout.ms', '10'],
    ['group.initial.rebalance.delay.ms', pick(random, ['0', '0', '30'])],
    ['group.consumer.min.session.timeout.ms', '10'],
    ['group.consumer.session.timeout.ms', String(SESSION_MS)],
    ['group.consumer.min.heartbeat.interval.ms', '1'],
    ['group.consumer.heartbeat.interval.ms', String(HEARTBEAT_MS)],
    ['group.consumer.assignment.interval.ms', pick(random, ['0', '50'])],
    ['group.consumer.migration.policy', 'bidirectional'],
    ['naru.connection.inflight.max', pick(random, ['1', '16'])],
  ];
  const { config } = resolveBrokerConfig({ overrides, coreCount: 1 });
  return { ...config, writebackBytes: pick(random, [500, 5000, config.writebackBytes]) };
}
