// A broker with its HTTP port open: what it counts, as its operators see it.
import { setTimeout as delay } from 'node:timers/promises';
import { BrokerProcess, type BrokerProcessOptions, freePort } from './broker-process.ts';
import { type Family, parseMetrics } from './metrics-text.ts';

export class Operated {
  readonly broker: BrokerProcess;
  readonly #httpPort: number;

  private constructor(broker: BrokerProcess, httpPort: number) {
    this.broker = broker;
    this.#httpPort = httpPort;
  }

  static async start(options: BrokerProcessOptions): Promise<Operated> {
    const httpPort = await freePort();
    const overrides = { 'naru.http.listener': `http://127.0.0.1:${httpPort}`, ...options.overrides };
    return new Operated(await BrokerProcess.start({ ...options, overrides }), httpPort);
  }

  async scrape(): Promise<Map<string, Family>> {
    return parseMetrics(await (await fetch(`http://127.0.0.1:${this.#httpPort}/metrics`)).text());
  }

  /** The page once it `isSo`; the test's own time limit is the limit. */
  async untilScraped(isSo: (page: Map<string, Family>) => boolean): Promise<Map<string, Family>> {
    for (;;) {
      const page = await this.scrape();
      if (isSo(page)) return page;
      await delay(20);
    }
  }
}
