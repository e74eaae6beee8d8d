// Members that close their connections while the coordinator owes them an answer: what was to come is dropped, and the group goes on
// without them. Large answers, which are taken in pieces, among it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeGroupsRequest, describeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { type JoinGroupResponse, joinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { Target, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MEMBERS = 60;
const METADATA_BYTES = 20_000;
const SESSION_MS = 1000;
/** The last before a member is told its id first. */
const JOIN_VERSION = 3;

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  let target: Target;

  beforeAll(async () => {
    target = await Target.open(workers, {
      'group.initial.rebalance.delay.ms': '500',
      'group.min.session.timeout.ms': '100',
      'offsets.topic.num.partitions': '4',
    });
  });
  afterAll(async () => {
    await target.close();
  });

  function join(client: WireClient, groupId: string, metadataBytes: number): number {
    return client.send(joinGroupRequest, JOIN_VERSION, {
      groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array(metadataBytes) }],
    });
  }

  it('answers to connections that are closed are dropped, and the others get theirs whole', async () => {
    const admin = await WireClient.connect(target.port);
    const described = async (groupId: string): Promise<number> => {
      const answer = await admin.ask(describeGroupsRequest, describeGroupsResponse, 5, { groups: [groupId] });
      return answer.groups[0]?.members.length ?? 0;
    };

    /** The first to come leads and hears of all who join with it; those close their connections before they are answered. */
    async function leadOf(groupId: string): Promise<JoinGroupResponse> {
      const found = await admin.ask(findCoordinatorRequest, findCoordinatorResponse, 4, { keyType: 0, coordinatorKeys: [groupId] });
      expect(found.coordinators[0]?.errorCode).toBe(0);
      const [first, ...others] = await Promise.all(Array.from({ length: MEMBERS }, () => WireClient.connect(target.port)));
      if (first === undefined) throw new Error('no member');
      const correlationId = join(first, groupId, METADATA_BYTES);
      while ((await described(groupId)) < 1);
      for (const client of others) join(client, groupId, METADATA_BYTES);
      while ((await described(groupId)) < MEMBERS);
      for (const client of others) client.close();
      const { message } = await first.receive(correlationId, joinGroupResponse, JOIN_VERSION);
      first.close();
      return message;
    }

    let groupId = 'left';
    let lead = await leadOf(groupId);
    // A round that ended before all had come, on a machine that stood still, shows nothing.
    for (let again = 1; lead.members.length < MEMBERS; again++) {
      groupId = `left again ${again}`;
      lead = await leadOf(groupId);
    }
    expect(lead.errorCode).toBe(0);
    for (const { metadata } of lead.members) expect(metadata).toEqual(new Uint8Array(METADATA_BYTES));
    // Nobody syncs or says that it lives: all are gone after their sessions, and the next one has the group to itself.
    while ((await described(groupId)) > 0);
    const next = await WireClient.connect(target.port);
    const { message: alone } = await next.receive(join(next, groupId, 10), joinGroupResponse, JOIN_VERSION);
    expect(alone).toMatchObject({ errorCode: 0, members: [{ metadata: new Uint8Array(10) }] });
    next.close();
    admin.close();
  });
});
