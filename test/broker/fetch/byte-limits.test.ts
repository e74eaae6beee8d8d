// What a Fetch gives: byte limits, whole batches, offsets, segment rolls.
import { expect, it } from 'vitest';
import { ERROR } from '../../../src/protocol/errors.ts';
import { labelled, labels, range } from '../../support/batches.ts';
import { asked, describeFetch, filled, MIB } from '../../support/fetch-place.ts';
import { foreignReason, isForeign } from '../../support/target.ts';

describeFetch('limits', (place) => {
  const batchBytes = 1000;
  async function twoPartitions(label: string): Promise<string> {
    const topic = place.newTopic(label);
    await place.producer.createTopic(topic, 2);
    for (const partition of [0, 1]) {
      for (let i = 0; i < 10; i++)
        await place.producer.produce(topic, partition, labelled(`${partition}`, i, 1, { valueBytes: batchBytes }));
    }
    return topic;
  }

  it('gives the first batch whole, however small the limits are', async () => {
    const topic = await twoPartitions('whole');
    for (const maxBytes of [0, 1, 500]) {
      const fetched = await place.consumer.fetch({ maxBytes, topics: asked(topic, [0, 1]) });
      expect(fetched.partitions).toHaveLength(2);
      expect(labels(fetched.partitions[0]?.records ?? [])).toEqual(['0/0']);
      expect(fetched.partitions[1]).toMatchObject({ errorCode: 0, highWatermark: 10, records: [] });
    }
    const byPartition = await place.consumer.fetch({ maxBytes: MIB, topics: asked(topic, [0, 1], 0, 10) });
    expect(labels(byPartition.partitions[0]?.records ?? [])).toEqual(['0/0']);
    expect(byPartition.partitions[1]?.records).toEqual([]);
  });

  it('stays within the limits otherwise', async () => {
    const topic = await twoPartitions('within');
    const perPartition = await place.consumer.fetch({ maxBytes: MIB, topics: asked(topic, [0, 1], 0, 4000) });
    for (const partition of perPartition.partitions) {
      expect(partition.batches.length).toBeLessThanOrEqual(4000);
      expect(partition.records.length).toBe(3);
    }
    const inAll = await place.consumer.fetch({ maxBytes: 14_000, topics: asked(topic, [0, 1]) });
    const sizes = inAll.partitions.map((partition) => partition.batches.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(14_000);
    expect(inAll.partitions[0]?.records).toHaveLength(10);
    expect(inAll.partitions[1]?.records.length).toBeGreaterThan(0);
  });

  it('stays within the limits at the tail, too, where the worker need not ask the owner', async () => {
    const topic = place.newTopic('within-tail');
    await place.producer.createTopic(topic);
    for (let offset = 0; offset < 3; offset++) {
      await place.producer.produce(topic, 0, labelled('t', offset, 1, { valueBytes: 1000 }));
      expect((await place.consumer.fetchFrom(topic, 0, offset)).records).toHaveLength(1);
    }
    for (let offset = 3; offset < 13; offset++) await place.producer.produce(topic, 0, labelled('t', offset, 1, { valueBytes: 1000 }));
    expect((await place.consumer.fetchFrom(topic, 0, 3, 4000)).records).toHaveLength(3);
    const inAll = await place.consumer.fetch({ maxBytes: 4000, topics: asked(topic, [0], 3) });
    expect(inAll.partitions[0]?.records).toHaveLength(3);
    expect((await place.consumer.fetchFrom(topic, 0, 3)).records).toHaveLength(10);
  });

  it('carries 8 MiB in one answer at most, whatever is asked for', async (context) => {
    context.skip(isForeign, foreignReason);
    const topic = place.newTopic('cap');
    await place.producer.createTopic(topic);
    for (let offset = 0; offset < 10; offset++) {
      await place.producer.produce(topic, 0, labelled('cap', offset, 1, { valueBytes: MIB - 200 }));
    }
    const fetched = await place.consumer.fetch({ maxBytes: 50 * MIB, topics: asked(topic, [0], 0, 50 * MIB) });
    expect(fetched.partitions[0]?.batches.length).toBeLessThanOrEqual(8 * MIB);
    expect(labels(fetched.partitions[0]?.records ?? [])).toEqual(range('cap', 0, 8));
  });

  it('gives a batch of nearly the largest size', async () => {
    const topic = place.newTopic('large');
    await place.producer.createTopic(topic);
    await place.producer.produce(topic, 0, labelled('large', 0, 1, { valueBytes: MIB - 200 }));
    const fetched = await place.consumer.fetchFrom(topic, 0, 0, 1000);
    expect(fetched.batches.length).toBeGreaterThan(MIB - 200);
    expect(fetched.records[0]?.value?.length).toBe(MIB - 200);
  });

  it('does not starve a partition behind full ones, in a session', async () => {
    const topic = await twoPartitions('starve');
    const first = await place.consumer.fetch({ maxBytes: 1, sessionId: 0, sessionEpoch: 0, topics: asked(topic, [0, 1]) });
    expect(filled(first)).toEqual([0]);
    const { sessionId } = first;
    const second = await place.consumer.fetch({ maxBytes: 1, sessionId, sessionEpoch: 1, topics: asked(topic, [0], 1) });
    const third = await place.consumer.fetch({ maxBytes: 1, sessionId, sessionEpoch: 2 });
    expect([...filled(second), ...filled(third)].sort()).toEqual([0, 1]);
  });

  it('gives the whole batch that an offset lies in', async () => {
    const topic = place.newTopic('middle');
    await place.producer.createTopic(topic);
    for (let i = 0; i < 3; i++) await place.producer.produce(topic, 0, labelled('m', i * 10, 10));
    for (const offset of [10, 14, 19]) {
      const { records } = await place.consumer.fetchFrom(topic, 0, offset);
      expect(records[0]?.offset).toBe(10);
      expect(labels(records)).toEqual(range('m', 10, 20));
    }
  });

  it('is OFFSET_OUT_OF_RANGE outside of the log, and empty at its end', async () => {
    const topic = place.newTopic('range');
    await place.producer.createTopic(topic);
    await place.producer.produce(topic, 0, labelled('r', 0, 5));
    expect(await place.consumer.fetchFrom(topic, 0, 5)).toMatchObject({ errorCode: 0, highWatermark: 5, records: [] });
    for (const offset of [6, 1000, 2 ** 52, -1, -(2 ** 40)]) {
      expect((await place.consumer.fetchFrom(topic, 0, offset)).errorCode, `${offset}`).toBe(ERROR.OFFSET_OUT_OF_RANGE);
    }
  });

  it('reads over segment rolls without a gap', async () => {
    const topic = place.newTopic('rolls');
    await place.producer.createTopic(topic, 1, { 'segment.bytes': String(MIB) });
    const perBatch = 20;
    const batchCount = 60;
    for (let i = 0; i < batchCount; i++)
      await place.producer.produce(topic, 0, labelled('roll', i * perBatch, perBatch, { valueBytes: 5000 }));
    expect(labels(await place.consumer.readAll(topic))).toEqual(range('roll', 0, perBatch * batchCount));
    const seen: string[] = [];
    for (let offset = 0; offset < perBatch * batchCount; ) {
      const { records } = await place.consumer.fetchFrom(topic, 0, offset, 150_000);
      expect(records.length).toBeGreaterThan(0);
      seen.push(...labels(records.filter((record) => record.offset >= offset)));
      offset = (records.at(-1)?.offset ?? 0) + 1;
    }
    expect(seen).toEqual(range('roll', 0, perBatch * batchCount));
  });
});
