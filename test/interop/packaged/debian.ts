// Programs of Debian's packages, and root file systems made from them: a Debian with Node and npm, as the official image of Node is one.
// Programs that are absent are installed only where NARU_INTEROP_INSTALL=1 allows it (`npm run test:interop -- --install`): they change the machine.
// Invariant: a root file system lies in the cache whole or not at all.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { answers, runProgram, succeed } from '../run-program.ts';
import { cacheDirectory, lastLine, missing, type Tool } from '../toolchains.ts';

const root = resolve(import.meta.dirname, '../../..');
const INSTALL_TIMEOUT_MS = 240_000;
const BOOTSTRAP_TIMEOUT_MS = 580_000;
/** The Node that the repository pins, beside which the official image has an npm of the same time. */
const NODE = realpathSync(join(root, 'node_modules/.bin/node'));
const NPM = 'npm@11.19.1';
/** What Node is linked against and the smallest Debian lacks. */
const NODE_NEEDS = ['libatomic1', 'libstdc++6'];
/** A mirror that stands still has lists that are out of date. */
const ANY_DATE = ['Acquire::Check-Valid-Until "false"', 'Acquire::Check-Date "false"'];

/** Why programs are missing, or null. `wanted`: packages by the programs that they bring. */
export async function debianPrograms(wanted: Readonly<Record<string, string>>): Promise<string | null> {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const absent = (): string[] => Object.keys(wanted).filter((program) => !isOnPath(program));
  if (absent().length === 0) return null;
  const packages = absent().map((program) => wanted[program] ?? program);
  const advice = `${absent().join(', ')} not installed (Debian: apt-get install ${packages.join(' ')})`;
  if (process.env.NARU_INTEROP_INSTALL !== '1') return `${advice}; npm run test:interop -- --install does it`;
  if (!(await answers('apt-get', '--version'))) return advice;
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  await runProgram('apt-get', ['update', '-qq'], { environment, timeoutMs: INSTALL_TIMEOUT_MS });
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  const got = await runProgram('apt-get', install, { environment, timeoutMs: INSTALL_TIMEOUT_MS });
  return absent().length === 0 ? null : `${absent().join(', ')} could not be installed: ${lastLine(got.err)}`;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** A root file system, as a tar archive: the smallest Debian of that suite, these packages, Node and npm. */
export async function nodeSystem(suite: string, packages: readonly string[] = []): Promise<Tool> {
  const reason = await debianPrograms({ mmdebstrap: 'mmdebstrap' });
  if (reason !== null) return missing(reason);
  const include = [...NODE_NEEDS, ...packages].join(',');
  const key = createHash('sha256').update([suite, include, process.arch, process.version, NPM].join(' ')).digest('hex').slice(0, 12);
  const archive = join(cacheDirectory(), `${suite}-node-${key}.tar`);
  if (existsSync(archive)) return { program: archive, missing: null };
  const directory = mkdtempSync(join(tmpdir(), 'naru-system-'));
  try {
    const packed = await runProgram('npm', ['pack', NPM, '--silent', '--pack-destination', directory], { timeoutMs: INSTALL_TIMEOUT_MS });
    if (packed.code !== 0) return missing(`npm did not come: ${lastLine(packed.err)}`);
    await succeed('tar', ['--extract', '--file', join(directory, packed.out.trim()), '--directory', directory]);
    renameSync(join(directory, 'package'), join(directory, 'npm'));
    const links = ['npm', 'npx'].map((name) => `ln -s ../lib/node_modules/npm/bin/${name}-cli.js "$1/usr/local/bin/${name}"`);
    const args = [
      '--variant=minbase',
      `--include=${include}`,
      ...ANY_DATE.map((option) => `--aptopt=${option}`),
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      `--customize-hook=copy-in ${NODE} /usr/local/bin`,
      '--customize-hook=mkdir -p "$1/usr/local/lib/node_modules" "$1/usr/local/etc"',
      `--customize-hook=copy-in ${join(directory, 'npm')} /usr/local/lib/node_modules`,
      ...links.map((link) => `--customize-hook=${link}`),
      suite,
      `${archive}.part`,
      '--format=tar',
    ];
    const made = await runProgram('mmdebstrap', args, { timeoutMs: BOOTSTRAP_TIMEOUT_MS });
    if (made.code !== 0) return missing(`no Debian ${suite} could be made: ${lastLine(made.err)}`);
    renameSync(`${archive}.part`, archive);
    return { program: archive, missing: null };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * What npm needs to know of this machine to reach its registry, as files to show inside of a system: [here, there].
 * A registry of one's own and its certificates are configured in them; without them, npm there asks the public one.
 */
export async function npmFiles(): Promise<readonly (readonly [string, string])[]> {
  const setting = async (name: string): Promise<string> => (await succeed('npm', ['config', 'get', name])).trim();
  const [user, global, certificates] = [await setting('userconfig'), await setting('globalconfig'), await setting('cafile')];
  const files: [string, string][] = [
    [user, '/root/.npmrc'],
    [global, '/usr/local/etc/npmrc'],
    [certificates, certificates],
  ];
  return files.filter(([path]) => existsSync(path));
}
