// The broker that the clients meet: one of ours, started for each test file and number of workers (NARU_INTEROP_WORKERS, by default 1),
// or with NARU_TEST_BOOTSTRAP=host:port another one (Apache Kafka), to check the tests themselves.
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { BrokerProcess } from '../support/broker-process.ts';
import type { Tool } from './toolchains.ts';

const STOP_WITHIN_MS = 20_000;

export class Subject {
  readonly workers: number;
  /** Whether it is ours; another broker may serve what ours does not serve yet. */
  readonly isNaru: boolean;
  #broker: BrokerProcess | null = null;
  #overrides: Readonly<Record<string, string>> = {};
  #topicCount = 0;

  constructor(workers: number, isNaru: boolean) {
    this.workers = workers;
    this.isNaru = isNaru;
  }

  get address(): string {
    return this.#broker?.address ?? process.env.NARU_TEST_BOOTSTRAP ?? '';
  }

  /** The data directory of a broker of ours. */
  get directory(): string {
    if (this.#broker === null) throw new Error('not a broker of ours');
    return this.#broker.directory;
  }

  /** A name that nobody else uses, not even an earlier run against the same broker. */
  newTopic(label: string): string {
    return `${label}-${process.pid}-${this.workers}-${++this.#topicCount}`;
  }

  async start(overrides: Readonly<Record<string, string>>): Promise<void> {
    this.#overrides = overrides;
    if (this.isNaru) this.#broker = await BrokerProcess.start({ workers: this.workers, overrides });
  }

  /** Ends it by the signal, whatever it makes of it, and starts another on the same data. */
  async restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { directory } = this;
    await this.#broker?.stop(signal);
    this.#broker = await BrokerProcess.start({ workers: this.workers, overrides: this.#overrides, directory });
  }

  /** Stops it as a user would; a broker that ends otherwise than cleanly, or complains of itself, fails the test file. */
  async stop(): Promise<void> {
    const broker = this.#broker;
    if (broker === null || broker.child.exitCode !== null) return;
    const timer = setTimeout(() => broker.child.kill('SIGKILL'), STOP_WITHIN_MS);
    const exit = await broker.stop();
    clearTimeout(timer);
    expect(exit, broker.output).toEqual({ code: 0, signal: null });
    expect(broker.output).not.toMatch(/AssertionError|TypeError|RangeError|unhandled/i);
  }

  async dispose(): Promise<void> {
    await this.#broker?.dispose();
  }
}

export interface SubjectNeeds {
  /** What all the tests need; they are skipped where it is absent. */
  readonly tool?: () => Promise<Tool>;
  readonly overrides?: Readonly<Record<string, string>>;
  /** The tests look into the data directory, which another broker does not show. */
  readonly isNaruOnly?: boolean;
}

/** Defines the same tests for each broker; `program` gives the path of the needed tool. */
export function describeSubjects(title: string, needs: SubjectNeeds, define: (subject: Subject, program: () => string) => void): void {
  const counts = process.env.NARU_TEST_BOOTSTRAP === undefined ? workerCounts() : [0];
  for (const workers of counts) {
    const isNaru = process.env.NARU_TEST_BOOTSTRAP === undefined;
    describe(`${title}, ${isNaru ? `${workers} workers` : 'another broker'}`, () => {
      const subject = new Subject(workers, isNaru);
      let tool: Tool = { program: '', missing: null };
      beforeAll(async () => {
        if (needs.isNaruOnly === true && !isNaru) tool = { program: null, missing: 'needs the data directory of a broker of ours' };
        else if (needs.tool !== undefined) tool = await needs.tool();
        if (tool.missing === null) await subject.start(needs.overrides ?? {});
      }, 600_000);
      beforeEach((context) => context.skip(tool.missing !== null, tool.missing ?? ''));
      afterAll(async () => {
        try {
          await subject.stop();
        } finally {
          await subject.dispose();
        }
      });
      define(subject, () => tool.program ?? '');
    });
  }
}

function workerCounts(): number[] {
  return (process.env.NARU_INTEROP_WORKERS ?? '1').split(',').map(Number);
}
