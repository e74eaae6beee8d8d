// Fetch sessions (KIP-227) as a consumer sees them: what is told, what is left out, what is refused.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ERROR } from '../../../src/protocol/errors.ts';
import { labelled, labels } from '../../support/batches.ts';
import { asked, describeFetch, filled, MIB } from '../../support/fetch-place.ts';
import { isForeign } from '../../support/target.ts';

describeFetch('sessions', (place) => {
  it('answers only for partitions with something new', async () => {
    const topic = place.newTopic('session');
    await place.producer.createTopic(topic, 3);
    await place.producer.produce(topic, 0, labelled('s', 0, 1));
    const full = await place.consumer.fetch({ sessionId: 0, sessionEpoch: 0, topics: asked(topic, [0, 1, 2]) });
    const { sessionId } = full;
    expect(sessionId).toBeGreaterThan(0);
    expect(full.partitions).toHaveLength(3);
    expect(filled(full)).toEqual([0]);
    // Partition 0 goes on at 1: nothing new anywhere.
    const quiet = await place.consumer.fetch({ maxWaitMs: 50, sessionId, sessionEpoch: 1, topics: asked(topic, [0], 1) });
    expect(quiet).toMatchObject({ errorCode: 0, sessionId, partitions: [] });
    await place.producer.produce(topic, 2, labelled('s', 1, 1));
    const news = await place.consumer.fetch({ maxWaitMs: 5000, sessionId, sessionEpoch: 2 });
    expect(news).toMatchObject({ errorCode: 0, sessionId });
    expect(news.partitions.map((each) => each.partitionIndex)).toEqual([2]);
    expect(labels(news.partitions[0]?.records ?? [])).toEqual(['s/1']);
    // A partition that is forgotten is not served, and one that is added is.
    const other = place.newTopic('session-added');
    await place.producer.createTopic(other);
    await place.producer.produce(other, 0, labelled('added', 0, 1));
    const changed = await place.consumer.fetch({
      maxWaitMs: 100,
      sessionId,
      sessionEpoch: 3,
      topics: asked(other, [0]),
      forgottenTopicsData: [{ topic, partitions: [2] }],
    });
    expect(changed.partitions.map((each) => each.topic)).toEqual([other]);
    await place.producer.produce(topic, 2, labelled('s', 2, 1));
    const forgotten = await place.consumer.fetch({ maxWaitMs: 100, sessionId, sessionEpoch: 4, topics: asked(other, [0], 1) });
    expect(forgotten.partitions).toEqual([]);
    // Closed, it is unknown.
    const closed = await place.consumer.fetch({ maxWaitMs: 0, sessionId, sessionEpoch: -1, topics: asked(topic, [0]) });
    expect(closed).toMatchObject({ errorCode: 0, sessionId: 0 });
    expect(filled(closed)).toEqual([0]);
    expect((await place.consumer.fetch({ sessionId, sessionEpoch: 5 })).errorCode).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
  });

  it('wakes a parked incremental fetch', async () => {
    const topic = place.newTopic('session-park');
    await place.producer.createTopic(topic, 4);
    const { sessionId } = await place.consumer.fetch({ sessionId: 0, sessionEpoch: 0, topics: asked(topic, [0, 1, 2, 3]) });
    for (let epoch = 1; epoch <= 4; epoch++) {
      // The partition that gave a record last goes on behind it.
      const topics = epoch === 1 ? [] : asked(topic, [epoch - 2], 1);
      const id = place.consumer.sendFetch({ maxWaitMs: 20_000, sessionId, sessionEpoch: epoch, topics });
      await delay(20);
      await place.producer.produce(topic, epoch - 1, labelled('park', epoch, 1));
      const fetched = await place.consumer.receiveFetched(id);
      expect(fetched.partitions.map((each) => each.partitionIndex)).toEqual([epoch - 1]);
      expect(labels(fetched.partitions[0]?.records ?? [])).toEqual([`park/${epoch}`]);
    }
  });

  it('refuses a wrong epoch and an unknown id', async () => {
    const topic = place.newTopic('session-epoch');
    await place.producer.createTopic(topic);
    const { sessionId } = await place.consumer.fetch({ sessionId: 0, sessionEpoch: 0, topics: asked(topic, [0]) });
    expect(await place.consumer.fetch({ sessionId, sessionEpoch: 5 })).toMatchObject({
      errorCode: ERROR.INVALID_FETCH_SESSION_EPOCH,
      partitions: [],
    });
    expect(await place.consumer.fetch({ maxWaitMs: 0, sessionId, sessionEpoch: 1 })).toMatchObject({ errorCode: 0, sessionId });
    expect(await place.consumer.fetch({ maxWaitMs: 0, sessionId, sessionEpoch: 1 })).toMatchObject({
      errorCode: ERROR.INVALID_FETCH_SESSION_EPOCH,
    });
    const unknown = sessionId === 12345 ? 12346 : 12345;
    expect(await place.consumer.fetch({ sessionId: unknown, sessionEpoch: 1 })).toMatchObject({
      errorCode: ERROR.FETCH_SESSION_ID_NOT_FOUND,
      partitions: [],
    });
  });

  it('keeps names and ids apart', async () => {
    const topic = place.newTopic('session-ids');
    const topicId = await place.producer.createTopic(topic);
    await place.producer.produce(topic, 0, labelled('ids', 0, 1));
    const byId = [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MIB }] }];
    const full = await place.consumer.fetch({ sessionId: 0, sessionEpoch: 0, topics: byId }, 13);
    expect(full.partitions).toMatchObject([{ topicId, errorCode: 0 }]);
    const wrong = await place.consumer.fetch({ sessionId: full.sessionId, sessionEpoch: 1 }, 12);
    expect(wrong.errorCode).toBe(ERROR.FETCH_SESSION_TOPIC_ID_ERROR);
  });

  it('tells a session that its topic is gone, and serves it when it is there', async () => {
    const topic = place.newTopic('session-late');
    const first = await place.consumer.fetch({ sessionId: 0, sessionEpoch: 0, topics: asked(topic, [0]) });
    const { sessionId } = first;
    expect(first.partitions).toMatchObject([{ topic, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }]);
    await place.producer.createTopic(topic);
    await place.producer.produce(topic, 0, labelled('late', 0, 1));
    const there = await place.consumer.fetch({ maxWaitMs: 5000, sessionId, sessionEpoch: 1 });
    expect(labels(there.partitions[0]?.records ?? [])).toEqual(['late/0']);
    await place.producer.deleteTopic(topic);
    let gone = await place.consumer.fetch({ maxWaitMs: 100, sessionId, sessionEpoch: 2 });
    for (let epoch = 3; isForeign && gone.partitions[0]?.errorCode === 0 && epoch < 50; epoch++) {
      gone = await place.consumer.fetch({ maxWaitMs: 100, sessionId, sessionEpoch: epoch });
    }
    expect(gone.partitions).toMatchObject([{ errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }]);
  });
});
