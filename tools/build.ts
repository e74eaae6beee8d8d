// `npm run build`: bundles the broker for publishing into dist: cli.js (the entry of `naru`) and worker-main.js (the entry of a worker),
// pool-main.js (the entry of a pool thread),
// with what both share in chunks beside them. Native packages stay outside, and so do pino and re2js, which are loaded only when
// they are asked for.
// Invariant: everything lies in dist itself, since a worker's entry is found beside the running file.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');

/** Entries by the name of their bundle. */
const ENTRIES = {
  cli: 'src/cli/main.ts',
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

if (import.meta.main) {
  for (const [path, bytes] of await bundle(join(root, 'dist'))) console.log(`${path} ${(bytes / 1024).toFixed(1)} KiB`);
}
