import { describe, expect, test } from 'vitest';
import { checkLayers, FLOORS, SAME_FLOOR, stripComments } from '../../tools/layers.ts';

/** The findings for files that exist next to a target of every import they make. */
function check(files: Record<string, string>): string[] {
  return checkLayers(Object.entries(files).map(([path, text]) => ({ path, text })));
}

describe('the import rules', () => {
  test('every row names folders that stand on a floor, and neighbours on the same one', () => {
    for (const [folder, neighbours] of Object.entries(SAME_FLOOR)) {
      const floor = FLOORS.find((each) => each.includes(folder)) ?? [];
      for (const neighbour of neighbours) expect(floor).toContain(neighbour);
    }
  });

  test('an import that goes up is found', () => {
    expect(check({ 'log/log.ts': "import { x } from '../broker/broker.ts';" })).toEqual([
      'log/log.ts: imports broker/broker.ts, which is above it',
    ]);
  });

  test('so are exports from, dynamic imports, imports of types and imports over several lines', () => {
    for (const statement of [
      "export { x } from '../broker/broker.ts';",
      "export * from '../broker/broker.ts';",
      "const x = await import('../broker/broker.ts');",
      "import type { X } from '../broker/broker.ts';",
      "import {\n  x,\n  y,\n} from '../broker/broker.ts';",
      "import '../broker/broker.ts';",
    ]) {
      expect(check({ 'network/a.ts': statement }), statement).toHaveLength(1);
    }
  });

  test('an import of the own floor is found unless the row names it', () => {
    expect(check({ 'log/a.ts': "import { x } from '../scheduler/b.ts';" })).toHaveLength(1);
    expect(check({ 'scheduler/a.ts': "import type { X } from '../log/storage.ts';" })).toEqual([]);
    expect(check({ 'partition/a.ts': "import { x } from '../metadata/image.ts';" })).toHaveLength(1);
  });

  test('the client may not reach for the log, though it stands higher', () => {
    expect(check({ 'client/a.ts': "import { x } from '../log/log.ts';" })).toHaveLength(1);
    expect(check({ 'client/a.ts': "import { x } from '../protocol/schema.ts';" })).toEqual([]);
  });

  test('a folder without a floor and an import out of src are found', () => {
    expect(check({ 'attic/a.ts': "import { x } from '../base/b.ts';" })).toHaveLength(1);
    expect(check({ 'cli/a.ts': "import { x } from '../../tools/b.ts';" })).toHaveLength(1);
  });

  test('circles are found, also through a third file', () => {
    const found = check({
      'log/a.ts': "import { b } from './b.ts';",
      'log/b.ts': "import { c } from './c.ts';",
      'log/c.ts': "import { a } from './a.ts';",
    });
    expect(found).toEqual(['log/a.ts: imports in a circle: log/a.ts → log/b.ts → log/c.ts → log/a.ts']);
  });
});

describe('what only some files may use', () => {
  test.each([
    ['log/log.ts', "import { openSync } from 'node:fs';", 'touches the file system'],
    ['log/log.ts', "import { open } from 'node:fs/promises';", 'touches the file system'],
    ['broker/broker.ts', "import net from 'node:net';", 'touches sockets'],
    ['broker/broker.ts', "const { Worker } = await import('node:worker_threads');", 'touches worker threads'],
    ['network/a.ts', 'Atomics.load(words, 0);', 'touches Atomics'],
    ['network/a.ts', "const koffi = require('koffi');", 'touches koffi'],
  ])('%s with %s', (path, text, reason) => {
    expect(check({ [path]: text })).toEqual([`${path}: ${reason}`]);
  });

  test('the files that may are left alone', () => {
    expect(
      check({
        'log/file-storage.ts': "import { openSync } from 'node:fs';",
        'network/listener.ts': "import net from 'node:net';",
        'scheduler/worker-runtime.ts': "import { Worker } from 'node:worker_threads';",
        'actors/shared-words.ts': 'Atomics.load(words, 0);',
        'native/load.ts': "require('koffi');",
      }),
    ).toEqual([]);
  });

  test('words in comments are no findings, words behind a string that looks like a comment are', () => {
    expect(check({ 'network/a.ts': '// Atomics.load is what we avoid\n/* Atomics.store */\nexport const a = 1;' })).toEqual([]);
    expect(check({ 'network/a.ts': "const url = 'http://x'; Atomics.load(words, 0);" })).toEqual(['network/a.ts: touches Atomics']);
    expect(stripComments("const a = '// no'; // yes")).toBe("const a = '// no';  ");
  });
});

describe('pure files', () => {
  test.each([
    ["import { join } from 'node:path';", 'a module of Node'],
    ['const t = Date.now();', 'Date'],
    ['const t = new Date();', 'Date'],
    ['const t = performance.now();', 'Date'],
    ['const r = Math.random();', 'Math.random'],
    ['setTimeout(f, 1);', 'a timer'],
    ['const p = new Promise(f);', 'a promise'],
    ['export async function f() {}', 'a promise'],
    ['const f = async (x: number) => x;', 'a promise'],
  ])('%s is found', (text, what) => {
    const reason = `is pure and uses ${what}`;
    expect(check({ 'raft/a.ts': text })).toContain(`raft/a.ts: ${reason}`);
    expect(check({ 'log/a.ts': `// Decides something.\n// Pure.\n${text}` })).toContain(`log/a.ts: ${reason}`);
    expect(check({ 'log/a.ts': `// Does something.\n// Runs on: every worker.\n${text}` }).join()).not.toContain('pure');
  });

  test('compression may call Node, a type of Node may be named, an invalid date may be shown', () => {
    expect(check({ 'protocol/records/compression/gzip.ts': "import { gzipSync } from 'node:zlib';" })).toEqual([]);
    expect(check({ 'raft/a.ts': "import type { Stats } from 'node:fs';" })).toEqual([]);
    expect(check({ 'raft/a.ts': 'const text = new Date(timestampMs).toISOString();' })).toEqual([]);
  });
});
