// A broker as its users have it: a process of its own, started through the command line, on a free port and a fresh directory.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const READY_WITHIN_MS = 30_000;
/** Records of tests bear old timestamps: retention would take them half a minute after the start, in the middle of whatever asks for them. */
const NO_RETENTION = { 'log.initial.task.delay.ms': '86400000' };

export interface BrokerProcessOptions {
  readonly workers: number;
  readonly overrides?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Used again by a later start; made where it is left out. */
  readonly directory?: string;
  readonly port?: number;
  /** Background work on logs begins when it does for everyone: nothing is set that would show in the configuration. */
  readonly hasRetention?: boolean;
  /** What a shell does before it becomes the broker, such as `ulimit -f 1024`. */
  readonly prelude?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What `promise` gives; an error where it takes longer than that. */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const tooLate = delay(limitMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`not within ${limitMs} ms`);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    tooLate.catch(() => {});
    timer.abort();
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? done(address.port) : fail(new Error('no port'))));
    });
  });
}

export class BrokerProcess {
  readonly port: number;
  readonly directory: string;
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  /** All that it said on stdout and stderr. */
  output = '';

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.directory = directory;
    this.child = child;
    // 'close', not 'exit': by then all that it said has been heard.
    this.exit = new Promise((done) => child.once('close', (code, signal) => done({ code, signal })));
    const hear = (bytes: Buffer): void => {
      this.output += bytes.toString();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
  }

  /** The lines that are not the log's: what a person who started it sees of a failure; as JSON, those that tell of its exit. */
  get failureLines(): string[] {
    return this.output.split('\n').filter((line) => line.startsWith('naru: ') || line.includes('"exitCode":'));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts a broker and waits for its ready line. */
  static async start(options: BrokerProcessOptions): Promise<BrokerProcess> {
    const broker = await BrokerProcess.launch(options);
    await broker.ready();
    return broker;
  }

  /** Starts a broker without waiting. */
  static async launch(options: BrokerProcessOptions): Promise<BrokerProcess> {
    const port = options.port ?? (await freePort());
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'naru-test-'));
    const overrides = Object.entries({
      'naru.workers': String(options.workers),
      ...(options.hasRetention === true ? {} : NO_RETENTION),
      ...options.overrides,
    });
    const args = [MAIN, 'start', '--port', String(port), '--data-dir', directory];
    for (const [key, value] of overrides) args.push('--override', `${key}=${value}`);
    const command = [process.execPath, ...args];
    const shell = options.prelude === undefined ? [] : ['/bin/sh', '-c', `${options.prelude}; exec "$0" "$@"`];
    const [program = '', ...rest] = [...shell, ...command];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.environment } });
    return new BrokerProcess(port, directory, child);
  }

  async ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!/^naru .* ready|"msg":"ready"/m.test(this.output)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`the broker ended before it was ready:\n${this.output}`);
      if (performance.now() > deadline) throw new Error(`the broker was not ready in ${READY_WITHIN_MS} ms:\n${this.output}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return this.exit;
  }

  /** Stops it if it still runs, and removes its directory. */
  async dispose(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
