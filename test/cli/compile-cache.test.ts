// Code that was compiled stays for the next start, however this one ends.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { BrokerProcess, within } from '../support/broker-process.ts';

const WRITTEN_WITHIN_MS = 20_000;

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** What Node has written so far: a folder for itself and the user, a file for each module in it. */
function cachedCount(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('/') && !path.endsWith('.tmp'))
    .length;
}

it.each([0, 1])('is written by a broker that runs, at %i workers', async (workers) => {
  const directory = mkdtempSync(join(tmpdir(), 'naru-compiled-'));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  const broker = await BrokerProcess.start({ workers, prelude: `export NODE_COMPILE_CACHE=${directory}` });
  cleanUps.push(() => rmSync(broker.directory, { recursive: true, force: true }));
  const isWritten = async (): Promise<void> => {
    while (cachedCount(directory) === 0) await delay(20);
  };
  await within(WRITTEN_WITHIN_MS, isWritten());
  await broker.stop('SIGKILL');
  expect(cachedCount(directory)).toBeGreaterThan(0);
});
