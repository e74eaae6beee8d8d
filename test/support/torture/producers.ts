// Producers of a torture run: several requests on their way, connections that vanish in between. An idempotent one sends again what was not
// answered, with the same sequences; any other gives it up.
import { setTimeout as delay } from 'node:timers/promises';
import { produceRequest, produceResponse } from '../../../src/protocol/apis/produce.ts';
import { BatchBuilder } from '../../../src/protocol/records/batch-builder.ts';
import type { WireClient } from '../wire-client.ts';
import { valueFor } from './identity.ts';
import type { TopicLife } from './ledger.ts';
import type { World } from './world.ts';

const PRODUCE_VERSION = 13; // By topic id: a record never lands in a later life of its topic.
/** At most as many as the broker remembers of a producer, so that each that comes again is recognized. */
const WINDOW = 4;

interface Sent {
  readonly first: number;
  readonly count: number;
  readonly batch: Uint8Array;
}

export function sendBatch(client: WireClient, { topicId }: TopicLife, partition: number, batch: Uint8Array): number {
  return client.send(produceRequest, PRODUCE_VERSION, {
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ topicId, partitionData: [{ index: partition, records: batch }] }],
  });
}

/** One producer of one partition of `topicName`, from one life of the topic to the next, until the run is over. */
export async function runProducer(world: World, topicName: string, partition: number, isIdempotent: boolean): Promise<void> {
  const random = world.random();
  while (!world.isOver) {
    const life = world.topic(topicName);
    const producer = world.newProducer(isIdempotent);
    let next = 0;
    let identity: { producerId: number; producerEpoch: number } | null = null;
    let unanswered: Sent[] = [];
    const build = (): Sent => {
      const count = 1 + random.below(random.below(8) === 0 ? 40 : 6);
      const builder = new BatchBuilder(identity === null ? {} : { ...identity, baseSequence: next });
      const isLarge = random.below(60) === 0;
      for (let i = 0; i < count; i++) {
        const fillerBytes = isLarge ? random.below(20_000) : random.below(400);
        const value = valueFor({ topicId: life.topicId, partition, producer, sequence: next + i }, fillerBytes);
        builder.append({ value, timestampMs: Date.now() });
      }
      const sent = { first: next, count, batch: builder.build() };
      next += count;
      return sent;
    };
    const serve = async (client: WireClient): Promise<void> => {
      if (isIdempotent) identity ??= await client.producerId();
      else unanswered = [];
      const onWay = unanswered.map((sent) => ({ sent, id: sendBatch(client, life, partition, sent.batch) }));
      for (let left = 1 + random.below(400); ; left--) {
        while (!world.isOver && !life.isEnding && left > 0 && onWay.length < WINDOW) {
          const sent = build();
          unanswered.push(sent);
          onWay.push({ sent, id: sendBatch(client, life, partition, sent.batch) });
        }
        if (left <= 0 && random.below(2) === 0) return; // Vanishes with requests on their way.
        const oldest = onWay.shift();
        if (oldest === undefined) return;
        const { message } = await client.receive(oldest.id, produceResponse, PRODUCE_VERSION);
        const answer = message.responses[0]?.partitionResponses[0];
        if (answer === undefined) throw new Error('an empty answer to Produce');
        if (answer.errorCode !== 0 && life.isEnding) return;
        const { first, count } = oldest.sent;
        if (answer.errorCode !== 0) {
          throw new Error(
            `${life.name}-${partition}: ${first}+${count} of producer ${producer}: ${answer.errorCode} ${answer.errorMessage}`,
          );
        }
        unanswered.shift();
        life.acknowledge(partition, answer.baseOffset, producer, first, count);
        world.counts.produced++;
        await delay(random.below(10));
      }
    };
    while (!life.isEnding && (!world.isOver || (isIdempotent && unanswered.length > 0)) && world.failure === null) {
      const client = await world.connect();
      if (client === null) break;
      try {
        await serve(client);
      } catch (error) {
        if (!client.raw.socket.destroyed) throw error;
        world.counts.reconnects++;
      } finally {
        client.close();
      }
    }
    await delay(1);
  }
}
