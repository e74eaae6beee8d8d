// What a person sees of a broker that cannot start, or cannot go on: one line with the reason and exit code 1, never a process that hangs.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { labelled, labels } from '../support/batches.ts';
import { BrokerProcess, within } from '../support/broker-process.ts';
import { noSmallDisk, SmallDisk } from '../support/small-disk.ts';
import { WireClient } from '../support/wire-client.ts';

const EXIT_WITHIN_MS = 20_000;
/** A new directory needs fewer; where it does not, the sweep below is told so. */
const PAGES_MAX = 64;
/** As many connections as a broker can take at least. */
const CONNECTIONS_MIN = 32;
/** A broker without topics starts with fewer. */
const DESCRIPTORS_ENOUGH = 240;

const INSTANCE = new URL('../support/instance.ts', import.meta.url);

const cleanUps: (() => unknown)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

function smallDisk(pages: number): SmallDisk {
  const disk = new SmallDisk(pages);
  cleanUps.push(() => disk.remove());
  return disk;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'naru-failing-'));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * No disk and no peer ends a broker that serves, only an error in its own code. This makes one, in whichever turn asks for the time first
 * once it is provoked: in the process itself, since no test reaches into its threads.
 */
function faultOnDemand({ alsoAtTheEnd = false } = {}): { readonly prelude: string; readonly provoke: () => void } {
  const directory = temporaryDirectory();
  const [script, mark] = [join(directory, 'fault.cjs'), join(directory, 'provoked')];
  writeFileSync(
    script,
    `const fs = require('node:fs');
     const { now } = Date;
     Date.now = () => {
       let isProvoked = true;
       try { fs.rmSync(${JSON.stringify(mark)}); } catch { isProvoked = false; }
       if (isProvoked && ${alsoAtTheEnd}) {
         fs.closeSync = () => { throw new Error('a fault at the end'); };
         require('node:module').syncBuiltinESMExports();
       }
       if (isProvoked) throw new Error('a fault on demand'); // Once in all threads: the end needs the time as well.
       return now();
     };`,
  );
  return { prelude: `export NODE_OPTIONS=--require=${script}`, provoke: () => writeFileSync(mark, '') };
}

/** The one line of a broker that has ended with exit code 1. */
async function reasonOf(broker: BrokerProcess): Promise<string> {
  const exit = await within(EXIT_WITHIN_MS, broker.exit).catch(() => {
    broker.child.kill('SIGKILL');
    throw new Error(`it hangs:\n${broker.output}`);
  });
  expect(exit).toEqual({ code: 1, signal: null });
  expect(broker.failureLines).toHaveLength(1);
  return broker.failureLines[0] ?? '';
}

/**
 * Starts a broker on `directory`: the reason why it did not start, or null after a clean stop. `isDiskTight`: room for the start may be too
 * little for the stop, which says so then.
 */
async function tryStart(workers: number, directory: string, isDiskTight = false): Promise<string | null> {
  const broker = await BrokerProcess.launch({ workers, directory });
  try {
    await broker.ready();
  } catch (error) {
    if (broker.child.exitCode === null) {
      broker.child.kill('SIGKILL');
      throw error;
    }
    return await reasonOf(broker);
  }
  const { code } = await within(EXIT_WITHIN_MS, broker.stop());
  if (isDiskTight && code === 1) expect(await reasonOf(broker)).toMatch(/did not stop cleanly: .*ENOSPC/);
  else expect(code).toBe(0);
  return null;
}

describe.each([0, 1, 2])('at %i workers', (workers) => {
  it('says where the disk is full, wherever that happens, and goes on from there once there is room', async (context) => {
    context.skip(noSmallDisk !== null, noSmallDisk ?? '');
    const disk = smallDisk(1);
    const reasons: string[] = [];
    for (let pages = 1; ; pages++) {
      expect(pages).toBeLessThan(PAGES_MAX);
      disk.resize(pages);
      const reason = await tryStart(workers, disk.directory('data'), true);
      if (reason === null) break;
      reasons.push(reason);
    }
    expect(reasons.length).toBeGreaterThan(3);
    for (const reason of reasons) expect(reason).toContain('ENOSPC');
    disk.resize(PAGES_MAX);
    const broker = await BrokerProcess.start({ workers, directory: disk.directory('data') });
    const client = await WireClient.connect(broker.port);
    await client.createTopic('roomy');
    expect(await client.produce('roomy', 0, labelled('roomy', 0, 1))).toMatchObject({ errorCode: 0 });
    client.close();
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
  });

  it('says where the disk is full from the very beginning', async (context) => {
    context.skip(noSmallDisk !== null, noSmallDisk ?? '');
    const disk = smallDisk(PAGES_MAX);
    const directory = disk.directory('data');
    disk.fill();
    expect(await tryStart(workers, directory)).toContain('ENOSPC');
  });

  it('ends with the reason when a fault of its own stops a worker while it runs', async () => {
    const fault = faultOnDemand();
    const broker = await BrokerProcess.start({ workers, directory: temporaryDirectory(), prelude: fault.prelude });
    const client = await WireClient.connect(broker.port);
    await client.createTopic('served');
    expect(await client.produce('served', 0, labelled('served', 0, 1))).toMatchObject({ errorCode: 0 });
    const isClosed = client.raw.closed;
    fault.provoke();
    void client.produce('served', 0, labelled('served', 1, 1)).catch(() => {});
    expect(await reasonOf(broker)).toMatch(/the broker failed: .*a fault on demand/);
    await within(EXIT_WITHIN_MS, isClosed);
  });

  it('ends the instance alone, and tells, in a process that is an application', async () => {
    const fault = faultOnDemand();
    const directory = temporaryDirectory();
    const args = [fileURLToPath(INSTANCE), directory, String(workers)];
    const child = spawn('/bin/sh', ['-c', `${fault.prelude}; exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanUps.push(() => child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const portOf = async (): Promise<number> => Number(/^ready (\d+)$/.exec(String((await lines.next()).value))?.[1]);
    const client = await WireClient.connect(await portOf());
    await client.createTopic('served');
    expect(await client.produce('served', 0, labelled('served', 0, 1))).toMatchObject({ errorCode: 0 });
    const isClosed = client.raw.closed;
    fault.provoke();
    void client.produce('served', 0, labelled('served', 1, 1)).catch(() => {});
    expect((await lines.next()).value).toMatch(/^failed .*a fault on demand/);
    await within(EXIT_WITHIN_MS, isClosed);
    // The process lives, and the directory is free for another instance.
    const reader = await WireClient.connect(await portOf());
    expect(labels(await reader.readAll('served'))[0]).toBe('served/0');
    reader.close();
    child.kill('SIGTERM');
    expect((await lines.next()).value).toBe('stopped');
  });

  it('shows why a worker could not be built: a quorum state of somebody else', async () => {
    const directory = temporaryDirectory();
    expect(await tryStart(workers, directory)).toBeNull();
    const path = join(directory, '__cluster_metadata-0', 'quorum-state');
    writeFileSync(path, 'not ours');
    expect(await tryStart(workers, directory)).toContain(`${path}: not a quorum state`);
  });

  it('shows why a worker could not be built: files may not grow', async () => {
    const directory = temporaryDirectory();
    expect(await tryStart(workers, directory)).toBeNull();
    const broker = await BrokerProcess.launch({ workers, directory, prelude: 'ulimit -f 8' });
    expect(await reasonOf(broker)).toContain('EFBIG');
  });

  // Without native calls there are no other threads.
  for (const native of workers === 0 ? ['on', 'off'] : ['on']) {
    it(`does not start where too few files may be open to serve anybody, and says how to raise the limit (native calls ${native})`, async () => {
      const directory = temporaryDirectory();
      const overrides = { 'naru.native': native };
      const reasons: string[] = [];
      let limit = 24;
      for (; ; limit += 20) {
        expect(limit).toBeLessThan(DESCRIPTORS_ENOUGH);
        const broker = await BrokerProcess.launch({ workers, directory, overrides, prelude: `ulimit -n ${limit}` });
        try {
          await broker.ready();
        } catch (error) {
          if (broker.child.exitCode === null) throw error;
          reasons.push(await reasonOf(broker));
          continue;
        }
        // It has said that it is ready: then it takes as many connections as it has promised.
        const clients = await Promise.all(Array.from({ length: CONNECTIONS_MIN }, () => WireClient.connect(broker.port)));
        for (const client of clients) await client.metadata();
        for (const client of clients) client.close();
        expect(await broker.stop()).toEqual({ code: 0, signal: null });
        break;
      }
      expect(reasons.length).toBeGreaterThan(2);
      reasons.forEach((reason, index) => {
        expect(reason).toMatch(
          new RegExp(`^naru: the limit of open files is ${24 + 20 * index}; .*needed here.*: raise it with "ulimit -n `),
        );
      });
    });
  }

  it('says which option asks for more memory than there is', async () => {
    const broker = await BrokerProcess.launch({ workers, overrides: { 'naru.memory.max': String(2 ** 50) } });
    try {
      expect(await broker.exit).toEqual({ code: 1, signal: null });
      expect(broker.failureLines).toEqual([expect.stringContaining(`naru.memory.max=${2 ** 50}: `)]);
    } finally {
      await broker.dispose();
    }
  });

  it('shows which file it cannot use: a directory where the metadata log should be', async () => {
    const directory = temporaryDirectory();
    expect(await tryStart(workers, directory)).toBeNull();
    const path = join(directory, '__cluster_metadata-0', '00000000000000000000.log');
    rmSync(path);
    mkdirSync(path);
    expect(await tryStart(workers, directory)).toContain(path);
  });
});

it('tells the failure, not what goes wrong in its wake', async () => {
  // The end closes the file that locks the directory.
  const fault = faultOnDemand({ alsoAtTheEnd: true });
  const broker = await BrokerProcess.start({ workers: 0, prelude: fault.prelude });
  const client = await WireClient.connect(broker.port);
  fault.provoke();
  void client.createTopic('too-late').catch(() => {});
  expect(await reasonOf(broker)).toMatch(/the broker failed: .*a fault on demand/);
  expect(broker.output).toMatch(/did not stop in order.*a fault at the end/);
});
