// Apache Kafka's dump-log reads what we write, live, stopped cleanly, and after a crash, and finds nothing to complain about.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FileStorage } from '../../src/log/file-storage.ts';
import type { Log } from '../../src/log/log.ts';
import { kafkaTool, kafkaToolMissing } from '../support/kafka-tools.ts';
import { skipSuite } from '../support/skip.ts';
import { append, batch, NOW_MS, openLog, stage } from './log-fixtures.ts';

const JVM_START_MS = 120_000;

const root = mkdtempSync(`${tmpdir()}/naru-dump-`);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What dump-log says about all files of a directory: the records' lines, and everything that is a complaint. */
function dump(directory: string): { offsets: number[]; complaints: string[]; text: string } {
  const files = readdirSync(directory).filter((name) => /\.(log|index|timeindex|snapshot)$/.test(name));
  const paths = files.map((name) => join(directory, name)).join(',');
  const run = spawnSync(kafkaTool, ['run', 'dump-log', '--deep-iteration', '--print-data-log', '--files', paths], {
    encoding: 'utf8',
    timeout: JVM_START_MS,
  });
  const lines = `${run.stdout}\n${run.stderr}`.split('\n');
  const offsets = lines.filter((line) => line.startsWith('| offset: ')).map((line) => Number(/offset: (\d+)/.exec(line)?.[1]));
  // Each segment is looked at from "offset -1" on, so that every one but the first begins with a jump.
  const isJumpIntoSegment = (line: string): boolean => /^ {2}-1 is followed by \d+$/.test(line);
  const isFine = (line: string): boolean =>
    line === '' ||
    isJumpIntoSegment(line) ||
    /^(Dumping|Log starting offset|baseOffset:|\| offset:|offset:|timestamp:|producerId:|Non-consecutive offsets in| *.* is empty\.$)/.test(
      line,
    );
  return { offsets, complaints: lines.filter((line) => !isFine(line)), text: lines.join('\n') };
}

function write(directory: string, count: number): Log {
  const config = { segmentBytes: 20_000, indexIntervalBytes: 500 };
  const log = openLog({ storage: new FileStorage(), directory, config, nowMs: NOW_MS });
  for (let i = 0; i < count; i++) {
    const producer = i % 2 === 0 ? { producerId: 40 + (i % 3), producerEpoch: 1, baseSequence: Math.floor(i / 6) * 2 } : {};
    const values = [`${i}-a`.padEnd(20 + (i % 90), 'x'), `${i}-b`];
    const bytes = batch({
      values,
      timestampMs: NOW_MS + ((i * 13) % 500) + i,
      compression: [0, 1, 2, 3, 4][i % 5] as number,
      key: 'k',
      ...producer,
    });
    const result = stage(log, bytes, { epoch: Math.floor(i / 100), nowMs: NOW_MS });
    if (result.error !== 0) throw new Error(`${i}: ${result.error} ${result.errorMessage}`);
    if (i % 4 === 0) log.writeStaged();
  }
  log.writeStaged();
  return log;
}

describe('dump-log', () => {
  skipSuite(kafkaToolMissing);
  const offsets = (count: number): number[] => Array.from({ length: count * 2 }, (_, i) => i);

  test('after a clean stop', { timeout: JVM_START_MS }, () => {
    const directory = join(root, 'clean-0');
    write(directory, 600).close({ clean: true });
    const found = dump(directory);
    expect(found.complaints).toEqual([]);
    expect(found.offsets).toEqual(offsets(600));
    expect(found.text).toMatch(/\.index\noffset: /);
    expect(found.text).toMatch(/\.timeindex\ntimestamp: /);
    // 600 batches, every other one idempotent: i = 596, 594 and 598 are the last of producers 42, 40 and 41.
    expect(found.text).toMatch(/producerId: 40 producerEpoch: 1 .*firstSequence: 198 lastSequence: 199 lastOffset: 1189 offsetDelta: 1/);
  });

  test('after a crash, and again after our recovery of it', { timeout: JVM_START_MS }, () => {
    const directory = join(root, 'crashed-0');
    const log = write(directory, 300);
    log.flush();
    for (let i = 0; i < 5; i++) append(log, batch({ values: ['tail'], timestampMs: NOW_MS + 2000 }), { epoch: 3 });
    const { recoveryPoint } = log;
    log.close({ clean: false });
    const torn = new FileStorage().open(
      join(
        directory,
        readdirSync(directory)
          .filter((name) => name.endsWith('.log'))
          .sort()
          .at(-1) as string,
      ),
      'read-write',
    );
    torn.truncate(torn.sizeBytes() - 10);
    torn.close();
    const again = openLog({
      storage: new FileStorage(),
      directory,
      config: { segmentBytes: 20_000, indexIntervalBytes: 500 },
      recoveryPoint,
    });
    expect(again.writtenEnd).toBe(604);
    append(again, batch({ values: ['after'], timestampMs: NOW_MS + 3000 }), { epoch: 4 });
    again.close({ clean: true });
    const found = dump(directory);
    expect(found.complaints).toEqual([]);
    expect(found.offsets).toEqual(Array.from({ length: 605 }, (_, i) => i));
  });
});
