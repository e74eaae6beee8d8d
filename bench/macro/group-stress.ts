// Large classic groups again and again, each member with a connection of its own: whether an answer is ever lost or late. Members come at
// once, then the group is rebalanced by a member that leaves and comes back. Reports the longest wait for each kind of request; one that
// takes longer than the limit ends the run with what the group looked like.
//   node bench/macro/group-stress.ts [--members 1000] [--workers 2] [--groups 1] [--rebalances 3] [--limit 20000]
// Needs Linux; `npm run build` first. A test of the whole, not a comparison: nothing is written down.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeGroupsRequest, describeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { heartbeatRequest, heartbeatResponse } from '../../src/protocol/apis/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../../src/protocol/apis/leave-group.ts';
import { syncGroupRequest, syncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR, errorName } from '../../src/protocol/errors.ts';
import type { MessageOf, Table } from '../../src/protocol/schema.ts';
import { untilCoordinated } from './group-offsets.ts';
import { NaruSubject } from './subjects.ts';
import { Wire } from './wire.ts';

const { values: options } = parseArgs({
  options: {
    members: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '2' },
    groups: { type: 'string', default: '1' },
    rebalances: { type: 'string', default: '3' },
    limit: { type: 'string', default: '20000' },
    port: { type: 'string', default: '29592' },
  },
});
const memberCount = Number(options.members);
const limitMs = Number(options.limit);
const HEARTBEAT_MS = 100;
const SESSION_MS = 30_000;
const REBALANCE_MS = 60_000;
const PROTOCOLS = [{ name: 'range', metadata: Buffer.from('what a member says of itself') }];

/** By request: the longest that any member waited for its answer. */
const longestMs = new Map<string, number>();
/** Requests under way, with when they were sent. */
const underWay = new Map<Member, { readonly name: string; readonly sentAt: number }>();

class Member {
  readonly #wire: Wire;
  readonly #groupId: string;
  readonly index: number;
  memberId = '';
  generationId = -1;
  settledGeneration = -1;
  lastError = '';
  isStopping = false;

  constructor(wire: Wire, groupId: string, index: number) {
    this.#wire = wire;
    this.#groupId = groupId;
    this.index = index;
  }

  async run(): Promise<void> {
    while (!this.isStopping) {
      if (this.settledGeneration < 0) await this.#join();
      else {
        await sleep(HEARTBEAT_MS);
        const { memberId, generationId } = this;
        const said = { groupId: this.#groupId, generationId, memberId, groupInstanceId: null };
        const { errorCode } = await this.#ask(heartbeatRequest, heartbeatResponse, 4, said);
        this.#note(errorCode);
        if (errorCode !== ERROR.NONE) this.settledGeneration = -1;
      }
    }
  }

  async leave(): Promise<void> {
    const members = [{ memberId: this.memberId, groupInstanceId: null, reason: null }];
    await this.#ask(leaveGroupRequest, leaveGroupResponse, 5, { groupId: this.#groupId, memberId: '', members });
    this.memberId = '';
    this.settledGeneration = -1;
  }

  close(): void {
    this.#wire.close();
  }

  async #ask<Q extends Table, S extends Table>(request: Q, response: S, version: number, said: MessageOf<Q>): Promise<MessageOf<S>> {
    const sentAt = performance.now();
    underWay.set(this, { name: request.name, sentAt });
    const answer = await this.#wire.ask(request, response, version, said);
    underWay.delete(this);
    longestMs.set(request.name, Math.max(longestMs.get(request.name) ?? 0, performance.now() - sentAt));
    return answer;
  }

  #note(errorCode: number): void {
    if (errorCode !== ERROR.NONE) this.lastError = errorName(errorCode);
  }

  async #join(): Promise<void> {
    const joined = await this.#ask(joinGroupRequest, joinGroupResponse, 9, {
      groupId: this.#groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: PROTOCOLS,
      reason: null,
    });
    this.#note(joined.errorCode);
    if (joined.errorCode === ERROR.UNKNOWN_MEMBER_ID) this.memberId = '';
    else if (joined.memberId !== '') this.memberId = joined.memberId;
    if (joined.errorCode !== ERROR.NONE) return;
    this.generationId = joined.generationId;
    const synced = await this.#ask(syncGroupRequest, syncGroupResponse, 5, {
      groupId: this.#groupId,
      generationId: joined.generationId,
      memberId: this.memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: joined.members.map(({ memberId }) => ({ memberId, assignment: Buffer.from(memberId) })),
    });
    this.#note(synced.errorCode);
    if (synced.errorCode !== ERROR.NONE) return;
    if (Buffer.from(synced.assignment).toString() !== this.memberId) throw new Error(`member ${this.memberId} got another's assignment`);
    this.settledGeneration = joined.generationId;
  }
}

/** How long until all members have synced in one generation, which is at least `least`. */
async function untilSettled(members: readonly Member[], least: number, step: string): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const generation = members[0]?.settledGeneration ?? -1;
    if (generation >= least && members.every((member) => member.settledGeneration === generation)) return performance.now() - startedAt;
    if (performance.now() - startedAt > limitMs) await fail(members, step);
    await sleep(1);
  }
}

async function fail(members: readonly Member[], step: string): Promise<never> {
  const now = performance.now();
  for (const [{ index, memberId, generationId, lastError }, { name, sentAt }] of underWay) {
    const waitedMs = Math.round(now - sentAt);
    if (waitedMs > 1000)
      console.log(`member ${index} ${memberId} waits for ${name} since ${waitedMs} ms, generation ${generationId}, ${lastError}`);
  }
  const generations = new Map<number, number>();
  for (const { settledGeneration } of members) generations.set(settledGeneration, (generations.get(settledGeneration) ?? 0) + 1);
  console.log('members by the generation that they are settled in:', generations);
  const wire = await Wire.connect(subject.port);
  const asked = { groups: groupIds, includeAuthorizedOperations: false };
  const { groups } = await wire.ask(describeGroupsRequest, describeGroupsResponse, 5, asked);
  for (const { groupId, groupState, members: known } of groups) console.log(`${groupId}: ${groupState}, ${known.length} members`);
  throw new Error(`${step}: ${members.length} members have not come to rest in ${limitMs} ms`);
}

async function stress(groupId: string): Promise<void> {
  const wires = await Promise.all(Array.from({ length: memberCount }, () => Wire.connect(subject.port)));
  await untilCoordinated(wires[0] as Wire, [groupId]);
  const members = wires.map((wire, index) => new Member(wire, groupId, index));
  const runs = members.map((member) => member.run());
  const steps = [await untilSettled(members, 0, 'all come')];
  for (let round = 0; round < Number(options.rebalances); round++) {
    // Its own requests and this one go over one connection: the answers come in order.
    const leaving = members[(round * 7919) % memberCount] as Member;
    const generation = leaving.settledGeneration;
    await leaving.leave();
    steps.push(await untilSettled(members, generation + 1, `rebalance ${round}`));
  }
  for (const member of members) member.isStopping = true;
  await Promise.all(runs);
  for (const member of members) member.close();
  console.log(`${groupId}: ${steps.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
}

const groupIds = Array.from({ length: Number(options.groups) }, (_, index) => `stress-${index}`);
mkdirSync(tmpdir(), { recursive: true });
const directory = mkdtempSync(join(tmpdir(), 'naru-stress-'));
const subject = new NaruSubject('naru', Number(options.port), directory, [
  `naru.workers=${options.workers}`,
  'group.initial.rebalance.delay.ms=0',
  'socket.listen.backlog.size=8192',
]);
await subject.start();
try {
  for (const groupId of groupIds) await stress(groupId);
  console.log('longest wait by request:', [...longestMs].map(([name, ms]) => `${name} ${Math.round(ms)} ms`).join(', '));
} finally {
  await subject.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
