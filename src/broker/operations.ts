// What an operator is told by HTTP: whether the broker lives, whether it serves, what it counts.
// Invariant: one round of questions to the workers at a time, however many ask for /metrics; each round ends after a second at the latest.
// Runs on: the main thread; loaded where naru.http.listener is set.
import { clearTimeout, setTimeout } from '../base/timers.ts';
import { SECOND_MS } from '../base/units.ts';
import type { HttpListener } from '../config/listeners.ts';
import type { Workers } from '../scheduler/worker-runtime.ts';
import { CONTENT_TYPE } from '../telemetry/prometheus.ts';
import { type AdminPage, AdminServer, text } from './admin-server.ts';
import { openDescriptors } from './descriptor-budget.ts';
import { metricsPage } from './metrics/metrics-page.ts';
import type { WorkerReport } from './metrics/worker-report.ts';
import type { ToBrokerWorker } from './worker-data.ts';

const REPORT_WITHIN_MS = SECOND_MS;

/** How the broker stands; its owner writes, the pages read. */
export interface BrokerState {
  stage: 'starting' | 'serving' | 'stopping';
  /** Log directories that are offline, by their paths, and why. */
  readonly offline: Map<string, string>;
  /** One of them that the broker does not serve without. */
  missing: string | null;
}

export interface OperationsOptions {
  readonly at: HttpListener;
  readonly state: BrokerState;
  readonly partitionsMax: number;
  /** Null: they are not there yet. */
  readonly workers: () => Workers | null;
  readonly facts: () => {
    readonly version: string;
    readonly crc: string;
    readonly nativeCalls: readonly string[];
    readonly refusedCount: number;
    readonly descriptorLimit: number | null;
    readonly connectionsEnd: number;
  };
  readonly onError: (error: unknown) => void;
}

type Reports = readonly (WorkerReport | null)[];

export class Operations {
  readonly #options: OperationsOptions;
  #server: AdminServer | null = null;
  #round: { readonly id: number; hear(worker: number, report: WorkerReport): void; readonly end: Promise<Reports> } | null = null;
  #lastRound = 0;

  private constructor(options: OperationsOptions) {
    this.#options = options;
  }

  static async listen(options: OperationsOptions): Promise<Operations> {
    const operations = new Operations(options);
    operations.#server = await AdminServer.listen(
      options.at,
      { '/metrics': () => operations.#metrics(), '/healthz': () => text(200, 'ok\n'), '/readyz': () => operations.#readiness() },
      options.onError,
    );
    return operations;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** A worker's answer to the question of round `id`; late ones are for nobody. */
  hear(worker: number, id: number, report: WorkerReport): void {
    if (this.#round?.id === id) this.#round.hear(worker, report);
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #readiness(): AdminPage {
    const reason = notReady(this.#options.state);
    return reason === null ? text(200, 'ready\n') : text(503, `${reason}\n`);
  }

  async #metrics(): Promise<AdminPage> {
    const { state, partitionsMax, workers: workersOf, facts } = this.#options;
    const workers = workersOf();
    // A worker that stops closes its logs and answers no more.
    const reports = workers === null || state.stage !== 'serving' ? [] : await this.#ask(workers);
    const threads = [];
    if (workers !== null) {
      for (let worker = 0; worker < workers.threadCount; worker++) {
        const heapUsedBytes = reports[worker]?.heapUsedBytes ?? null;
        threads.push({ thread: `worker ${worker}`, ...workers.loopUse(worker), heapUsedBytes });
      }
    }
    threads.push({ thread: 'main', ...performance.eventLoopUtilization(), heapUsedBytes: process.memoryUsage().heapUsed });
    const descriptorsOpen = await openDescriptors();
    const body = metricsPage({
      ...facts(),
      descriptorsOpen,
      isReady: notReady(state) === null,
      offlineCount: state.offline.size,
      slots: workers?.slots ?? [],
      reports,
      partitionsMax,
      threads,
    });
    return { status: 200, contentType: CONTENT_TYPE, body };
  }

  #ask(workers: Workers): Promise<Reports> {
    if (this.#round !== null) return this.#round.end;
    const id = ++this.#lastRound;
    const reports: (WorkerReport | null)[] = new Array(workers.count).fill(null);
    let missing = workers.count;
    let end: () => void = () => {};
    const ended = new Promise<void>((done) => {
      end = done;
    });
    const timer = setTimeout(end, REPORT_WITHIN_MS);
    this.#round = {
      id,
      hear: (worker, report) => {
        reports[worker] = report;
        if (--missing === 0) end();
      },
      end: ended.then(() => {
        clearTimeout(timer);
        this.#round = null;
        return reports;
      }),
    };
    const question: ToBrokerWorker = { type: 'report', id, partitionsMax: this.#options.partitionsMax };
    for (let worker = 0; worker < workers.count; worker++) workers.send(worker, question);
    return this.#round.end;
  }
}

/** Null: the broker serves. */
function notReady({ stage, offline, missing }: BrokerState): string | null {
  if (stage === 'starting') return 'starting: the logs are being opened, or recovered';
  if (stage === 'stopping') return 'stopping';
  return missing === null ? null : `the log directory ${missing} is offline: ${offline.get(missing)}`;
}
