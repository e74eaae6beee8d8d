// What docs/internals/limits.md promises of connections, over real sockets to a real process: what is closed is counted by cause and told once
// with its peer, and whoever else is connected goes on.
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { API } from '../../src/protocol/api-keys.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { validBodies } from '../support/bad-input.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { within } from '../support/broker-process.ts';
import { Bystander } from '../support/bystander.ts';
import { total } from '../support/metrics-text.ts';
import { Operated } from '../support/operated.ts';
import { RawClient, requestFrame } from '../support/raw-client.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
const CLOSED_WITHIN_MS = 30_000;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function started(workers: number, overrides: Record<string, string> = {}, prelude?: string): Promise<Operated> {
  const operated = await Operated.start({ workers, overrides, ...(prelude === undefined ? {} : { prelude }) });
  cleanUps.push(() => operated.broker.dispose());
  return operated;
}

const prefixed = (length: number, rest: Uint8Array = new Uint8Array(0)): Buffer => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(length);
  return Buffer.concat([size, rest]);
};

const USED = 'naru_slab_memory_used_bytes';
const closedBy = (cause: string): [string, Record<string, string>] => ['naru_connections_closed_total', { cause }];

/** A Metadata request that names a topic and ends in the middle of it, in a frame that is as long as it says. */
function lying(): Buffer {
  const body = Buffer.alloc(10);
  body.writeInt32BE(1, 0);
  body.writeInt16BE(3000, 4);
  return requestFrame(API.Metadata, 8, 1, body);
}

const badBytes: readonly (readonly [name: string, bytes: Buffer, cause: string, reason: RegExp])[] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'not-kafka', /looks like HTTP/],
  ['TLS on a plain port', Buffer.from('16030100c8010000c40303', 'hex'), 'not-kafka', /looks like TLS/],
  ['noise', Buffer.from('c3a5f00d00112233445566', 'hex'), 'frame-size', /too short for a request/],
  ['a frame that is too long', prefixed(100 * MIB + 1), 'frame-size', /104857601 bytes, more than socket\.request\.max\.bytes=104857600/],
  ['a negative length', prefixed(-1), 'frame-size', /-1 bytes/],
  ['an unknown API', requestFrame(1234, 0, 1, Buffer.alloc(8)), 'unknown-api', /API 1234 version 0 is not served/],
  ['an unknown version', requestFrame(API.Metadata, 99, 1, Buffer.alloc(8)), 'unknown-api', /Metadata version 99 is not served/],
  ['a length inside that lies', lying(), 'decode', /Metadata version 8/],
];

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it('what is no request closes its connection: one line with peer and reason, one count by cause, no memory', async () => {
    const operated = await started(workers);
    const { broker } = operated;
    const bystander = await Bystander.start(broker.port, 'beside');
    const idle = await RawClient.connect(broker.port);
    const closedLines = (): string[] => broker.output.split('\n').filter((line) => line.includes(' closed: '));
    for (const [name, bytes, cause, reason] of badBytes) {
      const before = total(await operated.scrape(), ...closedBy(cause));
      const lineCount = closedLines().length;
      const client = await RawClient.connect(broker.port);
      const { localPort } = client.socket;
      client.write(bytes);
      await within(CLOSED_WITHIN_MS, client.closed);
      await operated.untilScraped((page) => total(page, ...closedBy(cause)) === before + 1);
      await expect.poll(() => closedLines().length, { message: name }).toBe(lineCount + 1);
      expect(closedLines().at(-1)).toContain(`connection from 127.0.0.1:${localPort} closed: `);
      expect(closedLines().at(-1)).toMatch(reason);
    }
    await bystander.check();
    await bystander.stop();
    expect(idle.socket.destroyed).toBe(false);
    idle.close();
    expect((await broker.stop()).code).toBe(0);
  });

  it('peers that announce 100 MB and send a little hold what they have sent, and nothing when they go', async () => {
    const operated = await started(workers);
    const client = await WireClient.connect(operated.broker.port);
    await client.createTopic('beside');
    const before = total(await operated.scrape(), USED);
    const head = requestFrame(API.Produce, 7, 1, Buffer.alloc(0)).subarray(4);
    const peers = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(operated.broker.port)));
    const receivedBefore = total(await operated.scrape(), 'naru_network_received_bytes_total');
    const sent = prefixed(100_000_000, Buffer.concat([head, Buffer.alloc(3000)]));
    for (const peer of peers) peer.write(sent);
    const page = await operated.untilScraped(
      (each) => total(each, 'naru_network_received_bytes_total') - receivedBefore >= peers.length * sent.length,
    );
    expect(total(page, USED) - before).toBeLessThanOrEqual(peers.length * 8192);
    expect(await client.produce('beside', 0, labelled('beside', 0, 1))).toMatchObject({ errorCode: 0 });
    for (const peer of peers) peer.close();
    await operated.untilScraped((each) => total(each, USED) <= before);
    client.close();
  });

  it('a reader and a writer that are stuck are closed after connections.max.idle.ms, and hold nothing then; who is slow and goes on is not', async () => {
    const idleMs = 4000;
    const operated = await started(workers, { 'connections.max.idle.ms': String(idleMs) });
    const { broker } = operated;
    const client = await WireClient.connect(broker.port);
    await client.createTopic('much', 2);
    for (let i = 0; i < 12; i++) await client.produce('much', 0, labelled('much', i, 1, { valueBytes: MIB - 300 }));
    const before = total(await operated.scrape(), USED);

    const reader = await WireClient.connect(broker.port);
    reader.raw.socket.pause();
    for (let i = 0; i < 4; i++) {
      reader.sendFetch({ topics: [{ topic: 'much', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 12 * MIB }] }] });
    }
    const writer = await RawClient.connect(broker.port);
    const bytes = validBodies('much').find(({ apiKey, version }) => apiKey === API.Produce && version >= 9)?.frame ?? Buffer.alloc(0);
    writer.write(Buffer.concat([prefixed(5_000_000, bytes.subarray(4)), Buffer.alloc(300_000)]));
    const slow = await RawClient.connect(broker.port);
    // Until both are closed another one sends frames byte by byte, and a third one asks.
    const frame = requestFrame(API.ApiVersions, 0, 1, Buffer.alloc(0));
    let sentBytes = 0;
    const sendByte = (): void => slow.write(frame.subarray(sentBytes % frame.length, (sentBytes++ % frame.length) + 1));
    for (;;) {
      sendByte();
      await client.metadata();
      const closed = total(await operated.scrape(), ...closedBy('idle'));
      expect(closed).toBeLessThanOrEqual(2);
      if (closed === 2) break;
    }
    await within(CLOSED_WITHIN_MS, writer.closed);
    while (sentBytes % frame.length !== 0) sendByte();
    expect((await slow.receive()).readInt32BE(0)).toBe(1);
    expect([slow.socket.destroyed, client.raw.socket.destroyed]).toEqual([false, false]);
    await operated.untilScraped((each) => total(each, USED) <= before);
    // No line: that clients leave connections alone is nothing that anybody has to look at.
    expect(broker.output).not.toContain(' closed: ');
    expect(labels(await client.readAll('much'))).toEqual(range('much', 0, 12));
    slow.close();
    client.close();
  });

  it('connections that are refused are counted and told, and those that are there go on', async () => {
    const operated = await started(workers, { 'max.connections.per.ip': '5' });
    const { broker } = operated;
    const served = await Promise.all(Array.from({ length: 5 }, () => WireClient.connect(broker.port)));
    const refused = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(broker.port)));
    await within(CLOSED_WITHIN_MS, Promise.all(refused.map(({ closed }) => closed)));
    const page = await operated.untilScraped((each) => total(each, 'naru_connections_refused_total') >= refused.length);
    expect(total(page, 'naru_connections_refused_total')).toBe(refused.length);
    expect(total(page, 'naru_connections')).toBe(5);
    expect(broker.output).toMatch(/127\.0\.0\.1 has as many connections as it may have \(5\)/);
    await Promise.all(served.map((client) => client.metadata()));
    for (const client of served) client.close();
  });

  it('out of descriptors connections are refused and counted; logs have theirs, and whoever leaves makes room', async () => {
    const operated = await started(workers, {}, 'ulimit -n 500');
    const { broker } = operated;
    const client = await WireClient.connect(broker.port);
    await client.createTopic('first');
    const crowd = await Promise.all(Array.from({ length: 600 }, () => RawClient.connect(broker.port)));
    const asked = crowd.map(async (each) => {
      each.write(requestFrame(API.ApiVersions, 0, 1, Buffer.alloc(0)));
      return each.receive().then(
        () => true,
        () => false,
      );
    });
    const servedCount = (await Promise.all(asked)).filter((isServed) => isServed).length;
    expect(servedCount).toBeGreaterThan(32);
    expect(servedCount).toBeLessThan(500);
    const page = await operated.untilScraped((each) => total(each, 'naru_connections_refused_total') >= crowd.length - servedCount);
    expect(total(page, 'naru_connections_refused_total')).toBe(crowd.length - servedCount);
    expect(broker.output).toMatch(/a connection was refused: \d+ file descriptors are in use/);
    // Each partition takes three, a new segment as many.
    await client.createTopic('wide', 16, { 'segment.bytes': String(MIB) });
    for (let partition = 0; partition < 16; partition++) {
      for (let i = 0; i < 2; i++) {
        const batch = labelled('wide', i, 1, { valueBytes: 700_000 });
        expect(await client.produce('wide', partition, batch)).toMatchObject({ errorCode: 0, baseOffset: i });
      }
    }
    for (const each of crowd) each.close();
    await operated.untilScraped((each) => total(each, 'naru_connections') === 1);
    const next = await WireClient.connect(broker.port);
    expect(labels(await next.readAll('wide', 15))).toEqual(range('wide', 0, 2));
    next.close();
    client.close();
    expect((await broker.stop()).code).toBe(0);
  });

  it('a limit of batches that memory has no room for is refused of the broker, and told of a topic', async () => {
    const { broker } = await started(workers, { 'naru.memory.max': String(16 * MIB * Math.max(1, workers)) });
    const client = await WireClient.connect(broker.port);
    const setting = async (resourceType: number, resourceName: string, name: string, value: string) => {
      const resources = [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value }] }];
      const answer = await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
      return answer.responses[0];
    };
    const [topicType, brokerType, mostBytes] = [2, 4, 8 * MIB - 1024];
    await client.createTopic('made', 1, { 'max.message.bytes': '20000000' });
    await client.createTopic('changed');
    expect(await setting(topicType, 'changed', 'max.message.bytes', '30000000')).toMatchObject({ errorCode: 0 });
    const told = (value: number, topic: string): string =>
      `max.message.bytes=${value} of the topic ${topic}: a connection with a larger batch than ${mostBytes} bytes is closed`;
    await expect.poll(() => broker.output).toContain(told(20_000_000, 'made'));
    await expect.poll(() => broker.output).toContain(told(30_000_000, 'changed'));
    expect(await setting(brokerType, '', 'message.max.bytes', '20000000')).toMatchObject({
      errorCode: ERROR.INVALID_REQUEST,
      errorMessage: expect.stringMatching(
        /^Invalid value 20000000 for configuration message\.max\.bytes: .*\(allowed: at most 8387584, or a larger/,
      ),
    });
    expect(await setting(brokerType, '', 'message.max.bytes', '8000000')).toMatchObject({ errorCode: 0 });
    // What is allowed comes through; what is told of does not, and costs its own connection alone.
    const tooLarge = await WireClient.connect(broker.port);
    tooLarge.sendProduce('made', new Map([[0, labelled('made', 0, 1, { valueBytes: 9_000_000 })]]));
    await within(CLOSED_WITHIN_MS, tooLarge.raw.closed);
    await expect.poll(() => broker.output).toContain('more than this worker’s share of naru.memory.max has room for');
    const largest = labelled('made', 0, 1, { valueBytes: mostBytes - 200 });
    expect(await client.produce('made', 0, largest)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    client.close();
    expect((await broker.stop()).code).toBe(0);
  });

  it('the limit of open files is raised to what is allowed, and shown', async (context) => {
    context.skip(process.env.NARU_NATIVE === 'off', 'without native calls nobody can raise it');
    const operated = await started(workers, {}, 'ulimit -S -n 300; ulimit -H -n 5000');
    const page = await operated.scrape();
    expect(total(page, 'process_max_fds')).toBe(5000);
    expect(total(page, 'naru_connection_descriptors_end')).toBeGreaterThan(300);
  });

  it('open files and connections are counted at each scrape', async (context) => {
    context.skip(process.platform !== 'linux', 'nobody can tell');
    const operated = await started(workers);
    const { broker } = operated;
    const page = await operated.scrape();
    expect(total(page, 'process_open_fds')).toBeLessThan(total(page, 'process_max_fds'));
    const before = readdirSync(`/proc/${broker.child.pid}/fd`).length;
    const clients = await Promise.all(Array.from({ length: 50 }, () => WireClient.connect(broker.port)));
    for (const client of clients) await client.metadata();
    const counted = async (): Promise<number> => total(await operated.scrape(), 'process_open_fds');
    await expect.poll(counted).toBeGreaterThanOrEqual(before + 50);
    expect(await counted()).toBeLessThan(before + 60);
    for (const client of clients) client.close();
    await expect.poll(counted).toBeLessThan(before + 10);
  });
});
