// A producer that goes on while its broker is killed and started again: several batches on their way, on one connection, one batch
// for each of its partitions in every request. An idempotent one sends what was not answered again, with the same sequences; the
// other gives it up and goes on. It notes what was acknowledged, and where.
import { setTimeout as delay } from 'node:timers/promises';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled } from './batches.ts';
import { WireClient } from './wire-client.ts';

const WINDOW = 4;
const RECONNECT_MS = 15;

export interface Acknowledged {
  readonly partition: number;
  readonly baseOffset: number;
  readonly first: number;
  readonly count: number;
}

interface Sent {
  readonly first: number;
  readonly count: number;
  readonly batches: Map<number, Uint8Array>;
  isResent: boolean;
}

export interface LoadProducerOptions {
  readonly topic: string;
  readonly partitions: readonly number[];
  /** Records of partition p are `<label>-p/<counter>`. */
  readonly label: string;
  /** Null: not idempotent. */
  readonly producer: { readonly producerId: number; readonly producerEpoch: number } | null;
  readonly random: () => number;
}

export class LoadProducer {
  readonly acknowledged: Acknowledged[] = [];
  /** Where the broker is at this moment. */
  port: number;
  /** Counter of the next record; the same in all partitions. */
  next = 0;
  readonly #options: LoadProducerOptions;
  readonly #finished: Promise<void>;
  #unanswered: Sent[] = [];
  #isStopping = false;
  #hasFailed: unknown = null;

  constructor(port: number, options: LoadProducerOptions) {
    this.port = port;
    this.#options = options;
    this.#finished = this.#run().catch((error: unknown) => {
      this.#hasFailed = error;
    });
  }

  /** Ends when everything that it holds is acknowledged (or given up). Throws where an answer was an error. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#finished;
    if (this.#hasFailed !== null) throw this.#hasFailed;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping || this.#unanswered.length > 0) {
      const client = await WireClient.connect(this.port).catch(() => null);
      if (client === null) await delay(RECONNECT_MS);
      else await this.#serve(client);
    }
  }

  /** Until the connection is lost, or all is said. */
  async #serve(client: WireClient): Promise<void> {
    if (this.#options.producer === null) this.#unanswered = [];
    const onWay: { id: number; sent: Sent }[] = [];
    const send = (sent: Sent): void => {
      onWay.push({ id: client.sendProduce(this.#options.topic, sent.batches), sent });
    };
    for (const sent of this.#unanswered) {
      sent.isResent = true;
      send(sent);
    }
    for (;;) {
      while (!this.#isStopping && onWay.length < WINDOW) {
        const sent = this.#build();
        this.#unanswered.push(sent);
        send(sent);
      }
      const [oldest] = onWay;
      if (oldest === undefined) break;
      const answers = await client.receiveProduced(oldest.id).catch((error: unknown) => {
        if (!client.raw.socket.destroyed) throw error;
        return null;
      });
      if (answers === null) return;
      onWay.shift();
      this.#unanswered.shift();
      const { first, count, isResent } = oldest.sent;
      for (const { index, errorCode, errorMessage, baseOffset } of answers) {
        // A restart keeps one batch of a producer for each partition (Kafka's snapshots hold no more): an older one that comes again
        // is refused without its offset. That it is there is seen when all is read.
        if (isResent && errorCode === ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER) continue;
        if (errorCode !== 0) throw new Error(`${this.#options.label}-${index}/${first}+${count}: ${errorCode} ${errorMessage}`);
        this.acknowledged.push({ partition: index, baseOffset, first, count });
      }
      await delay(Math.floor(this.#options.random() * 4));
    }
    client.close();
  }

  #build(): Sent {
    const { partitions, label, producer, random } = this.#options;
    const first = this.next;
    const count = 1 + Math.floor(random() * 30);
    const valueBytes = Math.floor(random() * 800);
    this.next += count;
    const identity = producer === null ? {} : { ...producer, baseSequence: first };
    const batches = new Map(
      partitions.map((partition) => [partition, labelled(`${label}-${partition}`, first, count, { ...identity, valueBytes })]),
    );
    return { first, count, batches, isResent: false };
  }
}
