// Fetches that wait: until their deadline, until there is enough, until something goes away.
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ERROR } from '../../../src/protocol/errors.ts';
import { labelled, labels, range } from '../../support/batches.ts';
import { asked, describeFetch, FOREVER_MS, filled, MIB } from '../../support/fetch-place.ts';
import { foreignReason, isForeign } from '../../support/target.ts';
import { type Fetched, WireClient } from '../../support/wire-client.ts';

describeFetch('waits', (place) => {
  it('answers an empty fetch at its deadline', async () => {
    const topic = place.newTopic('deadline');
    await place.producer.createTopic(topic, 4);
    for (const maxWaitMs of [0, 300]) {
      const started = performance.now();
      const fetched = await place.consumer.fetch({ maxWaitMs, topics: asked(topic, [0, 1, 2, 3]) });
      const elapsedMs = performance.now() - started;
      expect(fetched.partitions).toHaveLength(4);
      for (const partition of fetched.partitions) expect(partition).toMatchObject({ errorCode: 0, highWatermark: 0 });
      expect(elapsedMs).toBeGreaterThan(maxWaitMs - 5);
    }
  });

  it('answers a parked fetch as soon as any of its partitions has a record', async () => {
    const topic = place.newTopic('wake');
    await place.producer.createTopic(topic, 4);
    for (let round = 0; round < 8; round++) {
      const partition = round % 4;
      const offset = Math.floor(round / 4);
      const id = place.consumer.sendFetch({
        maxWaitMs: FOREVER_MS,
        topics: [
          {
            topic,
            partitions: [0, 1, 2, 3].map((each) => ({
              partition: each,
              fetchOffset: offset + (each < partition ? 1 : 0),
              partitionMaxBytes: MIB,
            })),
          },
        ],
      });
      await delay(30);
      await place.producer.produce(topic, partition, labelled('wake', round, 1));
      const fetched = await place.consumer.receiveFetched(id);
      expect(filled(fetched)).toEqual([partition]);
      expect(labels(fetched.partitions.flatMap((each) => each.records))).toEqual([`wake/${round}`]);
    }
  });

  it('wakes every consumer of a partition, and loses no record in a race between look and sleep', async () => {
    const topic = place.newTopic('race');
    await place.producer.createTopic(topic, 2);
    const consumers = await Promise.all(Array.from({ length: 6 }, () => WireClient.connect(place.port)));
    const total = 150;
    const readers = consumers.map(async (client, index) => {
      const seen: string[] = [];
      for (let offset = 0; offset < total; ) {
        const fetched = await client.fetchFrom(topic, index % 2, offset, MIB, FOREVER_MS);
        expect(fetched.errorCode).toBe(0);
        const news = fetched.records.filter((record) => record.offset >= offset);
        expect(news.length).toBeGreaterThan(0);
        seen.push(...labels(news));
        offset += news.length;
      }
      return seen;
    });
    for (let i = 0; i < total; i++) {
      const ids = [0, 1].map((partition) => place.producer.sendProduce(topic, new Map([[partition, labelled(`p${partition}`, i, 1)]])));
      for (const id of ids) await place.producer.receiveProduced(id);
      if (i % 10 === 0) await delay(3);
    }
    const all = await Promise.all(readers);
    all.forEach((seen, index) => {
      expect(seen).toEqual(range(`p${index % 2}`, 0, total));
    });
    for (const client of consumers) client.close();
  });

  it('waits for min bytes, over all partitions together', async () => {
    const topic = place.newTopic('min-bytes');
    await place.producer.createTopic(topic, 2);
    const id = place.consumer.sendFetch({ maxWaitMs: FOREVER_MS, minBytes: 3000, topics: asked(topic, [0, 1]) });
    let isAnswered = false;
    const answer = place.consumer.receiveFetched(id).then((fetched) => {
      isAnswered = true;
      return fetched;
    });
    await place.producer.produce(topic, 0, labelled('min', 0, 1, { valueBytes: 1000 }));
    await place.producer.produce(topic, 1, labelled('min', 1, 1, { valueBytes: 1000 }));
    await delay(100);
    expect(isAnswered).toBe(false);
    await place.producer.produce(topic, 0, labelled('min', 2, 1, { valueBytes: 1000 }));
    const fetched = await answer;
    expect(labels(fetched.partitions.flatMap((partition) => partition.records)).sort()).toEqual(range('min', 0, 3));
    // What there is comes at the deadline, although it is too little.
    const late = await place.consumer.fetch({ maxWaitMs: 200, minBytes: 1 << 20, topics: asked(topic, [0, 1]) });
    expect(filled(late).sort()).toEqual([0, 1]);
  });

  it('answers at once where an offset is out of range, and names the partitions that do not exist', async () => {
    const topic = place.newTopic('error');
    await place.producer.createTopic(topic, 2);
    const outOfRange = await place.consumer.fetch({ maxWaitMs: FOREVER_MS, topics: [...asked(topic, [0]), ...asked(topic, [1], 5)] });
    expect(outOfRange.partitions.map((each) => each.errorCode)).toEqual([ERROR.NONE, ERROR.OFFSET_OUT_OF_RANGE]);
    // Apache waits for the partitions that there are.
    const missing = await place.consumer.fetch({
      maxWaitMs: 200,
      topics: [...asked(topic, [0]), ...asked(`${topic}-missing`, [0]), ...asked(topic, [7])],
    });
    expect(missing.partitions.map((each) => [each.topic, each.partitionIndex, each.errorCode]).sort()).toEqual([
      [topic, 0, ERROR.NONE],
      [topic, 7, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      [`${topic}-missing`, 0, ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  it('ends the wait when one of its partitions goes away', async () => {
    const [stays, goes] = [place.newTopic('stays'), place.newTopic('goes')];
    await place.producer.createTopic(stays);
    const goesId = await place.producer.createTopic(goes);
    const staysId = (await place.producer.metadata(stays)).topics[0]?.topicId ?? '';
    const from = { partition: 0, fetchOffset: 0, partitionMaxBytes: MIB };
    const id = place.consumer.sendFetch({ maxWaitMs: FOREVER_MS, topics: [stays, goes].map((topic) => ({ topic, partitions: [from] })) });
    const leaver = await WireClient.connect(place.port);
    const idById = leaver.sendFetch(
      { maxWaitMs: FOREVER_MS, topics: [staysId, goesId].map((topicId) => ({ topicId, partitions: [from] })) },
      13,
    );
    await delay(100);
    await place.producer.deleteTopic(goes);
    const codes = (fetched: Fetched) => fetched.partitions.map((each) => each.errorCode);
    // By name it is gone. By id Apache names either its absence or its id, whichever it finds out first.
    expect(codes(await place.consumer.receiveFetched(id))).toEqual([ERROR.NONE, ERROR.UNKNOWN_TOPIC_OR_PARTITION]);
    const [kept, lost] = codes(await leaver.receiveFetched(idById, 13));
    expect(kept).toBe(ERROR.NONE);
    expect([ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.UNKNOWN_TOPIC_ID]).toContain(lost);
    leaver.close();
  });

  it('forgets a parked fetch whose connection is gone', async () => {
    const topic = place.newTopic('gone');
    await place.producer.createTopic(topic);
    const leaver = await WireClient.connect(place.port);
    leaver.sendFetch({ maxWaitMs: FOREVER_MS, topics: asked(topic, [0]) });
    await delay(50);
    leaver.close();
    await place.producer.produce(topic, 0, labelled('gone', 0, 1));
    expect(labels((await place.consumer.fetchFrom(topic, 0, 0)).records)).toEqual(['gone/0']);
  });

  it('forgets the fetches of a connection that one of them closes, when all of them are woken at once', async (context) => {
    context.skip(isForeign, foreignReason);
    const topic = place.newTopic('cut');
    await place.producer.createTopic(topic, 2);
    const victim = await WireClient.connect(place.port);
    for (const partition of [0, 1]) {
      await place.producer.produce(topic, partition, labelled('cut', 0, 1, { valueBytes: 1000 }));
      await victim.fetchFrom(topic, partition, 0); // From here on its worker knows where the next record begins.
    }
    await place.producer.produce(topic, 0, labelled('cut', 1, 1, { valueBytes: 1000 }));
    // One record of the two that they want is there.
    for (let i = 0; i < 2; i++) victim.sendFetch({ maxWaitMs: FOREVER_MS, minBytes: 2000, topics: asked(topic, [0, 1], 1) });
    await delay(100);
    truncateSync(join(place.directory, `${topic}-0`, '00000000000000000000.log'));
    await place.producer.produce(topic, 1, labelled('cut', 1, 1, { valueBytes: 1000 }));
    await victim.raw.closed;
    expect(labels((await place.consumer.fetchFrom(topic, 1, 0)).records)).toEqual(['cut/0', 'cut/1']);
  });
});
