// Checks who imports whom and who touches what, and refuses what the tables below do not allow. `npm run layers` prints the findings.
// Invariant: an import goes to a lower floor, or to a folder of its own floor that its row names.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';

/** The folders of src by floor, the lowest first. */
export const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['protocol', 'native', 'telemetry'],
  ['config', 'security', 'raft', 'actors'],
  ['scheduler', 'log'],
  ['partition', 'metadata', 'network'],
  ['coordinator'],
  ['groups', 'transactions'],
  ['broker', 'client'],
  ['embedded', 'cli'],
];

/** Folders of the own floor that a folder may import. */
export const SAME_FLOOR: Readonly<Record<string, readonly string[]>> = {
  // The runtime interface speaks of the storage interface, and the runtimes bring the implementations.
  scheduler: ['log'],
};

/** Folders below that a folder may import and no others. */
export const ONLY_FROM: Readonly<Record<string, readonly string[]>> = {
  client: ['base', 'protocol', 'native', 'telemetry', 'config'],
};

/** Folders where no file may reach outside itself, and the files in them that may. */
export const PURE_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  'protocol/': ['protocol/records/compression/'],
  'raft/': [],
  'groups/': [],
  'transactions/': [],
  'metadata/': ['metadata/quorum-actor.ts', 'metadata/metadata-actor.ts'],
  'config/': [],
};

/** What only some files may use. A path that ends in / is a folder. */
export interface Confinement {
  readonly what: string;
  readonly pattern: RegExp;
  readonly allowed: readonly string[];
}

/** An import of one of these modules, as a statement, a dynamic import or a require. */
function importOf(...modules: readonly string[]): RegExp {
  const names = modules.map((name) => name.replace('/', '\\/')).join('|');
  return new RegExp(`(?:from\\s+|import\\s*\\(\\s*|import\\s+|require\\s*\\(\\s*|getBuiltinModule\\s*\\(\\s*)['"](?:${names})['"]`);
}

export const CONFINEMENTS: readonly Confinement[] = [
  {
    what: 'the file system',
    pattern: importOf('node:fs', 'node:fs/promises', 'fs', 'fs/promises'),
    // Storage, the system's random numbers, and what runs before the workers do.
    allowed: [
      'base/random.ts',
      'log/disk-file.ts',
      'log/file-storage.ts',
      'log/file-system.ts',
      'broker/directory-access.ts',
      'broker/directory-lock.ts',
      'broker/descriptor-budget.ts',
      'embedded/',
      'cli/',
    ],
  },
  { what: 'sockets', pattern: importOf('node:net', 'node:tls', 'net', 'tls'), allowed: ['network/', 'client/'] },
  { what: 'HTTP', pattern: importOf('node:http', 'http'), allowed: ['broker/admin-server.ts'] },
  { what: 'worker threads', pattern: importOf('node:worker_threads', 'worker_threads'), allowed: ['scheduler/'] },
  {
    what: 'Atomics',
    pattern: /\bAtomics\./,
    allowed: ['actors/shared-words.ts', 'actors/spsc-ring.ts', 'actors/ring-layout.ts', 'actors/doorbell.ts'],
  },
  { what: 'koffi', pattern: importOf('koffi'), allowed: ['native/'] },
];

/** What makes a file impure. */
const IMPURITIES: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'a module of Node', pattern: /(?:from\s+|import\s*\(\s*|import\s+|require\s*\(\s*)['"]node:/ },
  { what: 'Date', pattern: /\bDate\.now\b|\bnew Date\s*\(\s*\)|\bperformance\.now\b/ },
  { what: 'Math.random', pattern: /\bMath\.random\b|\bcrypto\.(?:getRandomValues|randomUUID)\b/ },
  { what: 'a timer', pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/ },
  { what: 'a promise', pattern: /\bnew Promise\b|\bPromise\.\w+|\basync\s+(?:function|\(|\w+\s*=>|\w+\s*\()|\bawait\s/ },
];

/** A file of src: its path inside src, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly target: string;
  readonly isTypeOnly: boolean;
}

/** Findings as `path: what is wrong`, sorted. No findings, no lines. */
export function checkLayers(files: readonly SourceFile[]): string[] {
  const findings: string[] = [];
  const importsOf = new Map<string, Import[]>();
  for (const file of files) {
    const code = stripComments(file.text);
    const imports = relativeImports(file.path, code);
    importsOf.set(file.path, imports);
    for (const each of imports) findings.push(...checkImport(file.path, each.target).map((reason) => `${file.path}: ${reason}`));
    findings.push(...checkContents(file, withoutTypeImports(code)).map((reason) => `${file.path}: ${reason}`));
  }
  findings.push(...findCycles(importsOf));
  return [...new Set(findings)].sort();
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function floorOf(folder: string): number {
  return FLOORS.findIndex((floor) => floor.includes(folder));
}

function checkImport(path: string, target: string): string[] {
  if (target.startsWith('../')) return [`imports ${target}, outside src`];
  const from = folderOf(path);
  const to = folderOf(target);
  if (floorOf(from) < 0) return [`the folder ${from} stands on no floor`];
  if (floorOf(to) < 0) return [`imports ${target}: the folder ${to} stands on no floor`];
  if (from === to) return [];
  if (floorOf(to) > floorOf(from)) return [`imports ${target}, which is above it`];
  if (floorOf(to) === floorOf(from) && SAME_FLOOR[from]?.includes(to) !== true)
    return [`imports ${target} of its own floor, which its row does not name`];
  if (ONLY_FROM[from] !== undefined && !ONLY_FROM[from].includes(to))
    return [`imports ${target}; ${from} may import ${ONLY_FROM[from].join(', ')} only`];
  return [];
}

function isUnder(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

function checkContents(file: SourceFile, code: string): string[] {
  const reasons = CONFINEMENTS.filter(({ pattern, allowed }) => pattern.test(code) && !isUnder(file.path, allowed)).map(
    ({ what }) => `touches ${what}`,
  );
  if (isPure(file)) {
    reasons.push(...IMPURITIES.filter(({ pattern }) => pattern.test(code)).map(({ what }) => `is pure and uses ${what}`));
  }
  return reasons;
}

/** A file is pure by its folder, or by the line `// Pure.` in its head (a reservation in brackets lifts the check of that file). */
function isPure(file: SourceFile): boolean {
  const folder = Object.entries(PURE_FOLDERS).find(([place]) => file.path.startsWith(place));
  if (folder !== undefined) return !isUnder(file.path, folder[1]);
  return /^\/\/ (?:.*\. )?Pure(?: \(types only\))?\./m.test(headOf(file.text));
}

/** The comment lines at the top. */
function headOf(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//') && !line.startsWith('#!'));
  return lines.slice(0, end < 0 ? lines.length : end).join('\n');
}

/** Takes comments out, so that words in them are no findings. Strings stay, since imports are strings. */
export function stripComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_whole, literal: string | undefined) => literal ?? ' ',
  );
}

/** An import of types alone is gone when the code runs: naming a type of Node's touches nothing. */
function withoutTypeImports(code: string): string {
  return code.replace(/\bimport\s+type\s[^;]*;/g, '');
}

const IMPORT = /\b(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"](\.{1,2}\/[^'"]+)['"]|\bimport\s*\(\s*['"](\.{1,2}\/[^'"]+)['"]/g;

function relativeImports(path: string, code: string): Import[] {
  return [...code.matchAll(IMPORT)].map((match) => ({
    target: normalize(join(dirname(path), match[3] ?? match[4] ?? '')).replaceAll('\\', '/'),
    isTypeOnly: match[2] !== undefined,
  }));
}

/** Files that import each other in a circle. Imports of types alone are gone when the code runs, but count: they tie the files together all the same. */
function findCycles(importsOf: ReadonlyMap<string, readonly Import[]>): string[] {
  const findings: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      const circle = [...trail.slice(trail.indexOf(path)), path];
      findings.push(`${[...circle].sort()[0]}: imports in a circle: ${circle.join(' → ')}`);
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const { target } of importsOf.get(path) ?? []) if (importsOf.has(target)) visit(target);
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of [...importsOf.keys()].sort()) visit(path);
  return findings;
}

/** All TypeScript files below `root`, which is src. */
export function readSources(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      return { path: relative(root, full).replaceAll('\\', '/'), text: readFileSync(full, 'utf8') };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

if (import.meta.main) {
  const files = readSources(resolve(import.meta.dirname, '../src'));
  const findings = checkLayers(files);
  for (const finding of findings) console.log(`src/${finding}`);
  console.log(`layers: ${files.length} files, ${findings.length} findings`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
