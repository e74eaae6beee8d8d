// Whatever is sent to the broker, its answer is Apache Kafka's (test/golden/answers/bad-input.json) or a documented other one, the
// process lives, and a second client that is served at the same time notices nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { API, apiName } from '../../src/protocol/api-keys.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { badInputCases, type Outcome, poke, produceBeside, validBodies } from '../support/bad-input.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { Bystander } from '../support/bystander.ts';
import { RawClient, requestFrame } from '../support/raw-client.ts';
import { Target } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
const recorded: Record<string, Outcome> = JSON.parse(readFileSync(join(import.meta.dirname, '../golden/answers/bad-input.json'), 'utf8'));

const good = (end: number) => ({ errorCode: 0, baseOffset: 0, end });
const refusedAlone = (errorCode: number) => ({
  'partition 0': good(2),
  'partition 1': { errorCode, baseOffset: -1, end: 0 },
  'partition 2': good(2),
});

/** Where Naru's answer is meant to be another, and why. */
function departure(name: string): Outcome | null {
  // Apache refuses the whole request when it cannot find the borders of a batch; here the other partitions succeed.
  if (/^a batch with (magic (-128|-1|3|127)|batch length (-2147483648|-1|0|13))$/.test(name)) return refusedAlone(ERROR.CORRUPT_MESSAGE);
  // Apache runs into an exception of its own, and says UNKNOWN_SERVER_ERROR.
  if (/^a batch with compression type/.test(name)) return refusedAlone(ERROR.UNSUPPORTED_COMPRESSION_TYPE);
  return null;
}

/** Resident memory of a process, in bytes. */
function residentBytes(pid: number | undefined): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

async function inGroups<T>(items: readonly T[], size: number, work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(work));
}

for (const workers of [0, 2]) {
  describe(`at ${workers} workers`, () => {
    let target: Target;
    let bystander: Bystander;
    let topicCount = 0;
    const unique = (): string => `${process.pid}-${workers}-${++topicCount}`;

    beforeAll(async () => {
      target = await Target.open(workers);
      bystander = await Bystander.start(target.port, `bystander-${unique()}`);
    });
    afterEach(async () => {
      await bystander.check();
      expect(target.broker.child.exitCode).toBe(null);
    });
    afterAll(async () => {
      await bystander?.stop();
      await target?.close();
    });

    for (const { name, run } of badInputCases) {
      it(name, async () => {
        expect(recorded).toHaveProperty([name]);
        expect(await run(target.port, unique())).toEqual(departure(name) ?? recorded[name]);
      });
    }

    it('null for a batch is refused for its partition', async () => {
      // Apache never answers this.
      expect(await produceBeside(target.port, `null-${unique()}`, null)).toEqual(refusedAlone(ERROR.INVALID_RECORD));
    });

    it('an API that Kafka knows and Naru does not serve closes the connection', async () => {
      expect(await poke(target.port, requestFrame(API.AddPartitionsToTxn, 3, 7, Buffer.alloc(20), true))).toBe('closed');
    });

    it('says why it closed, with the peer and the reason', async () => {
      await poke(target.port, Buffer.from('GET /metrics HTTP/1.1\r\n\r\n'));
      await expect.poll(() => target.broker.output).toMatch(/127\.0\.0\.1.*HTTP|HTTP.*127\.0\.0\.1/);
    });

    it('a request cut at any byte closes the connection', async () => {
      const client = await WireClient.connect(target.port);
      const topic = `cut-${unique()}`;
      await client.createTopic(topic);
      client.close();
      const wrong: string[] = [];
      for (const { apiKey, version, frame, body } of validBodies(topic)) {
        const cuts = Array.from({ length: body.length }, (_, left) => left).filter(
          (left) => body.length <= 60 || left % 5 === 0 || left > body.length - 10,
        );
        await inGroups(cuts, 16, async (left) => {
          const cut = Buffer.from(frame.subarray(0, frame.length - body.length + left));
          cut.writeInt32BE(cut.length - 4, 0);
          const outcome = await poke(target.port, cut, 3000);
          if (outcome !== 'closed')
            wrong.push(`${apiName(apiKey)} v${version}, ${left} of ${body.length} bytes: ${describeOutcome(outcome)}`);
        });
      }
      expect(wrong).toEqual([]);
    });

    it('a request with any byte changed is answered or closes its connection, and nothing more', async () => {
      const client = await WireClient.connect(target.port);
      const topic = `flip-${unique()}`;
      await client.createTopic(topic);
      for (const { frame, body } of validBodies(topic)) {
        const from = frame.length - body.length;
        const flips = Array.from({ length: body.length }, (_, at) => at).flatMap((at) =>
          [0xff, 0x7f, 0x80, 0].map((value) => ({ at, value })),
        );
        const chosen = flips.filter((_, index) => flips.length <= 200 || index % Math.ceil(flips.length / 200) === 0);
        // What waits (an answer to nobody, a long fetch) is given up: what counts is that the broker lives.
        await inGroups(chosen, 32, async ({ at, value }) => {
          const changed = Buffer.from(frame);
          changed[from + at] = value;
          await poke(target.port, changed, 150);
        });
      }
      client.close();
    });

    it('frames in one-byte pieces are read like any others', async () => {
      const client = await RawClient.connect(target.port);
      const frame = requestFrame(API.ApiVersions, 0, 9, Buffer.alloc(0));
      for (const byte of Buffer.concat([frame, frame])) {
        client.write(Buffer.from([byte]));
        await delay(1);
      }
      expect((await client.receive()).readInt32BE(0)).toBe(9);
      expect((await client.receive()).readInt32BE(0)).toBe(9);
      client.close();
    });

    it('a thousand peers that announce 100 MB and send one byte reserve nothing', async () => {
      const { pid } = target.broker.child;
      const before = residentBytes(pid);
      const peers: RawClient[] = [];
      await inGroups(Array.from({ length: 1000 }), 50, async () => {
        const peer = await RawClient.connect(target.port);
        peers.push(peer);
        peer.write(Buffer.from([5, 0xf5, 0xe1, 0, 0])); // 100,000,000, and the first byte of the API key.
      });
      await bystander.check();
      expect(residentBytes(pid) - before).toBeLessThan(32 * MIB);
      expect(peers.filter((peer) => peer.socket.destroyed)).toHaveLength(0);
      for (const peer of peers) peer.close();
    });

    it('ten thousand idle connections cost a few KB each', { timeout: 180_000 }, async (context) => {
      const { pid } = target.broker.child;
      const count = 10_000;
      // Of ours and of the broker's, which keeps some back for files.
      const limit = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1]);
      context.skip(limit < count + 5000, `no more than ${limit} files may be open here`);
      const idlers: RawClient[] = [];
      const connect = async (): Promise<void> => {
        const idler = await RawClient.connect(target.port);
        idlers.push(idler);
        idler.write(requestFrame(API.ApiVersions, 0, 1, Buffer.alloc(0)));
        await idler.receive();
      };
      await inGroups(Array.from({ length: 200 }), 50, connect);
      const before = residentBytes(pid);
      await inGroups(Array.from({ length: count }), 50, connect);
      await bystander.check();
      const each = (residentBytes(pid) - before) / count;
      expect(each).toBeLessThan(20 * 1024);
      for (const idler of idlers) idler.close();
    });

    it('readers that ask for much and read nothing do not grow the broker', async () => {
      const { pid } = target.broker.child;
      const client = await WireClient.connect(target.port);
      const topic = `slow-${unique()}`;
      await client.createTopic(topic, 2);
      for (let i = 0; i < 12; i++) {
        for (const partition of [0, 1]) await client.produce(topic, partition, labelled('slow', i, 1, { valueBytes: MIB - 300 }));
      }
      await client.readAll(topic); // So that memory is touched before it is measured.
      const before = residentBytes(pid);
      const slow = await Promise.all(Array.from({ length: 12 }, () => WireClient.connect(target.port)));
      for (const { raw } of slow) raw.socket.pause();
      for (const reader of slow) {
        for (let i = 0; i < 40; i++) {
          reader.sendFetch({
            topics: [{ topic, partitions: [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 8 * MIB })) }],
          });
        }
      }
      await delay(500);
      await bystander.check();
      // 12 × 40 answers of 8 MiB would be 3.75 GiB.
      expect(residentBytes(pid) - before).toBeLessThan(700 * MIB);
      expect(labels(await client.readAll(topic))).toEqual(range('slow', 0, 12));
      for (const reader of slow) reader.close();
      await delay(200);
      // What they held is free again: ten times as much can be read.
      for (let i = 0; i < 10; i++) expect(labels(await client.readAll(topic, i % 2))).toEqual(range('slow', 0, 12));
      client.close();
    });

    it('a writer that stops in the middle of a batch holds up nobody', async () => {
      const client = await WireClient.connect(target.port);
      const topic = `stuck-${unique()}`;
      await client.createTopic(topic);
      const produce = validBodies(topic).find(({ apiKey, version }) => apiKey === API.Produce && version >= 9);
      const frame = produce?.frame ?? Buffer.alloc(0);
      const stuck = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(target.port)));
      for (const [index, writer] of stuck.entries()) writer.write(frame.subarray(0, 1 + ((index * 7) % (frame.length - 1))));
      expect(await client.produce(topic, 0, labelled('w', 0, 1))).toMatchObject({ errorCode: 0, baseOffset: 0 });
      for (const writer of stuck) writer.close();
      await bystander.check();
      expect(await client.offsetAt(topic, 0, -1)).toBe(1);
      client.close();
    });
  });
}

/** File sizes are limited to this, a little above that of a live index: the write that would pass it fails, as on a full disk. */
const FILE_BYTES_MAX = 11 * MIB;

for (const workers of [0, 2]) {
  it(`a write that the disk refuses is KAFKA_STORAGE_ERROR, nothing acknowledged is lost, and the process stays up (${workers} workers)`, async () => {
    let broker = await BrokerProcess.start({ workers, prelude: `ulimit -f ${FILE_BYTES_MAX / 512}` });
    try {
      let client = await WireClient.connect(broker.port);
      const topic = 'full';
      await client.createTopic(topic, 2);
      const acknowledged: number[] = [];
      let refused = -1;
      for (let i = 0; i < 14 && refused < 0; i++) {
        const produced = await client.produce(topic, 0, labelled('full', i, 1, { valueBytes: 1_000_000 }));
        if (produced.errorCode === 0) acknowledged.push(produced.baseOffset);
        else refused = produced.errorCode;
      }
      expect(refused).toBe(ERROR.KAFKA_STORAGE_ERROR);
      expect(acknowledged.length).toBeGreaterThan(5);
      // The directory is offline for every partition in it, and the process answers.
      expect((await client.produce(topic, 1, labelled('other', 0, 1))).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
      expect((await client.metadata(topic)).topics[0]?.partitions).toHaveLength(2);
      expect(broker.child.exitCode).toBe(null);
      client.close();
      await broker.stop();
      broker = await BrokerProcess.start({ workers, directory: broker.directory });
      client = await WireClient.connect(broker.port);
      const found = await client.readAll(topic, 0);
      expect(labels(found)).toEqual(range('full', 0, acknowledged.length));
      expect(await client.produce(topic, 0, labelled('full', acknowledged.length, 1))).toMatchObject({
        errorCode: 0,
        baseOffset: acknowledged.length,
      });
      client.close();
    } finally {
      await broker.dispose();
    }
  });
}

function describeOutcome(outcome: 'closed' | 'silent' | Buffer): string {
  return typeof outcome === 'string' ? outcome : `answered with ${outcome.length} bytes`;
}
