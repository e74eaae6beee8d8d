// Where the tests of Fetch ask: a broker with two clients, the same for all tests of a file, at each number of workers.
// With NARU_TEST_BOOTSTRAP=host:port the same questions go to another broker; what needs a restart is skipped there.
import { afterAll, beforeAll, describe } from 'vitest';
import { Target, workerCounts } from './target.ts';
import { type Fetched, WireClient } from './wire-client.ts';

export const MIB = 1 << 20;
/** A wait that no test outlives: a fetch that nobody wakes fails by the test's own limit, on a machine however slow. */
export const FOREVER_MS = 600_000;

export class FetchPlace {
  readonly workers: number;
  readonly #label: string;
  #topicCount = 0;
  #target: Target | undefined;
  #consumer: WireClient | undefined;
  #producer: WireClient | undefined;

  constructor(workers: number, label: string) {
    this.workers = workers;
    this.#label = label;
  }

  async open(): Promise<void> {
    this.#target = await Target.open(this.workers);
    this.#consumer = await WireClient.connect(this.port);
    this.#producer = await WireClient.connect(this.port);
  }

  async close(): Promise<void> {
    this.#consumer?.close();
    this.#producer?.close();
    await this.#target?.close();
  }

  get port(): number {
    return there(this.#target).port;
  }

  get consumer(): WireClient {
    return there(this.#consumer);
  }

  get producer(): WireClient {
    return there(this.#producer);
  }

  /** Where the broker keeps its logs. */
  get directory(): string {
    return there(this.#target).broker.directory;
  }

  newTopic(label: string): string {
    return `fetch-${this.#label}-${label}-${process.pid}-${this.workers}-${++this.#topicCount}`;
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing is open yet');
  return value;
}

/** Declares `tests` at 0, 1 and 2 workers. `label` keeps the topics of files apart, where these ask the same broker. */
export function describeFetch(label: string, tests: (place: FetchPlace) => void): void {
  describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
    const place = new FetchPlace(workers, label);
    beforeAll(() => place.open());
    afterAll(() => place.close());
    tests(place);
  });
}

/** All partitions of a topic from `offset`, by name. */
export function asked(topic: string, partitions: readonly number[], offset = 0, partitionMaxBytes = MIB) {
  return [{ topic, partitions: partitions.map((partition) => ({ partition, fetchOffset: offset, partitionMaxBytes })) }];
}

/** The partitions that gave something. */
export function filled(fetched: Fetched): number[] {
  return fetched.partitions.filter((partition) => partition.batches.length > 0).map((partition) => partition.partitionIndex);
}
