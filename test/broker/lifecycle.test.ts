// How a broker process ends, and when it does not even begin: signals, a taken port, a locked directory, a worker that dies.
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { LoadProducer } from '../support/load-producer.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';

const SABOTAGE = new URL('../support/sabotage.mjs', import.meta.url).href;

for (const workers of [0, 2]) {
  describe(`at ${workers} workers`, () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`stops cleanly on ${signal}, with clients that produce, wait and idle`, async () => {
        const broker = await BrokerProcess.start({ workers });
        try {
          const client = await WireClient.connect(broker.port);
          const topic = 'stopped';
          await client.createTopic(topic, 4);
          const load = new LoadProducer(broker.port, {
            topic,
            partitions: [0, 1, 2],
            label: 'load',
            producer: await client.producerId(),
            random: Math.random,
          });
          const idle = await RawClient.connect(broker.port);
          const waiting = await WireClient.connect(broker.port);
          waiting.sendFetch({ maxWaitMs: 600_000, topics: [{ topic, partitions: [{ partition: 3, partitionMaxBytes: 1000 }] }] });
          await delay(300);
          expect(await broker.stop(signal)).toEqual({ code: 0, signal: null });
          await Promise.all([idle.closed, waiting.raw.closed]);
          expect(existsSync(join(broker.directory, '.kafka_cleanshutdown'))).toBe(true);
          expect(broker.failureLines).toEqual([]);
          const again = await BrokerProcess.start({ workers, directory: broker.directory });
          load.port = again.port;
          await load.stop();
          const reader = await WireClient.connect(again.port);
          for (const partition of [0, 1, 2]) {
            expect(labels(await reader.readAll(topic, partition))).toEqual(range(`load-${partition}`, 0, load.next));
          }
          reader.close();
          expect(await again.stop()).toEqual({ code: 0, signal: null });
        } finally {
          await broker.dispose();
        }
      });
    }

    it('stops at once on a second signal', async () => {
      const broker = await BrokerProcess.start({ workers });
      try {
        // Both are there when it goes on: the second is heard while it stops.
        broker.child.kill('SIGSTOP');
        broker.child.kill('SIGINT');
        broker.child.kill('SIGTERM');
        broker.child.kill('SIGCONT');
        const { code } = await broker.exit;
        expect([130, 143]).toContain(code);
      } finally {
        await broker.dispose();
      }
    });

    it('says in one line that the port is taken, and leaves the directory as it was', async () => {
      const port = await freePort();
      const other = createServer();
      await new Promise<void>((done) => other.listen(port, '127.0.0.1', done));
      const broker = await BrokerProcess.launch({ workers, port });
      try {
        expect(await broker.exit).toEqual({ code: 1, signal: null });
        expect(broker.failureLines).toHaveLength(1);
        expect(broker.failureLines[0]).toContain(`127.0.0.1:${port}`);
        await new Promise((done) => other.close(done));
        const again = await BrokerProcess.start({ workers, port, directory: broker.directory });
        expect((await again.stop()).code).toBe(0);
      } finally {
        other.close();
        await broker.dispose();
      }
    });

    for (const native of ['on', 'off']) {
      it(`says in one line that the directory is another’s, native calls ${native}`, async () => {
        const overrides = { 'naru.native': native };
        const first = await BrokerProcess.start({ workers, overrides });
        try {
          const second = await BrokerProcess.launch({ workers, overrides, directory: first.directory });
          expect(await second.exit).toEqual({ code: 1, signal: null });
          expect(second.failureLines).toHaveLength(1);
          expect(second.failureLines[0]).toContain(first.directory);
          const client = await WireClient.connect(first.port);
          await client.createTopic('mine');
          expect(await client.produce('mine', 0, labelled('mine', 0, 1))).toMatchObject({ errorCode: 0 });
          client.close();
          // Killed, it leaves no lock behind that would keep the next one out.
          await first.stop('SIGKILL');
          const third = await BrokerProcess.start({ workers, overrides, directory: first.directory });
          const reader = await WireClient.connect(third.port);
          expect(labels(await reader.readAll('mine'))).toEqual(['mine/0']);
          reader.close();
          expect((await third.stop()).code).toBe(0);
        } finally {
          await first.dispose();
        }
      });
    }
  });
}

for (const what of ['throw', 'reject', 'exit']) {
  it(`ends with a message and a non-zero code when a worker dies (${what})`, async () => {
    const trigger = join(process.env.TMPDIR ?? '/tmp', `naru-sabotage-${process.pid}-${what}`);
    const broker = await BrokerProcess.start({
      workers: 2,
      environment: { NODE_OPTIONS: `--import=${SABOTAGE}`, NARU_TEST_SABOTAGE_FILE: trigger },
    });
    try {
      const client = await WireClient.connect(broker.port);
      const topic = 'survivor';
      await client.createTopic(topic, 2);
      for (const partition of [0, 1]) await client.produce(topic, partition, labelled('s', 0, 3));
      writeFileSync(`${trigger}.new`, what);
      renameSync(`${trigger}.new`, trigger);
      const { code } = await broker.exit;
      expect(code).toBe(1);
      await client.raw.closed;
      expect(broker.failureLines.join('\n')).toMatch(/worker 1/);
      const again = await BrokerProcess.start({ workers: 2, directory: broker.directory });
      const reader = await WireClient.connect(again.port);
      for (const partition of [0, 1]) expect(labels(await reader.readAll(topic, partition))).toEqual(range('s', 0, 3));
      reader.close();
      expect((await again.stop()).code).toBe(0);
    } finally {
      rmSync(trigger, { force: true });
      await broker.dispose();
    }
  });
}

it('ends with a message and a non-zero code when a worker dies while it stops, and calls the directory clean no more', async () => {
  const trigger = join(process.env.TMPDIR ?? '/tmp', `naru-sabotage-${process.pid}-stop`);
  const broker = await BrokerProcess.start({
    workers: 2,
    environment: { NODE_OPTIONS: `--import=${SABOTAGE}`, NARU_TEST_SABOTAGE_FILE: trigger },
  });
  try {
    writeFileSync(trigger, 'stop');
    expect(await broker.stop()).toEqual({ code: 1, signal: null });
    expect(broker.failureLines).toEqual(['naru: the broker did not stop cleanly: worker 1 failed: Error: sabotaged']);
    expect(existsSync(join(broker.directory, '.kafka_cleanshutdown'))).toBe(false);
  } finally {
    rmSync(trigger, { force: true });
    await broker.dispose();
  }
});
