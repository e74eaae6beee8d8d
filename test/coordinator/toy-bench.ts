// Toy workers in the caller's thread (0) or in threads, and questions to them that may be waited for.
import { extname } from 'node:path';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import type { Storage } from '../../src/log/storage.ts';
import { API } from '../../src/protocol/api-keys.ts';
import { apis } from '../../src/protocol/apis/index.ts';
import { startWorkers } from '../../src/scheduler/supervisor.ts';
import { startLocal, type Workers } from '../../src/scheduler/worker-runtime.ts';
import { message } from '../support/messages.ts';
import {
  questionBody,
  type ToyAnswer,
  type ToyApp,
  type ToyCommand,
  type ToyData,
  type ToyQuestion,
  toyApp,
  toySharedBytes,
} from './toy-app.ts';

export interface BenchOptions extends Partial<ToyData> {
  readonly threads?: number;
  /** In the caller's thread only. */
  readonly storage?: Storage;
  readonly ringCapacityBytes?: number;
}

export interface Answered {
  readonly errorCode: number;
  readonly [field: string]: unknown;
}

const VERSION = 3;

export class ToyBench {
  readonly workers: Workers;
  /** Of the caller's thread; null with threads. */
  readonly app: ToyApp | null;
  /** Ids in the order in which their answers came. */
  readonly order: readonly number[];
  readonly failures: readonly Error[];
  readonly #answers: Map<number, (answer: ToyAnswer) => void>;
  #lastId = 0;

  private constructor(
    workers: Workers,
    app: ToyApp | null,
    heard: { answers: Map<number, (answer: ToyAnswer) => void>; order: number[]; failures: Error[] },
  ) {
    this.workers = workers;
    this.app = app;
    this.#answers = heard.answers;
    this.order = heard.order;
    this.failures = heard.failures;
  }

  static async start({ threads = 0, storage, ringCapacityBytes, partitionCount = 4, ...more }: BenchOptions = {}): Promise<ToyBench> {
    const answers = new Map<number, (answer: ToyAnswer) => void>();
    const order: number[] = [];
    const failures: Error[] = [];
    const listener = {
      onMessage(_worker: number, told: unknown): void {
        const answer = told as ToyAnswer;
        order.push(answer.id);
        const hear = answers.get(answer.id);
        if (hear === undefined) throw new Error(`answer ${answer.id} came twice, or to nobody`);
        answers.delete(answer.id);
        hear(answer);
      },
      onFailed: (error: Error): void => void failures.push(error),
    };
    const data: ToyData = { partitionCount, ...more };
    const rings = ringCapacityBytes === undefined ? {} : { ringCapacityBytes };
    let app: ToyApp | null = null;
    const workers =
      threads === 0
        ? await startLocal<ToyData>({
            data,
            listener,
            sharedBytes: toySharedBytes(1),
            arenaBytes: 2 ** 20,
            storage: storage ?? new MemoryStorage(),
            ...rings,
            factory(runtime, given, supervisor) {
              app = toyApp(runtime, given, supervisor);
              return app;
            },
          })
        : await startWorkers<ToyData>({
            data,
            listener,
            count: threads,
            entry: new URL(`./toy-worker${extname(import.meta.filename)}`, import.meta.url),
            sharedBytes: toySharedBytes(threads),
            ...rings,
          });
    const bench = new ToyBench(workers, app, { answers, order, failures });
    if (threads === 0) await until(() => bench.local.shards.size === partitionCount);
    return bench;
  }

  stop(): Promise<void> {
    return this.workers.stop();
  }

  get local(): ToyApp {
    if (this.app === null) throw new Error('the workers are threads');
    return this.app;
  }

  /** Asks all at once, of one worker; the answers in the order of the questions. */
  ask(worker: number, questions: readonly (Omit<ToyQuestion, 'id' | 'apiVersion'> & { apiVersion?: number })[]): Promise<ToyAnswer>[] {
    const numbered = questions.map((question) => ({ apiVersion: VERSION, ...question, id: ++this.#lastId }));
    const answers = numbered.map(({ id }) => new Promise<ToyAnswer>((hear) => this.#answers.set(id, hear)));
    this.workers.send(worker, { type: 'ask', questions: numbered } satisfies ToyCommand);
    return answers;
  }

  apply(worker: number, endOffset: number): void {
    this.workers.send(worker, { type: 'apply', endOffset } satisfies ToyCommand);
  }

  keep(partition: number, key: string, value: string, worker = 0): Promise<Answered> {
    return this.#one(worker, partition, API.SyncGroup, { groupId: key, assignments: [{ assignment: Buffer.from(value) }] });
  }

  has(partition: number, key: string, worker = 0): Promise<Answered> {
    return this.#one(worker, partition, API.Heartbeat, { groupId: key });
  }

  wait(partition: number, key: string, timeoutMs = 0, worker = 0): Promise<Answered> {
    return this.#one(worker, partition, API.JoinGroup, { groupId: key, sessionTimeoutMs: timeoutMs });
  }

  leave(partition: number, key: string, worker = 0): Promise<Answered> {
    return this.#one(worker, partition, API.LeaveGroup, { groupId: key });
  }

  async #one(worker: number, partition: number, apiKey: number, partial: object): Promise<Answered> {
    const [answer] = this.ask(worker, [{ partition, apiKey, body: bodyOf(apiKey, partial) }]);
    return (await answer)?.body as Answered;
  }
}

export function bodyOf(apiKey: number, partial: object): Uint8Array {
  const request = apis.get(apiKey)?.request;
  if (request === undefined) throw new Error(`no API ${apiKey}`);
  return questionBody(apiKey, VERSION, message(request, partial as never));
}

/** Until the condition holds; the test's own limit ends a vain wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
