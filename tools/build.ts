// `npm run build`: bundles the broker for publishing into dist: cli.js (the entry of `naru`), embedded.js (naru/embedded), worker-main.js (the
// entry of a worker) and pool-main.js (the entry of a pool thread), with what they share in chunks beside them, and embedded.d.ts. Native
// packages stay outside, and so do pino, piscina and re2js, which are loaded only when they are asked for.
// Invariants: everything lies in dist itself, since a worker's entry is found beside the running file; what is declared stands in one file
// and needs no other package's types.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');

/** Entries by the name of their bundle. */
const ENTRIES = {
  cli: 'src/cli/main.ts',
  embedded: 'src/embedded/start-broker.ts',
  'worker-main': 'src/broker/worker-main.ts',
  'pool-main': 'src/broker/pool-main.ts',
};

interface PackageJson {
  readonly engines: { readonly node: string };
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** Empties `dist` and fills it. Returns the sizes of its files in bytes, by path. */
export async function bundle(dist: string): Promise<Map<string, number>> {
  // Our own file, whose shape is known.
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson;
  rmSync(dist, { recursive: true, force: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${manifest.engines.node.replace(/[^\d.]/g, '')}`,
    // Both start threads from files of their own.
    external: ['pino', 'piscina', ...Object.keys(manifest.optionalDependencies)],
    chunkNames: '[name]-[hash]',
    // Fewer bytes to read and compile; names stay, for stacks and profiles.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  chmodSync(join(dist, 'cli.js'), 0o755);
  return new Map(Object.entries(result.metafile.outputs).map(([path, { bytes }]) => [path, bytes]));
}

/** Writes the declarations of naru/embedded. Types are not checked here: `npm test` does that. */
export function declare(dist: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'naru-declarations-'));
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', join(root, 'tools/declarations.json'), '--outDir', directory], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const text = readFileSync(join(directory, 'embedded/start-broker.d.ts'), 'utf8');
    if (/\bfrom ['"]|\bimport\b/.test(text)) throw new Error(`what naru/embedded declares names types of other modules:\n${text}`);
    // Symbol.asyncDispose, for whoever compiles with an older `lib` and without the types of Node.
    writeFileSync(join(dist, 'embedded.d.ts'), `/// <reference lib="esnext.disposable" />\n${text}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const dist = join(root, 'dist');
  for (const [path, bytes] of await bundle(dist)) console.log(`${path} ${(bytes / 1024).toFixed(1)} KiB`);
  declare(dist);
}
