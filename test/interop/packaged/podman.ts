// Builds and runs images with podman, in a store of its own that is removed at the end: what a machine's user has there is neither seen nor
// touched, and the image of Node that is made here shadows nobody's.
// The image that the Dockerfile begins with cannot be had everywhere; one of its name is made from Debian's packages (debian.ts).
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ProgramResult, runProgram } from '../run-program.ts';
import { lastLine } from '../toolchains.ts';
import { debianPrograms, nodeSystem, npmFiles } from './debian.ts';

const root = resolve(import.meta.dirname, '../../..');
const dockerfile = join(root, 'packaging/Dockerfile');
const BUILD_TIMEOUT_MS = 400_000;

/** podman runs containers with conmon and runc (crun refuses cgroups of both versions side by side); iptables publishes their ports. */
const PROGRAMS = { podman: 'podman', conmon: 'conmon', runc: 'runc', iptables: 'iptables' };
/** What podman gives containers: more than a process without CAP_SYS_RESOURCE may ask for. */
const LIMITS = { nofile: 1_048_576, nproc: 32_768 };

/** The limits of a container that may open so many files, as podman wants them: an option for one of them takes the other back to podman's own. */
export function limits(filesMax: number): string[] {
  const own = readFileSync('/proc/self/limits', 'utf8');
  const least = (name: string, limit: number): number =>
    Math.min(limit, Number(new RegExp(`^${name} +\\w+ +(\\d+)`, 'm').exec(own)?.[1] ?? limit));
  const [files, processes] = [least('Max open files', filesMax), least('Max processes', LIMITS.nproc)];
  return [`nofile=${files}:${files}`, `nproc=${processes}:${processes}`];
}

/** A process as the kernel shows it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly name: string;
  /** R, S, D, Z, … */
  readonly state: string;
}

export class Podman {
  readonly directory: string;
  /** The image that our Dockerfile begins with. */
  readonly base: string;
  readonly #driver: string;

  private constructor(directory: string, driver: string, base: string) {
    this.directory = directory;
    this.base = base;
    this.#driver = driver;
    mkdirSync(join(directory, 'networks'), { recursive: true });
    writeFileSync(this.#settings, `[containers]\ndefault_ulimits = [${limits(LIMITS.nofile).map((limit) => `"${limit}"`)}]\n`);
  }

  get #settings(): string {
    return join(this.directory, 'containers.conf');
  }

  /** An engine with the image that our Dockerfile begins with, or why there is none. */
  static async open(): Promise<{ readonly engine: Podman | null; readonly missing: string | null }> {
    const reason = await debianPrograms(PROGRAMS);
    if (reason !== null) return { engine: null, missing: reason };
    const [, version = '', suite = ''] = /NODE_VERSION=(\d+)[\s\S]*-(\w+)-slim/.exec(readFileSync(dockerfile, 'utf8')) ?? [];
    const system = await nodeSystem(suite);
    if (system.program === null) return { engine: null, missing: system.missing };
    const directory = mkdtempSync(join(tmpdir(), 'naru-podman-'));
    const problems: string[] = [];
    for (const driver of ['overlay', 'vfs']) {
      const base = `docker.io/library/node:${version}-${suite}-slim`;
      const engine = new Podman(directory, driver, base);
      const steps = [
        ['import', '--change', 'CMD ["node"]', system.program, base],
        ['run', '--rm', '--pull', 'never', '--network', 'none', base, 'node', '--version'],
      ];
      let failed: ProgramResult | null = null;
      for (const step of steps) {
        const result = await engine.run(...step);
        if (result.code !== 0) failed = result;
        if (failed !== null) break;
      }
      if (failed === null) return { engine, missing: null };
      problems.push(`${driver}: ${lastLine(failed.err)}`);
      await engine.#removeStore();
    }
    rmSync(directory, { recursive: true, force: true });
    return { engine: null, missing: `podman runs no containers here (${problems.join('; ')})` };
  }

  /** Resolves however podman ends. */
  async run(...args: readonly string[]): Promise<ProgramResult> {
    const at = (name: string): string => join(this.directory, name);
    const store = ['--storage-driver', this.#driver, '--root', at('store'), '--runroot', at('run'), '--tmpdir', at('tmp')];
    const others = [
      '--network-config-dir',
      at('networks'),
      '--events-backend',
      'none',
      '--cgroup-manager',
      'cgroupfs',
      '--runtime',
      'runc',
    ];
    const environment = { CONTAINERS_CONF: this.#settings };
    return runProgram('podman', [...store, ...others, ...args], { environment, timeoutMs: BUILD_TIMEOUT_MS });
  }

  /** What podman says on stdout, without the last newline; throws with its whole story where it fails. */
  async ask(...args: readonly string[]): Promise<string> {
    const result = await this.run(...args);
    if (result.code !== 0) throw new Error(result.story);
    return result.out.trimEnd();
  }

  /** Builds our Dockerfile as it is. npm in there learns of this machine's registry from files that are shown to it, none of which stay in the image. */
  async build(tag: string): Promise<void> {
    const volumes = (await npmFiles()).flatMap(([here, there]) => ['--volume', `${here}:${there}:ro`]);
    // Health checks are part of Docker's format alone.
    const options = ['--format', 'docker', '--pull=never', '--network', 'host', ...volumes];
    await this.ask('build', '--file', dockerfile, '--tag', tag, ...options, root);
  }

  /** Builds an image from the text of a Dockerfile that copies nothing. */
  async buildFrom(text: string, tag: string): Promise<void> {
    const context = mkdtempSync(join(this.directory, 'context-'));
    writeFileSync(join(context, 'Dockerfile'), text);
    await this.ask('build', '--tag', tag, '--pull=never', '--network', 'host', context);
  }

  /** What a container has said, on stdout and stderr. */
  async logs(name: string): Promise<string> {
    const { out, err } = await this.run('logs', name);
    return out + err;
  }

  /** Process 1 of a container, as it is known out here. */
  async pid(name: string): Promise<number> {
    return Number(await this.inspect(name, '{{.State.Pid}}'));
  }

  async inspect(name: string, format: string): Promise<string> {
    return this.ask('inspect', '--format', format, name);
  }

  /** Ends and removes all that is there. */
  async dispose(): Promise<void> {
    await this.run('rm', '--all', '--force', '--time', '0', '--volumes');
    for (const network of readdirSync(join(this.directory, 'networks')))
      if (network.endsWith('.conflist')) await this.run('network', 'rm', '--force', network.replace(/\.conflist$/, ''));
    await this.#removeStore();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** podman leaves the folder of its layers mounted on itself. */
  async #removeStore(): Promise<void> {
    const mounted = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${this.directory}/`));
    for (const path of mounted.reverse()) await runProgram('umount', ['--lazy', path]);
    for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name), { recursive: true, force: true });
  }
}

/** All processes of the PID namespace that this one is in. */
export function processesBeside(pid: number): ProcessFacts[] {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (readlinkSync(`/proc/${name}/ns/pid`) !== namespace) return [];
        const [, program = '', state = ''] = /\((.*)\) (\w)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
        return [{ pid: Number(name), name: program, state }];
      } catch {
        return []; // It has ended.
      }
    });
}
