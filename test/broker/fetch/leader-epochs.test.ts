// Leader epochs in Fetch (KIP-320): unknown ones, old ones, and where histories part.
import { expect, it } from 'vitest';
import { fetchRequest, fetchResponse } from '../../../src/protocol/apis/fetch.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../../../src/protocol/apis/offset-for-leader-epoch.ts';
import { ERROR } from '../../../src/protocol/errors.ts';
import { labelled, labels, range } from '../../support/batches.ts';
import { BrokerProcess } from '../../support/broker-process.ts';
import { asked, describeFetch, MIB } from '../../support/fetch-place.ts';
import { foreignReason, isForeign } from '../../support/target.ts';
import { WireClient } from '../../support/wire-client.ts';

describeFetch('epochs', (place) => {
  const withEpoch = (topic: string, currentLeaderEpoch: number, fetchOffset = 0, lastFetchedEpoch = -1, client = place.consumer) =>
    client.fetch({
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: MIB, currentLeaderEpoch, lastFetchedEpoch }] }],
    });

  it('refuses one that it does not know yet, and tells where histories part', async () => {
    const topic = place.newTopic('epochs');
    await place.producer.createTopic(topic);
    await place.producer.produce(topic, 0, labelled('e', 0, 5));
    const epoch = await place.consumer.leaderEpoch(topic);
    expect((await withEpoch(topic, epoch)).partitions[0]).toMatchObject({ errorCode: 0 });
    expect((await withEpoch(topic, epoch + 1)).partitions[0]?.errorCode).toBe(ERROR.UNKNOWN_LEADER_EPOCH);
    const diverged = await withEpoch(topic, epoch, 9, epoch);
    expect(diverged.partitions[0]).toMatchObject({ errorCode: 0, divergingEpoch: { epoch, endOffset: 5 }, records: [] });
    const agreed = await withEpoch(topic, epoch, 2, epoch);
    expect(agreed.partitions[0]).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: -1, endOffset: -1 } });
    expect(labels(agreed.partitions[0]?.records ?? [])).toEqual(range('e', 0, 5));
  });

  it('refuses an unknown one to a consumer at the tail, too, where the worker need not ask the owner', async () => {
    const topic = place.newTopic('epochs-tail');
    await place.producer.createTopic(topic);
    const epoch = await place.consumer.leaderEpoch(topic);
    // Reading to the end teaches the worker where the next batch begins.
    for (let offset = 0; offset < 3; offset++) {
      await place.producer.produce(topic, 0, labelled('e', offset, 1));
      expect(labels((await withEpoch(topic, epoch, offset)).partitions[0]?.records ?? [])).toEqual([`e/${offset}`]);
    }
    await place.producer.produce(topic, 0, labelled('e', 3, 1));
    expect((await withEpoch(topic, epoch + 1, 3)).partitions[0]?.errorCode).toBe(ERROR.UNKNOWN_LEADER_EPOCH);
    expect(labels((await withEpoch(topic, epoch, 3)).partitions[0]?.records ?? [])).toEqual(['e/3']);
  });

  it('rise at a restart, and fence those who know the old one', async (context) => {
    context.skip(isForeign, foreignReason);
    const topic = place.newTopic('restart');
    let broker = await BrokerProcess.start({ workers: place.workers });
    let client = await WireClient.connect(broker.port);
    try {
      await client.createTopic(topic);
      await client.produce(topic, 0, labelled('before', 0, 4));
      const before = await client.leaderEpoch(topic);
      const { sessionId } = await client.fetch({ sessionId: 0, sessionEpoch: 0, topics: asked(topic, [0]) });
      expect((await broker.stop()).code).toBe(0);
      broker = await BrokerProcess.start({ workers: place.workers, directory: broker.directory });
      client.close();
      client = await WireClient.connect(broker.port);
      const after = await client.leaderEpoch(topic);
      expect(after).toBeGreaterThan(before);
      await client.produce(topic, 0, labelled('after', 0, 3));
      expect((await withEpoch(topic, before, 0, -1, client)).partitions[0]?.errorCode).toBe(ERROR.FENCED_LEADER_EPOCH);
      // From version 16 on a fenced consumer hears who leads and where; a follower looks for that itself. So from Apache after a restart.
      const topicId = (await client.metadata(topic)).topics[0]?.topicId ?? '';
      const nobody = { leaderId: -1, leaderEpoch: -1 };
      const leader = { leaderId: 1, leaderEpoch: after };
      const endpoint = { nodeId: 1, host: '127.0.0.1', port: broker.port, rack: null };
      for (const [version, replicaId, currentLeader, nodeEndpoints] of [
        [15, -1, nobody, []],
        [15, 5, nobody, []],
        [16, -1, leader, [endpoint]],
        [18, -1, leader, [endpoint]],
        [18, 5, leader, []],
      ] as const) {
        const fenced = await client.ask(fetchRequest, fetchResponse, version, {
          replicaState: { replicaId },
          topics: [{ topicId, partitions: [{ partition: 0, currentLeaderEpoch: before, partitionMaxBytes: MIB }] }],
        });
        expect(fenced.responses[0]?.partitions[0]).toMatchObject({ errorCode: ERROR.FENCED_LEADER_EPOCH, currentLeader });
        expect(fenced.nodeEndpoints).toEqual(nodeEndpoints);
      }
      expect((await withEpoch(topic, after, 0, -1, client)).partitions[0]?.records).toHaveLength(7);
      expect((await withEpoch(topic, after, 6, before, client)).partitions[0]).toMatchObject({
        errorCode: 0,
        divergingEpoch: { epoch: before, endOffset: 4 },
        records: [],
      });
      const ends = await client.ask(offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, 4, {
        replicaId: -1,
        topics: [
          {
            topic,
            partitions: [before, after].map((leaderEpoch) => ({ partition: 0, currentLeaderEpoch: after, leaderEpoch })),
          },
        ],
      });
      expect(ends.topics[0]?.partitions.map((each) => [each.errorCode, each.leaderEpoch, each.endOffset])).toEqual([
        [0, before, 4],
        [0, after, 7],
      ]);
      expect((await client.fetch({ sessionId, sessionEpoch: 1 })).errorCode).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
      expect(labels(await client.readAll(topic))).toEqual([...range('before', 0, 4), ...range('after', 0, 3)]);
    } finally {
      client.close();
      await broker.dispose();
    }
  });
});
