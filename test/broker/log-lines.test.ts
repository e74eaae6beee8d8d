// The log of a real broker: what a worker says in the last turn of its thread is written by the main thread before the process ends, after
// an orderly stop and after a crash; each line is whole, and says which component it is from.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerProcess, within } from '../support/broker-process.ts';

const SABOTAGE = new URL('../support/sabotage.mjs', import.meta.url).href;
const LINES = 2000;
const WITHIN_MS = 30_000;
const SLOW_MS = 300;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A broker whose worker 1 says LINES lines before its thread ends; `what` makes it end at once. */
async function talkative(format: 'plain' | 'json'): Promise<{ broker: BrokerProcess; sabotage: (what: string) => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'naru-lines-'));
  const trigger = join(folder, 'sabotage');
  const broker = await BrokerProcess.start({
    workers: 2,
    overrides: { 'naru.log.format': format },
    environment: {
      NODE_OPTIONS: `--import=${SABOTAGE}`,
      NARU_TEST_SABOTAGE_FILE: trigger,
      NARU_TEST_LAST_LINES: String(LINES),
    },
  });
  cleanUps.push(
    () => broker.dispose(),
    () => rmSync(folder, { recursive: true }),
  );
  const sabotage = (what: string): void => {
    writeFileSync(`${trigger}.new`, what);
    renameSync(`${trigger}.new`, trigger); // Seen whole or not at all.
  };
  return { broker, sabotage };
}

const WORDS = Array.from({ length: LINES }, (_, i) => `last words ${i}`);

/** What the lines say, of those that the worker said last. */
function saidIn(output: string, format: 'plain' | 'json'): string[] {
  const lines = output.split('\n').filter((line) => line.includes('last words'));
  if (format === 'plain') {
    return lines.map((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}\[log\] (last words \d+)$/.exec(line)?.[1] ?? `not a line: ${line}`);
  }
  return lines.map((line) => {
    const { level, component, msg } = JSON.parse(line) as Record<string, unknown>;
    return level === 40 && component === 'log' ? String(msg) : `not a line: ${line}`;
  });
}

describe.each(['plain', 'json'] as const)('lines in %s', (format) => {
  it('are all there after an orderly stop, for a reader that is slow', async () => {
    const { broker } = await talkative(format);
    broker.child.stderr?.pause();
    const stopped = broker.stop();
    await delay(SLOW_MS); // More is said meanwhile than a pipe holds.
    broker.child.stderr?.resume();
    expect(await within(WITHIN_MS, stopped)).toEqual({ code: 0, signal: null });
    expect(saidIn(broker.output, format)).toEqual(WORDS);
  });

  it.each(['throw', 'reject', 'exit'])('are all there after a worker died (%s)', async (what) => {
    const { broker, sabotage } = await talkative(format);
    sabotage(what);
    expect(await within(WITHIN_MS, broker.exit)).toEqual({ code: 1, signal: null });
    expect(saidIn(broker.output, format)).toEqual(WORDS);
    expect(broker.failureLines.join('\n')).toMatch(/worker 1/);
  });
});
