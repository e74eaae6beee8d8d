// The broker that a test speaks to: a process of its own, or, with NARU_TEST_BOOTSTRAP=host:port, one that runs already (Apache
// Kafka), to check what the tests believe. What needs a process is skipped there.
import { BrokerProcess } from './broker-process.ts';

const bootstrap = process.env.NARU_TEST_BOOTSTRAP;
export const isForeign = bootstrap !== undefined;
export const foreignReason = 'the broker of NARU_TEST_BOOTSTRAP is not ours to start';

/** The worker counts to run at, or those of TEST_WORKERS (`0,1`); one run where the broker is another's. */
export function workerCounts(...counts: number[]): number[] {
  if (isForeign) return [-1];
  return process.env.TEST_WORKERS?.split(',').map(Number) ?? counts;
}

export class Target {
  readonly port: number;
  readonly process: BrokerProcess | null;

  private constructor(port: number, process: BrokerProcess | null) {
    this.port = port;
    this.process = process;
  }

  static async open(workers: number, overrides: Readonly<Record<string, string>> = {}, hasRetention = false): Promise<Target> {
    if (bootstrap !== undefined) return new Target(Number(bootstrap.split(':').at(-1)), null);
    const process = await BrokerProcess.start({ workers, overrides, hasRetention });
    return new Target(process.port, process);
  }

  get broker(): BrokerProcess {
    if (this.process === null) throw new Error(foreignReason);
    return this.process;
  }

  /** Stops the broker cleanly and removes what it left. Fails where it did not end with exit code 0. */
  async close(): Promise<void> {
    if (this.process === null) return;
    const exit = await this.process.stop();
    await this.process.dispose();
    if (exit.code !== 0) throw new Error(`the broker ended with ${exit.code ?? exit.signal}:\n${this.process.output}`);
  }
}
