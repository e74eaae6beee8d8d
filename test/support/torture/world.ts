// What the clients of a torture run share: the broker's address, the topics as they live now, the randomness, the first failure.
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../src/base/random.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { WireClient } from '../wire-client.ts';
import { TopicLife } from './ledger.ts';

/** The least that Apache Kafka 4 allows: a roll every few hundred batches. */
const SEGMENT_BYTES = 1 << 20;
const RECONNECT_MS = 20;

export class World {
  readonly port: number;
  readonly partitionCount: number;
  readonly counts = {
    produced: 0,
    fetched: 0,
    records: 0,
    slowBytes: 0,
    vanished: 0,
    deletions: 0,
    reconnects: 0,
    trims: 0,
    outOfRange: 0,
  };
  failure: Error | null = null;
  isOver = false;
  readonly #seed: number;
  readonly #topics = new Map<string, TopicLife>();
  readonly #idempotent: boolean[] = [];
  #actors = 0;

  constructor(port: number, seed: number, partitionCount: number) {
    this.port = port;
    this.#seed = seed;
    this.partitionCount = partitionCount;
  }

  /** Randomness of its own for each client. */
  random(): Random {
    return seededRandom(this.#seed * 1000 + ++this.#actors);
  }

  /** A number for a producer that has sent nothing. */
  newProducer(isIdempotent: boolean): number {
    return this.#idempotent.push(isIdempotent) - 1;
  }

  topic(name: string): TopicLife {
    const life = this.#topics.get(name);
    if (life === undefined) throw new Error(`no topic ${name}`);
    return life;
  }

  get topics(): TopicLife[] {
    return [...this.#topics.values()];
  }

  /** `isTrimmed`: retention keeps little of it. */
  async create(client: WireClient, name: string, isTrimmed = false): Promise<void> {
    const retention = isTrimmed ? { 'retention.bytes': String(2 * SEGMENT_BYTES) } : {};
    const topicId = await client.createTopic(name, this.partitionCount, { 'segment.bytes': String(SEGMENT_BYTES), ...retention });
    this.#topics.set(name, new TopicLife(name, topicId, this.partitionCount, isTrimmed, (producer) => this.#idempotent[producer] ?? false));
  }

  /** A connection, however long it takes; null when it is over. */
  async connect(): Promise<WireClient | null> {
    while (!this.isOver) {
      const client = await WireClient.connect(this.port).catch(() => null);
      if (client !== null) return client;
      await delay(RECONNECT_MS);
    }
    return null;
  }

  /** Runs `client` until it is over. An error that it throws is the failure of the run, unless its connection was lost. */
  async run(name: string, client: () => Promise<void>): Promise<void> {
    while (!this.isOver) {
      try {
        await client();
        await delay(1); // It may have ended at once: its topic is on its way out.
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (failure.message.includes('the connection was closed')) {
          this.counts.reconnects++;
          await delay(RECONNECT_MS);
          continue;
        }
        this.failure ??= new Error(`${name}: ${failure.message}`, { cause: failure });
        this.isOver = true;
      }
    }
  }
}
