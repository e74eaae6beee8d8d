// What clients see of a clean stop: every answer that was given, and then the end, not a connection that breaks off.
// That no worker closes its logs under the others' clients: test/simulation/orderly-stop.test.ts.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess, within } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const STOPPED_WITHIN_MS = 10_000;
const PARTITIONS = [0, 1, 2];
/** Far more than a broker takes from a connection at once, so that a stop finds requests in the kernel's buffers. */
const PIPELINED = 2000;

describe.each([0, 1, 2])('at %i workers', (workers) => {
  it('a client that pipelines hears of every record that was written, then the end', async () => {
    const broker = await BrokerProcess.start({ workers });
    try {
      const client = await WireClient.connect(broker.port);
      const topic = 'pipelined';
      await client.createTopic(topic, PARTITIONS.length);
      const errors: string[] = [];
      client.raw.socket.on('error', (error) => errors.push(error.message));
      let hasEnded = false;
      client.raw.socket.on('end', () => {
        hasEnded = true;
      });
      const correlationIds: number[] = [];
      const sendNext = (): void => {
        const index = correlationIds.length;
        const partition = index % PARTITIONS.length;
        const batch = labelled(String(partition), Math.floor(index / PARTITIONS.length), 1, { valueBytes: 2000 });
        correlationIds.push(client.sendProduce(topic, new Map([[partition, batch]])));
      };
      while (correlationIds.length < PIPELINED) sendNext();
      const acknowledged = PARTITIONS.map(() => 0);
      try {
        for (let answered = 0; ; answered++) {
          if (answered === 100) broker.child.kill('SIGTERM');
          const [produced] = await client.receiveProduced(correlationIds[answered] ?? -1);
          if (produced?.errorCode === 0) acknowledged[produced.index] = (acknowledged[produced.index] ?? 0) + 1;
          if (!hasEnded) sendNext();
        }
      } catch {
        // The connection was closed.
      }
      expect(await within(STOPPED_WITHIN_MS, broker.exit)).toEqual({ code: 0, signal: null });
      expect([errors, hasEnded]).toEqual([[], true]);
      const again = await BrokerProcess.start({ workers, directory: broker.directory });
      const reader = await WireClient.connect(again.port);
      for (const partition of PARTITIONS) {
        expect(labels(await reader.readAll(topic, partition))).toEqual(range(String(partition), 0, acknowledged[partition] ?? 0));
      }
      reader.close();
      expect(await again.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await broker.dispose();
    }
  });

  it('does not wait for clients that never end their side, whether they are silent or go on sending', async () => {
    const broker = await BrokerProcess.start({ workers });
    const sockets = await Promise.all(
      [0, 1].map(
        (): Promise<ReturnType<typeof connect>> =>
          new Promise((done, fail) => {
            const socket = connect({ port: broker.port, host: '127.0.0.1', allowHalfOpen: true }, () => done(socket));
            socket.once('error', fail);
          }),
      ),
    );
    try {
      const [sending] = sockets;
      // One frame that never comes to its end.
      const head = Buffer.alloc(4);
      head.writeInt32BE(100_000_000);
      sending?.write(Buffer.concat([head, Buffer.from([0, 0, 0, 12, 0, 0, 0, 1, 0xff, 0xff])]));
      const more = setInterval(() => sending?.write(Buffer.alloc(50_000)), 5);
      for (const socket of sockets) {
        socket.on('error', () => {}); // In the end they are broken off.
        socket.resume();
      }
      await new Promise((done) => setTimeout(done, 100));
      expect(await within(STOPPED_WITHIN_MS, broker.stop())).toEqual({ code: 0, signal: null });
      expect(broker.failureLines).toEqual([]);
      clearInterval(more);
    } finally {
      for (const socket of sockets) socket.destroy();
      await broker.dispose();
    }
  });
});
