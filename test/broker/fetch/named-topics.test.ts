// Fetch and topics that come and go: their ids, their names given again, their deletion under readers.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ERROR } from '../../../src/protocol/errors.ts';
import { labelled, labels, range } from '../../support/batches.ts';
import { describeFetch, FOREVER_MS, MIB } from '../../support/fetch-place.ts';
import { isForeign } from '../../support/target.ts';
import { WireClient } from '../../support/wire-client.ts';

const UNKNOWN_ID = 'QUFBQUFBQUFBQUFBQUFBQQ';

describeFetch('topics', (place) => {
  it('knows a topic by its id from version 13 on', async () => {
    const topic = place.newTopic('ids');
    const topicId = await place.producer.createTopic(topic, 2);
    await place.producer.produce(topic, 1, labelled('id', 0, 2));
    const fetched = await place.consumer.fetch(
      {
        maxWaitMs: 1000,
        topics: [topicId, UNKNOWN_ID].map((id) => ({
          topicId: id,
          partitions: [{ partition: 1, fetchOffset: 0, partitionMaxBytes: MIB }],
        })),
      },
      13,
    );
    const own = fetched.partitions.find((partition) => partition.topicId === topicId);
    expect(labels(own?.records ?? [])).toEqual(range('id', 0, 2));
    expect(fetched.partitions.find((partition) => partition.topicId === UNKNOWN_ID)?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
  });

  it('gives a topic that is created again another id, and none of its old records', async () => {
    const topic = place.newTopic('again');
    const oldId = await place.producer.createTopic(topic);
    await place.producer.produce(topic, 0, labelled('old', 0, 3));
    await place.producer.deleteTopic(topic);
    const newId = await place.producer.createTopic(topic);
    expect(newId).not.toBe(oldId);
    await place.producer.produce(topic, 0, labelled('new', 0, 2));
    const fetched = await place.consumer.fetch(
      {
        topics: [newId, oldId].map((topicId) => ({ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MIB }] })),
      },
      16,
    );
    expect(labels(fetched.partitions.find((partition) => partition.topicId === newId)?.records ?? [])).toEqual(range('new', 0, 2));
    expect(fetched.partitions.find((partition) => partition.topicId === oldId)?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID);
    expect(labels(await place.consumer.readAll(topic))).toEqual(range('new', 0, 2));
  });

  it('answers a parked fetch when its topic is deleted', async () => {
    for (const version of [12, 13]) {
      const topic = place.newTopic('deleted');
      const topicId = await place.producer.createTopic(topic, 3);
      const id = place.consumer.sendFetch(
        {
          maxWaitMs: FOREVER_MS,
          topics: [
            {
              ...(version < 13 ? { topic } : { topicId }),
              partitions: [{ partition: 2, fetchOffset: 0, partitionMaxBytes: MIB }],
            },
          ],
        },
        version,
      );
      await delay(50);
      await place.producer.deleteTopic(topic);
      const fetched = await place.consumer.receiveFetched(id, version);
      const expected = version < 13 ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.UNKNOWN_TOPIC_ID;
      // Apache's answer depends on which of its threads hears of the deletion first.
      expect(isForeign ? [3, 6, 100] : [expected]).toContain(fetched.partitions[0]?.errorCode);
    }
  });

  it('gives whole batches or an error while a topic is deleted under its readers', async () => {
    const topic = place.newTopic('under');
    await place.producer.createTopic(topic, 4, { 'segment.bytes': String(MIB) });
    for (let partition = 0; partition < 4; partition++) {
      for (let i = 0; i < 20; i++) await place.producer.produce(topic, partition, labelled(`${partition}`, i, 1, { valueBytes: 100_000 }));
    }
    let readingCount = 0;
    const readers = Array.from({ length: 8 }, async (_, index) => {
      const client = await WireClient.connect(place.port);
      let answers = 0;
      for (let offset = 0; ; offset = (offset + 1) % 20) {
        const fetched = await client.fetchFrom(topic, index % 4, offset, 500_000);
        if (fetched.errorCode !== 0) {
          client.close();
          return { errorCode: fetched.errorCode, answers };
        }
        expect(labels(fetched.records)[0]).toBe(`${index % 4}/${offset}`);
        if (++answers === 2) readingCount++;
      }
    });
    await expect.poll(() => readingCount, { timeout: 20_000 }).toBe(readers.length);
    await place.producer.deleteTopic(topic);
    for (const { errorCode, answers } of await Promise.all(readers)) {
      expect(answers).toBeGreaterThan(1);
      expect(isForeign ? [ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.NOT_LEADER_OR_FOLLOWER] : [ERROR.UNKNOWN_TOPIC_OR_PARTITION]).toContain(
        errorCode,
      );
    }
  });
});
