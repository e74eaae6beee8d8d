// A Debian with a real systemd as its process 1, in a container of systemd-nspawn that has this machine's network.
// Needs neither systemd nor D-Bus out here: nothing is registered with them.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ProgramResult, runProgram, succeed } from '../run-program.ts';
import { lastLine } from '../toolchains.ts';
import { debianPrograms, nodeSystem, npmFiles } from './debian.ts';

const SUITE = 'bookworm';
const BOOTED_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 30_000;
const COMMAND_TIMEOUT_MS = 240_000;

export class BootedSystem {
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';
  /** Process 1 of it, as it is known out here. */
  #pid = 0;

  private constructor(directory: string, child: ChildProcess) {
    this.directory = directory;
    this.#child = child;
    this.#ended = new Promise((done) => child.once('close', () => done()));
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (this.#said += bytes.toString()));
  }

  /** Boots one with a folder of ours at `at`, or tells why none can be had. */
  static async open(folder: string, at: string): Promise<{ readonly system: BootedSystem | null; readonly missing: string | null }> {
    const reason = await debianPrograms({ 'systemd-nspawn': 'systemd-container', nsenter: 'util-linux' });
    if (reason !== null) return { system: null, missing: reason };
    const archive = await nodeSystem(SUITE, ['systemd', 'systemd-sysv']);
    if (archive.program === null) return { system: null, missing: archive.missing };
    const directory = mkdtempSync(join(tmpdir(), 'naru-systemd-'));
    const tree = join(directory, 'root');
    mkdirSync(tree);
    await succeed('tar', ['--extract', '--numeric-owner', '--file', archive.program, '--directory', tree]);
    const shown = [[folder, at], ...(await npmFiles())].map(([here, there]) => `--bind-ro=${here}:${there}`);
    const args = [
      '--quiet',
      '--register=no',
      '--keep-unit',
      '--directory',
      tree,
      '--machine',
      'naru-test',
      '--hostname',
      'naru-test',
      ...shown,
    ];
    const child = spawn('systemd-nspawn', [...args, '--boot'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const system = new BootedSystem(directory, child);
    if (await system.#isBooted()) return { system, missing: null };
    await system.dispose();
    return { system: null, missing: `systemd does not boot here: ${lastLine(system.#said)}` };
  }

  async #isBooted(): Promise<boolean> {
    const deadline = performance.now() + BOOTED_WITHIN_MS;
    while (this.#child.exitCode === null && performance.now() < deadline) {
      await delay(200);
      this.#pid = firstProcess(this.#child.pid ?? 0);
      if (this.#pid === 0) continue;
      const state = await this.run('systemctl is-system-running');
      if (/^(running|degraded)$/m.test(state.out)) return true;
    }
    return false;
  }

  /** Runs lines of a shell in there, as root; resolves however they end. */
  async run(script: string): Promise<ProgramResult> {
    const inside = ['--target', String(this.#pid), '--mount', '--uts', '--ipc', '--pid', '--root', '--wd'];
    const environment = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'];
    return runProgram('nsenter', [...inside, ...environment, 'sh', '-euc', script], { timeoutMs: COMMAND_TIMEOUT_MS });
  }

  /** What they say on stdout, without the last newline; throws with their whole story where they fail. */
  async ask(script: string): Promise<string> {
    const result = await this.run(script);
    if (result.code !== 0) throw new Error(result.story);
    return result.out.trimEnd();
  }

  /** Shuts it down and removes it. */
  async dispose(): Promise<void> {
    this.#child.kill('SIGTERM'); // An orderly shutdown.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    await this.#ended;
    clearTimeout(timer);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The process that is 1 below `pid`, or 0 where there is none yet. */
function firstProcess(pid: number): number {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return Number(children.find((child) => /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${child}/status`, 'utf8'))) ?? 0);
  } catch {
    return 0;
  }
}
