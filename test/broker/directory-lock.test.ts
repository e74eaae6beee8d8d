// One directory, one broker: against other processes, other threads, another copy of the module, and what Java's FileChannel locks.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../src/broker/directory-lock.ts';
import { posixLock } from '../../src/native/posix-lock.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { isForeign } from '../support/target.ts';

const MODULE = new URL('../../src/broker/directory-lock.ts', import.meta.url).href;
const KOFFI = new URL('../../src/native/load.ts', import.meta.url).href;
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'naru-lock-'));
  cleanUps.push(() => rmSync(path, { recursive: true }));
  return path;
}

/** Runs a program in another process and gives what it prints. */
function told(source: string, environment: Record<string, string> = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Within a program: says whether the module at `url` gets the lock. */
const attempt = (url: string, path: string): string => `
  await import(${JSON.stringify(url)}).then(({ lockDirectory }) => {
    try { lockDirectory(${JSON.stringify(path)}); console.log('locked'); } catch (error) { console.log(error.code + ' ' + error.message); }
  });`;

const inThread = (source: string): string => `
  const { Worker } = await import('node:worker_threads');
  await new Promise((done) => new Worker(${JSON.stringify(source)}, { eval: true }).once('exit', done));`;

/** As Java's FileChannel.tryLock does it: a lock of the process. Prints 0 where it was taken. */
const javaLock = (path: string): string => `
  import { openSync } from 'node:fs';
  import { declareNative } from ${JSON.stringify(KOFFI)};
  const request = Buffer.alloc(32);
  request.writeInt16LE(1, 0);
  const fcntl = declareNative('fcntl', (library) => library.declare('int fcntl(int descriptor, int command, void *lock)'))();
  console.log(fcntl(openSync(${JSON.stringify(path)}, 'a+'), 6, request));`;

/** What a third process is told, with these native calls, while another one holds the lock as Java does, and the pid of that one. */
function toldBesideJava(path: string, native: string): { readonly line: string; readonly pid: number } {
  const [taken, line = '', pid] = told(`${javaLock(path)}
    const { spawnSync } = await import('node:child_process');
    const { stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', ${JSON.stringify(attempt(MODULE, path))}], {
      encoding: 'utf8',
      env: { ...process.env, NARU_NATIVE: ${JSON.stringify(native)} },
    });
    console.log(stdout.trim());
    console.log(process.pid);`).split('\n');
  expect(taken).toBe('0');
  return { line, pid: Number(pid) };
}

describe('a directory that is locked', () => {
  it('is refused to another process, which is told whose it is, and free when it is given up', () => {
    const path = join(folder(), '.lock');
    const unlock = lockDirectory(path);
    expect(told(attempt(MODULE, path))).toMatch(
      new RegExp(`^ERR_DIRECTORY_LOCKED \\S+ is in use by process ${process.pid}: one directory serves one broker$`),
    );
    unlock();
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(told(attempt(MODULE, path))).toBe('locked');
    lockDirectory(path)(); // That process has ended without giving it up.
  });

  it('is refused to another broker of the process, by whatever path', () => {
    const data = folder();
    const link = join(folder(), 'link');
    symlinkSync(data, link);
    const unlock = lockDirectory(join(data, '.lock'));
    expect(() => lockDirectory(join(link, '.lock'))).toThrow(/in use by another broker of this process/);
    unlock();
    lockDirectory(join(link, '.lock'))();
  });

  it.each(['', 'off'])('is refused to another copy of the module (NARU_NATIVE=%s)', (native) => {
    const path = join(folder(), '.lock');
    const lines = told(`${attempt(MODULE, path)}${attempt(`${MODULE}?copy`, path)}`, { NARU_NATIVE: native }).split('\n');
    expect(lines).toEqual(['locked', expect.stringMatching(/^ERR_DIRECTORY_LOCKED \S+ is in use by another broker of this process/)]);
  });

  it('is refused to another thread of the process', (context) => {
    context.skip(posixLock() === null, 'without native calls threads are not kept apart');
    const path = join(folder(), '.lock');
    const lines = told(`${attempt(MODULE, path)}${inThread(`(async () => {${attempt(MODULE, path)}})()`)}${attempt(MODULE, path)}`);
    expect(lines.split('\n')).toEqual([
      'locked',
      expect.stringMatching(/^ERR_DIRECTORY_LOCKED \S+ is in use by another broker of this process/),
      expect.stringMatching(/^ERR_DIRECTORY_LOCKED/),
    ]);
  });

  it('is refused to Java, and one that Java has locked is refused here', (context) => {
    context.skip(posixLock() === null, 'without native calls there is no lock that Java sees');
    const path = join(folder(), '.lock');
    const unlock = lockDirectory(path);
    expect(told(javaLock(path))).toBe('-1');
    unlock();
    expect(told(javaLock(path))).toBe('0');
    const { line, pid } = toldBesideJava(path, '');
    expect(line).toContain(`is in use by process ${pid}:`);
  });

  it('that Java has locked is refused without native calls, too', (context) => {
    context.skip(posixLock() === null, 'this test takes the lock by a native call');
    const path = join(folder(), '.lock');
    const { line, pid } = toldBesideJava(path, 'off');
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(line).toMatch(new RegExp(`^ERR_DIRECTORY_LOCKED \\S+ is in use by process ${pid}: one directory serves one broker$`));
    expect(told(attempt(MODULE, path), { NARU_NATIVE: 'off' })).toBe('locked');
  });

  it('by a lock of the open file is refused without native calls, whoever has it', (context) => {
    context.skip(posixLock() === null, 'this test takes the lock by a native call');
    const path = join(folder(), '.lock');
    const unlock = lockDirectory(path);
    truncateSync(path); // Nor does a pid tell of it.
    expect(told(attempt(MODULE, path), { NARU_NATIVE: 'off' })).toMatch(/^ERR_DIRECTORY_LOCKED \S+ is in use by another process:/);
    expect(told(attempt(MODULE, join(folder(), '.lock')), { NARU_NATIVE: 'off' })).toBe('locked');
    unlock();
    expect(told(attempt(MODULE, path), { NARU_NATIVE: 'off' })).toBe('locked');
  });
});

it.skipIf(isForeign)('a second broker on a directory says in one line which process has it, and leaves it as it is', async () => {
  const first = await BrokerProcess.start({ workers: 0 });
  cleanUps.push(() => first.dispose());
  const second = await BrokerProcess.launch({ workers: 0, directory: first.directory });
  expect(await second.exit).toEqual({ code: 1, signal: null });
  expect(second.output).toBe(`naru: ${first.directory} is in use by process ${first.child.pid}: one directory serves one broker\n`);
  expect((await first.stop()).code).toBe(0);
});
