// A metadata log that holds less than it did when the broker stopped, cleanly or not: a start on it would put partitions aside that are
// somebody's records. It is refused with one line, at every start, and nothing is changed before a person has decided.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const METADATA = '__cluster_metadata-0';
const LOG = join(METADATA, '00000000000000000000.log');
const CHECKPOINT = 'recovery-point-offset-checkpoint';
const WORKERS = 1;
const NOTED_WITHIN_MS = 60_000;

const base = mkdtempSync(join(tmpdir(), 'naru-lost-'));
let directory = '';

/** How far the checkpoint says the metadata log goes; 0 where it does not. */
function notedEnd(from: string): number {
  const path = join(from, CHECKPOINT);
  return existsSync(path) ? Number(/^__cluster_metadata 0 (\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0) : 0;
}

/** Two topics, the second made last, and what a stop by `signal` leaves of them. */
async function leaveBehind(path: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const overrides = { 'log.flush.offset.checkpoint.interval.ms': '50', 'metadata.max.idle.interval.ms': '0' };
  const broker = await BrokerProcess.start({ workers: WORKERS, directory: path, overrides });
  const client = await WireClient.connect(broker.port);
  await client.createTopic('first');
  for (const topic of ['first', 'last']) {
    if (topic === 'last') await client.createTopic('last');
    expect(await client.produce(topic, 0, labelled(topic, 0, 3))).toMatchObject({ errorCode: 0 });
  }
  // Twice: the first that comes may have been on its way when the last topic was made.
  for (let i = 0; i < 2; i++) {
    rmSync(join(path, CHECKPOINT), { force: true });
    await vi.waitFor(() => expect(notedEnd(path)).toBeGreaterThan(0), NOTED_WITHIN_MS);
  }
  client.close();
  await broker.stop(signal);
}

async function refusal(): Promise<string> {
  const broker = await BrokerProcess.launch({ workers: WORKERS, directory });
  expect(await broker.exit).toEqual({ code: 1, signal: null });
  expect(broker.failureLines).toHaveLength(1);
  return broker.failureLines[0] ?? '';
}

async function readBack(topic: string): Promise<string[]> {
  const broker = await BrokerProcess.start({ workers: WORKERS, directory });
  const client = await WireClient.connect(broker.port);
  const read = labels(await client.readAll(topic));
  client.close();
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
  return read;
}

beforeAll(async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) await leaveBehind(join(base, signal), signal);
}, 120_000);

afterEach(() => rmSync(directory, { recursive: true, force: true }));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const DAMAGE: readonly (readonly [how: string, damage: () => void])[] = [
  ['is removed', () => rmSync(join(directory, LOG))],
  ['is emptied', () => truncateSync(join(directory, LOG), 0)],
  ['has lost half of it', () => truncateSync(join(directory, LOG), readFileSync(join(directory, LOG)).length >> 1)],
  [
    'is damaged in its midst',
    () => {
      const bytes = readFileSync(join(directory, LOG));
      bytes.fill(0xa7, bytes.length >> 1, (bytes.length >> 1) + 20);
      writeFileSync(join(directory, LOG), bytes);
    },
  ],
  ['is removed with its directory', () => rmSync(join(directory, METADATA), { recursive: true })],
];

describe.each(['SIGTERM', 'SIGKILL'] as const)('after %s', (signal) => {
  it.each(DAMAGE)('a start is refused, again and again, where the metadata log %s; a copy of it mends that', async (_how, damage) => {
    directory = join(base, 'tried');
    cpSync(join(base, signal), directory, { recursive: true });
    damage();
    const log = existsSync(join(directory, LOG)) ? readFileSync(join(directory, LOG)) : null;
    const hadDirectory = existsSync(join(directory, METADATA));
    for (let start = 0; start < 2; start++) {
      const line = await refusal();
      expect(line).toContain(`${directory}/${METADATA}: the metadata log can be read up to offset `);
      expect(line).toContain(`remove ${directory}/${CHECKPOINT}`);
    }
    expect(existsSync(join(directory, LOG)) ? readFileSync(join(directory, LOG)) : null).toEqual(log);
    expect(existsSync(join(directory, METADATA))).toBe(hadDirectory);
    expect(readdirSync(directory).filter((name) => name.endsWith('-stray'))).toEqual([]);
    cpSync(join(base, signal, METADATA), join(directory, METADATA), { recursive: true });
    for (const topic of ['first', 'last']) expect(await readBack(topic)).toEqual(range(topic, 0, 3));
  });

  it('goes on with what is left where a person says so, and puts the other partitions aside', async () => {
    directory = join(base, 'tried');
    cpSync(join(base, signal), directory, { recursive: true });
    const whole = readFileSync(join(directory, LOG));
    // The topic that was made last goes, by the name in its record.
    truncateSync(join(directory, LOG), whole.indexOf('last'));
    await refusal();
    rmSync(join(directory, CHECKPOINT));
    expect(await readBack('first')).toEqual(range('first', 0, 3));
    expect(readdirSync(directory).filter((name) => /^last-0\..*-stray$/.test(name))).toHaveLength(1);
  });

  it('is refused for the partitions that lie there, where nobody has noted how far the log went', async () => {
    directory = join(base, 'tried');
    cpSync(join(base, signal), directory, { recursive: true });
    rmSync(join(directory, CHECKPOINT));
    rmSync(join(directory, METADATA), { recursive: true });
    for (let start = 0; start < 2; start++) {
      expect(await refusal()).toContain('the metadata log is empty or missing, and 2 partitions lie beside it');
    }
    for (const name of ['first-0', 'last-0']) rmSync(join(directory, name), { recursive: true });
    const broker = await BrokerProcess.start({ workers: WORKERS, directory });
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
  });
});
