// A start that is called off: at whatever step it is heard, all of it stops, the directory is free again and loses nothing.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextRound } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startBroker } from '../../src/broker/broker.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { loggerTo } from '../../src/telemetry/logger.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess, freePort, within } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const TOPIC = 'kept';
const RECORDS = 20;
const CLEAN_MARK = '.kafka_cleanshutdown';
const ROUNDS = 4;
const STOPPED_WITHIN_MS = 10_000;

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory that a broker with acknowledged records was killed on: its logs have to be recovered. */
async function uncleanDirectory(workers: number): Promise<string> {
  const broker = await BrokerProcess.start({ workers });
  directories.push(broker.directory);
  const client = await WireClient.connect(broker.port);
  await client.createTopic(TOPIC, 3);
  for (const partition of [0, 1, 2]) await client.produce(TOPIC, partition, labelled(String(partition), 0, RECORDS));
  await broker.stop('SIGKILL');
  client.close();
  return broker.directory;
}

async function expectNothingLost(workers: number, directory: string): Promise<void> {
  const broker = await BrokerProcess.start({ workers, directory });
  const client = await WireClient.connect(broker.port);
  for (const partition of [0, 1, 2]) {
    expect(labels(await client.readAll(TOPIC, partition))).toEqual(range(String(partition), 0, RECORDS));
  }
  client.close();
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
  expect(existsSync(join(directory, CLEAN_MARK))).toBe(true);
}

describe.each([0, 2])('at %i workers', (workers) => {
  it('stops wherever it hears of it, and does not call a directory clean that it has not recovered', async () => {
    const directory = await uncleanDirectory(workers);
    const port = await freePort();
    const { config } = resolveBrokerConfig({
      coreCount: 2,
      port,
      overrides: [
        ['naru.workers', String(workers)],
        ['log.dirs', directory],
      ],
    });
    const logger = loggerTo(() => {}, 'error');
    let calledOffCount = 0;
    // Rounds of the event loop at first, then milliseconds, since threads take their time.
    for (let step = 0; ; step = step < ROUNDS ? step + 1 : step * 2) {
      const callOff = new AbortController();
      const starting = startBroker(config, logger, callOff.signal);
      const outcome = starting.then(
        (broker) => broker,
        (error: unknown) => error,
      );
      if (step < ROUNDS) for (let i = 0; i < step; i++) await nextRound();
      else await delay(step);
      callOff.abort(new Error('called off'));
      const ended = await within(STOPPED_WITHIN_MS, outcome);
      if (ended !== callOff.signal.reason) {
        const broker = await starting; // It was ready before that.
        await broker.stop();
        break;
      }
      calledOffCount++;
      expect(existsSync(join(directory, CLEAN_MARK))).toBe(false);
    }
    expect(calledOffCount).toBeGreaterThan(2);
    await expectNothingLost(workers, directory);
  });

  it('one that was called off before it began touches nothing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'naru-called-off-'));
    directories.push(directory);
    const { config } = resolveBrokerConfig({ coreCount: 2, overrides: [['log.dirs', directory]] });
    await expect(
      startBroker(
        config,
        loggerTo(() => {}, 'error'),
        AbortSignal.abort(),
      ),
    ).rejects.toThrow('aborted');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('a signal during the start is a clean stop with exit code 0', async () => {
    const directory = await uncleanDirectory(workers);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      rmSync(join(directory, '.lock'), { force: true });
      const broker = await BrokerProcess.launch({ workers, directory });
      // The first thing that a start does; it hears signals by then.
      while (!existsSync(join(directory, '.lock')) && broker.child.exitCode === null) await nextRound();
      expect(await within(STOPPED_WITHIN_MS, broker.stop(signal))).toEqual({ code: 0, signal: null });
      expect(broker.failureLines).toEqual([]);
    }
    await expectNothingLost(workers, directory);
  });
});
