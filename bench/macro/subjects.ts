// The two brokers of a comparison, as processes: started, measured from outside, stopped. Nothing of their code is loaded here.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CLOCK_TICKS_PER_S = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface Subject {
  readonly name: string;
  readonly port: number;
  readonly directory: string;
  start(): Promise<void>;
  /** Launches without waiting: for the boot row. */
  launch(): void;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  pid(): number;
}

/** User + system seconds of a process since it started. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

async function untilUp(subject: Subject, child: ChildProcess | null): Promise<void> {
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 20) {
    if (await answers(subject.port)) return;
    if (child !== null && child.exitCode !== null) throw new Error(`${subject.name} ended with code ${child.exitCode}`);
    await sleep(20);
  }
  throw new Error(`${subject.name} does not answer on port ${subject.port}`);
}

export class NaruSubject implements Subject {
  readonly name: string;
  readonly port: number;
  readonly directory: string;
  readonly #overrides: readonly string[];
  readonly #dist: string;
  #child: ChildProcess | null = null;

  /** `dist`: the folder of the build. */
  constructor(name: string, port: number, directory: string, overrides: readonly string[], dist = 'dist') {
    this.name = name;
    this.port = port;
    this.directory = directory;
    this.#overrides = overrides;
    this.#dist = dist;
  }
  launch(): void {
    const overrides = this.#overrides.flatMap((pair) => ['--override', pair]);
    const args = [join(this.#dist, 'cli.js'), 'start', '--port', String(this.port), '--data-dir', this.directory, ...overrides];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  async start(): Promise<void> {
    this.launch();
    await untilUp(this, this.#child);
  }
  pid(): number {
    return this.#child?.pid ?? -1;
  }
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
  }
}

export class KafkaSubject implements Subject {
  readonly name = 'kafka';
  readonly port: number;
  readonly directory: string;
  readonly #script: string;
  readonly #overrides: readonly string[];

  constructor(peers: string, port: number, directory: string, overrides: readonly string[]) {
    this.port = port;
    this.directory = directory;
    this.#script = join(peers, 'kafka');
    this.#overrides = overrides;
  }
  /** Starts on the directory that the last start made: formatting is a JVM run of its own and no part of a boot. */
  launch(): void {
    spawn(this.#script, ['restart', '-d', this.directory], { stdio: 'ignore' });
  }
  async start(): Promise<void> {
    const again = existsSync(join(this.directory, 'node-1'));
    const overrides = this.#overrides.flatMap((pair) => ['-c', pair]);
    const verb = again ? ['restart', '-d', this.directory] : ['start', '-d', this.directory, '-p', String(this.port), ...overrides];
    mkdirSync(join(this.directory, '..'), { recursive: true });
    execFileSync(this.#script, verb, { stdio: 'ignore' });
  }
  pid(): number {
    return Number(readFileSync(join(this.directory, 'node-1/pid'), 'utf8'));
  }
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    execFileSync(this.#script, ['stop', '-d', this.directory, ...(signal === 'SIGKILL' ? ['--kill'] : [])], { stdio: 'ignore' });
  }
}
