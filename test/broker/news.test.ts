// What a broker tells an operator at level info, over its life: how it starts, what a crash left, what changed, how it stops; each of it once,
// however many workers there are.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { updateFeaturesRequest, updateFeaturesResponse } from '../../src/protocol/apis/update-features.ts';
import { labelled } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const PATIENCE_MS = 30_000;
const TOPICS = 40;
const TIMES = { timeoutMs: 10_000 };

/** The lines at info, without their times and what differs from run to run. */
function toldBy(broker: BrokerProcess): string[] {
  return broker.output
    .split('\n')
    .map((line) => /^\S+ INFO {2}(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
    .map((line) => line.replace(/ tookMs=\d+/, '').replace(/ id=[\w-]{22}/, ''));
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await delay(20);
  }
}

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  it('a life: made, changed, killed, recovered, stopped', async () => {
    const first = await BrokerProcess.start({ workers });
    const { directory } = first;
    try {
      const client = await WireClient.connect(first.port);
      await client.createTopic('one', 3, { 'retention.ms': '-1' });
      const topics = Array.from({ length: TOPICS }, (_, i) => ({ name: `many-${i}`, numPartitions: 2, replicationFactor: 1 }));
      await client.ask(createTopicsRequest, createTopicsResponse, 7, { topics, ...TIMES });
      await client.ask(createPartitionsRequest, createPartitionsResponse, 3, {
        topics: [{ name: 'one', count: 4, assignments: null }],
        ...TIMES,
      });
      const resources = [
        { resourceType: 4, resourceName: '', configs: [{ name: 'log.retention.ms', configOperation: 0, value: '86400000' }] },
      ];
      await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
      const featureUpdates = [{ feature: 'group.version', maxVersionLevel: 0, upgradeType: 3 }];
      await client.ask(updateFeaturesRequest, updateFeaturesResponse, 1, { timeoutMs: 10_000, featureUpdates });
      await client.deleteTopic('many-7');
      await client.produce('one', 0, labelled('kept', 0, 5));
      client.close();
      const start = expect.stringMatching(
        new RegExp(
          `^\\[broker\\] the broker starts version=\\S+ node=v\\S+ pid=${first.child.pid} nodeId=1 clusterId=\\S{22} directories=${directory} lastStop=none workers=${workers} descriptors=\\S+$`,
        ),
      );
      const expected = [
        start,
        '[log] logs are open logs=0',
        `[broker] the broker serves listeners=PLAINTEXT://127.0.0.1:${first.port}`,
        '[metadata] topic made topic=one partitions=3 set="retention.ms=-1"',
        `[metadata] topics made count=${TOPICS} partitions=${2 * TOPICS} topics="many-0, many-1, many-2, many-3, many-4 and ${TOPICS - 5} more"`,
        '[metadata] topic grown topic=one partitions=4 added=1',
        '[metadata] configuration changed of="all brokers" set="log.retention.ms=86400000"',
        '[metadata] features changed levels="group.version=0"',
        '[metadata] topic deleted topic=many-7 partitions=2',
      ];
      await until('all is told', () => toldBy(first).length >= expected.length);
      expect(toldBy(first)).toEqual(expected);
      await first.stop('SIGKILL');
      appendFileSync(join(directory, 'one-0', '00000000000000000000.log'), Buffer.alloc(77, 1));

      const second = await BrokerProcess.start({ workers, directory });
      expect((await second.stop()).code).toBe(0);
      const lines = toldBy(second);
      expect(lines).toEqual([
        expect.stringContaining('lastStop=unclean'),
        '[log] the last stop was not clean: logs are checked behind their recovery points',
        expect.stringMatching(/^\[log\] logs are open logs=82 checkedLogs=82 checkedBytes=\d+ cutLogs=1 cutBytes=77$/),
        `[broker] the broker serves listeners=PLAINTEXT://127.0.0.1:${second.port}`,
        '[broker] the broker stops reason=SIGTERM',
        '[broker] the broker has stopped clean=true',
      ]);
      expect(Number(/checkedBytes=(\d+)/.exec(lines[2] ?? '')?.[1])).toBeGreaterThan(77);

      const third = await BrokerProcess.start({ workers, directory });
      expect((await third.stop('SIGINT')).code).toBe(0);
      expect(toldBy(third)).toEqual([
        expect.stringContaining('lastStop=clean'),
        '[log] logs are open logs=82',
        `[broker] the broker serves listeners=PLAINTEXT://127.0.0.1:${third.port}`,
        '[broker] the broker stops reason=SIGINT',
        '[broker] the broker has stopped clean=true',
      ]);
    } finally {
      await first.dispose();
    }
  });

  it('segments that retention takes are told once for a partition and pass, in however many pieces they go', async () => {
    const overrides = { 'log.initial.task.delay.ms': '0', 'log.retention.check.interval.ms': '100' };
    const broker = await BrokerProcess.start({ workers, overrides });
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic('t', 1, { 'internal.segment.bytes': '400', 'retention.ms': '-1' });
      for (let i = 0; i < 30; i++) await client.produce('t', 0, labelled('v', i, 1, { valueBytes: 200 }));
      const resources = [{ resourceType: 2, resourceName: 't', configs: [{ name: 'retention.bytes', configOperation: 0, value: '1' }] }];
      await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
      await until('all but the last are gone', async () => (await client.offsetAt('t', 0, -2)) >= 29);
      client.close();
      expect((await broker.stop()).code).toBe(0);
      const deleted = toldBy(broker).filter((line) => line.includes('segments are deleted'));
      expect(deleted).toEqual([
        expect.stringMatching(
          /^\[log\] segments are deleted topic=t partition=0 segments=(\d+) belowStart=0 forSize=\1 forTime=0 logStartOffset=\d+$/,
        ),
      ]);
    } finally {
      await broker.dispose();
    }
  });
});
