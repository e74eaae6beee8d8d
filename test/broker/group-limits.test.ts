// Limits of groups over real sockets: floods of heartbeats, members of other groups, assignments that no record can hold, a group of a
// thousand members, ten thousand groups. Each is answered as docs/internals/groups.md says, and a client beside them notices nothing.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import { heartbeatRequest, heartbeatResponse } from '../../src/protocol/apis/heartbeat.ts';
import { type JoinGroupResponse, joinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { listGroupsRequest, listGroupsResponse } from '../../src/protocol/apis/list-groups.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { syncGroupRequest, syncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Bystander } from '../support/bystander.ts';
import { coordinatorOf } from '../support/group/coordinator.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, Target, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MEMBERS = 1000;
const GROUPS = 10_000;
const FLOOD = 1000;
const OVERRIDES = { 'group.initial.rebalance.delay.ms': '0', 'group.min.session.timeout.ms': '100', 'offsets.topic.num.partitions': '4' };

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  let target: Target;
  let bystander: Bystander;

  skipSuite(isForeign ? foreignReason : null);
  beforeAll(async () => {
    target = await Target.open(workers, OVERRIDES);
    bystander = await Bystander.start(target.port, 'bystander');
    const client = await WireClient.connect(target.port);
    await client.createTopic('orders', 2);
    client.close();
  });
  afterEach(async () => {
    await bystander.check();
    expect(target.broker.child.exitCode).toBe(null);
  });
  afterAll(async () => {
    await bystander?.stop();
    await target?.close();
  });

  async function connect(groupId: string): Promise<WireClient> {
    const client = await WireClient.connect(target.port);
    await coordinatorOf(client, groupId);
    return client;
  }

  function join(client: WireClient, groupId: string, memberId = ''): Promise<JoinGroupResponse> {
    const protocols = [{ name: 'range', metadata: Buffer.from('whatever') }];
    const timeouts = { sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000 };
    return client.ask(joinGroupRequest, joinGroupResponse, 3, { groupId, memberId, ...timeouts, protocolType: 'consumer', protocols });
  }

  async function sync(client: WireClient, groupId: string, joined: JoinGroupResponse, bytesEach: number): Promise<number> {
    const { generationId, memberId, members } = joined;
    const assignments = members.map((each) => ({ memberId: each.memberId, assignment: Buffer.alloc(bytesEach, 'a') }));
    return (await client.ask(syncGroupRequest, syncGroupResponse, 2, { groupId, generationId, memberId, assignments })).errorCode;
  }

  async function commit(client: WireClient, groupId: string, who: object = {}): Promise<number | undefined> {
    const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }];
    const asked = { groupId, ...who, topics: [{ name: 'orders', partitions }] };
    const { topics } = await client.ask(offsetCommitRequest, offsetCommitResponse, 9, asked);
    return topics[0]?.partitions[0]?.errorCode;
  }

  it('floods of heartbeats are answered, each one, in both protocols', async () => {
    const floods = Array.from({ length: 8 }, async (_, index) => {
      const groupId = `flood-${index}`;
      const client = await connect(groupId);
      if (index % 2 === 0) {
        const joined = await join(client, groupId);
        expect(await sync(client, groupId, joined, 10)).toBe(ERROR.NONE);
        const asked = { groupId, generationId: joined.generationId, memberId: joined.memberId };
        const sent = Array.from({ length: FLOOD }, () => client.send(heartbeatRequest, 4, asked));
        for (const id of sent) expect((await client.receive(id, heartbeatResponse, 4)).message.errorCode).toBe(ERROR.NONE);
      } else {
        const all = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], topicPartitions: [] };
        const asked = { groupId, memberId: 'm', memberEpoch: 0, ...all };
        const sent = Array.from({ length: FLOOD }, () => client.send(consumerGroupHeartbeatRequest, 1, asked));
        for (const id of sent) {
          const { errorCode } = (await client.receive(id, consumerGroupHeartbeatResponse, 1)).message;
          expect(errorCode).toBe(ERROR.NONE);
        }
      }
      client.close();
    });
    await Promise.all(floods);
  });

  it('a member id of another group is nobody', async () => {
    const client = await connect('mine');
    await coordinatorOf(client, 'yours');
    const { memberId, generationId } = await join(client, 'mine');
    await join(client, 'yours');
    const asked = { groupId: 'yours', generationId, memberId };
    expect((await client.ask(heartbeatRequest, heartbeatResponse, 4, asked)).errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect((await join(client, 'yours', memberId)).errorCode).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect(await commit(client, 'yours', { memberId, generationIdOrMemberEpoch: generationId })).toBe(ERROR.UNKNOWN_MEMBER_ID);
    client.close();
  });

  it('an assignment that no record can hold is refused, and the group goes on', async () => {
    const client = await connect('large');
    const joined = await join(client, 'large');
    expect(await sync(client, 'large', joined, 3_000_000)).toBe(ERROR.UNKNOWN_SERVER_ERROR);
    const again = await join(client, 'large', joined.memberId);
    expect(await sync(client, 'large', again, 500_000)).toBe(ERROR.NONE);
    client.close();
  });

  it('a group of a thousand members comes to rest in one generation', async () => {
    const groupId = 'thousand';
    (await connect(groupId)).close();
    const generations = new Map<number, number>();
    let isResting = false;
    const member = async (index: number): Promise<void> => {
      const client = await WireClient.connect(target.port);
      let memberId = '';
      while (!isResting) {
        const joined = await join(client, groupId, memberId);
        if (joined.errorCode !== ERROR.NONE) continue;
        memberId = joined.memberId;
        if ((await sync(client, groupId, joined, 20)) !== ERROR.NONE) continue;
        generations.set(index, joined.generationId);
        if (generations.size === MEMBERS && new Set(generations.values()).size === 1) isResting = true;
        const asked = { groupId, generationId: joined.generationId, memberId };
        const isStable = async (): Promise<boolean> =>
          (await client.ask(heartbeatRequest, heartbeatResponse, 4, asked)).errorCode === ERROR.NONE;
        while (!isResting && (await isStable())) await new Promise((done) => setTimeout(done, 200));
      }
      client.close();
    };
    await Promise.all(Array.from({ length: MEMBERS }, (_, index) => member(index)));
    expect(new Set(generations.values()).size).toBe(1);
  }, 240_000);

  it('ten thousand groups commit, are listed, and have what they committed', async () => {
    const client = await connect('group-0');
    const groupIds = Array.from({ length: GROUPS }, (_, index) => `group-${index}`);
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 1, committedOffset: 7, committedMetadata: 'here' }] }];
    const sent = groupIds.map((groupId) => client.send(offsetCommitRequest, 9, { groupId, topics }));
    for (const id of sent) {
      const { message } = await client.receive(id, offsetCommitResponse, 9);
      expect(message.topics[0]?.partitions[0]?.errorCode).toBe(ERROR.NONE);
    }
    const listed = await client.ask(listGroupsRequest, listGroupsResponse, 5, {});
    expect(listed.groups.filter(({ groupId }) => groupId.startsWith('group-'))).toHaveLength(GROUPS);
    const groups = groupIds.map((groupId) => ({ groupId, topics: [{ name: 'orders', partitionIndexes: [1] }] }));
    const fetched = await client.ask(offsetFetchRequest, offsetFetchResponse, 8, { groups });
    const found = fetched.groups.flatMap(({ topics: of }) => of.flatMap(({ partitions }) => partitions));
    expect(found).toHaveLength(GROUPS);
    expect(new Set(found.map(({ committedOffset, metadata }) => `${committedOffset} ${metadata}`))).toEqual(new Set(['7 here']));
    client.close();
  });
});
