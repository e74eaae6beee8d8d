// The network layer over real sockets: bad input, big and slow peers, ends and resets, and another client that notices nothing.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { KIB, MIB } from '../../src/base/units.ts';
import { configureNative } from '../../src/native/load.ts';
import type { CloseCause } from '../../src/network/network-counters.ts';
import { RawClient, requestFrame } from '../support/raw-client.ts';
import {
  API_VERSIONS,
  echo,
  type Harness,
  METADATA,
  METADATA_V,
  PRODUCE,
  PRODUCE_V,
  pattern,
  row,
  startNetwork,
  until,
} from './support.ts';

let harness: Harness | null = null;

afterEach(async () => {
  configureNative({ enabled: true });
  const stopping = harness;
  harness = null;
  if (stopping === null) return;
  await stopping.stop();
  expect(stopping.failures).toEqual([]);
  expect(stopping.network.counters.connectionsOpen).toBe(0);
});

async function start(...options: Parameters<typeof startNetwork>): Promise<Harness> {
  harness = await startNetwork(...options);
  return harness;
}

function open(port: number): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => done(socket));
    socket.once('error', fail);
  });
}

const metadata = (client: RawClient, body: Buffer): Promise<Buffer> => client.ask(METADATA, METADATA_V, body);

describe('good input', () => {
  test('frames of 1 to 20 MB keep their bytes, both ways, beside small ones', async () => {
    const { port, arena, network } = await start([row(METADATA, echo), row(PRODUCE, echo, { keepsBody: true, order: 'produce' })], {
      arenaBytes: 256 * MIB,
    });
    const restBytes = arena.usedBytes;
    const [big, small] = [await RawClient.connect(port), await RawClient.connect(port)];
    let isOver = false;
    const beside = (async () => {
      let count = 0;
      for (; !isOver; count++) expect((await metadata(small, pattern(count, 30))).equals(pattern(count, 30))).toBe(true);
      return count;
    })();
    for (const [apiKey, version] of [
      [METADATA, METADATA_V],
      [PRODUCE, PRODUCE_V],
    ] as const) {
      for (const sizeBytes of [MIB, MIB - 30, 3_333_333, 20 * MIB]) {
        const body = pattern(sizeBytes, sizeBytes);
        expect((await big.ask(apiKey, version, body)).equals(body)).toBe(true);
      }
    }
    isOver = true;
    expect(await beside).toBeGreaterThan(0);
    await until(() => arena.usedBytes === restBytes);
    // A frame as large as one before is read into a slab of its size, by fewer reads than the landing buffer would take.
    const before = network.counters.readCount;
    await big.ask(PRODUCE, PRODUCE_V, pattern(1, 20 * MIB));
    expect(network.counters.readCount - before).toBeLessThan(320);
  });

  test('frames in single-byte writes', async () => {
    const { port } = await start([row(METADATA, echo)]);
    const client = await RawClient.connect(port);
    client.socket.setNoDelay(true);
    const body = pattern(4, 300);
    for (const byte of requestFrame(METADATA, METADATA_V, 77, body)) {
      client.write(Uint8Array.of(byte));
      await new Promise((next) => setImmediate(next));
    }
    expect((await client.receive()).subarray(4).equals(body)).toBe(true);
  });

  test('a hundred pipelined requests cost one write', async () => {
    const { port, network } = await start([row(METADATA, echo)]);
    const client = await RawClient.connect(port);
    await metadata(client, pattern(0, 1));
    const { readCount, writeCount } = network.counters;
    const frames = Array.from({ length: 100 }, (_, id) => requestFrame(METADATA, METADATA_V, id, pattern(id, 20)));
    client.write(Buffer.concat(frames));
    for (let id = 0; id < 100; id++) {
      const reply = await client.receive();
      expect(reply.readInt32BE(0)).toBe(id);
      expect(reply.subarray(4).equals(pattern(id, 20))).toBe(true);
    }
    expect(network.counters.readCount - readCount).toBe(1);
    expect(network.counters.writeCount - writeCount).toBe(1);
  });

  test('many replies that are not adjacent leave in one gathered write', async () => {
    const { port, network } = await start([row(METADATA, echo)]);
    const client = await RawClient.connect(port);
    const sizes = [10, 70_000, 20, 90_000, 30_000, 40_000, 3, 4000, 5000];
    client.write(Buffer.concat(sizes.map((size, id) => requestFrame(METADATA, METADATA_V, id, pattern(id, size)))));
    for (const [id, size] of sizes.entries()) {
      const reply = await client.receive();
      expect(reply.readInt32BE(0)).toBe(id);
      expect(reply.subarray(4).equals(pattern(id, size))).toBe(true);
    }
    expect(network.counters.writeCount).toBeLessThan(sizes.length);
  });
});

describe('slow and ending peers', () => {
  test('a reader that does not read bounds its own memory and harms nobody', async () => {
    const { port, arena, network } = await start([row(METADATA, echo)], { outputBytesMax: MIB });
    const restBytes = arena.usedBytes;
    const slow = await open(port);
    slow.pause();
    const frame = requestFrame(METADATA, METADATA_V, 1, pattern(1, 64 * KIB));
    const total = 1000; // 64 MB of replies that nobody reads.
    for (let i = 0; i < total; i++) slow.write(frame);
    await until(() => network.counters.outputWaits > 0);
    const other = await RawClient.connect(port);
    for (let i = 0; i < 50; i++) expect((await metadata(other, pattern(i, 100))).equals(pattern(i, 100))).toBe(true);
    expect(arena.usedBytes - restBytes).toBeLessThan(4 * MIB);
    expect(network.counters.requests).toBeLessThan(total);
    let received = 0;
    slow.on('data', (bytes) => {
      received += bytes.length;
    });
    slow.resume();
    await until(() => received === total * (8 + 64 * KIB));
    await until(() => arena.usedBytes === restBytes);
    slow.destroy();
  });

  for (const native of [true, false]) {
    test(`small replies, one a turn, that a reader leaves until the socket is full come whole and in order, native calls ${native ? 'on' : 'off'}`, async () => {
      configureNative({ enabled: native });
      const { port, arena, network } = await start([row(METADATA, echo)], { outputBytesMax: 64 * KIB });
      const restBytes = arena.usedBytes;
      const slow = await open(port);
      slow.pause();
      const expected: Buffer[] = [];
      while (network.counters.outputWaits === 0) {
        const body = pattern(expected.length, 3000);
        expected.push(body);
        slow.write(requestFrame(METADATA, METADATA_V, expected.length, body));
        await until(() => network.counters.replies === expected.length || network.counters.outputWaits > 0);
      }
      const received: Buffer[] = [];
      let receivedBytes = 0;
      slow.on('data', (bytes: Buffer) => {
        received.push(bytes);
        receivedBytes += bytes.length;
      });
      slow.resume();
      await until(() => receivedBytes >= expected.length * (8 + 3000));
      const replies = expected.map((body, i) => {
        const head = Buffer.alloc(8);
        head.writeInt32BE(4 + body.length, 0);
        head.writeInt32BE(i + 1, 4);
        return Buffer.concat([head, body]);
      });
      expect(Buffer.concat(received).equals(Buffer.concat(replies))).toBe(true);
      await until(() => arena.usedBytes === restBytes);
      slow.destroy();
    });
  }

  test('a peer that ends its side gets its answers, then the end', async () => {
    const { port, network } = await start([row(METADATA, echo)]);
    const socket = await open(port);
    const received: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    const ended = new Promise((done) => socket.on('end', done));
    socket.end(requestFrame(METADATA, METADATA_V, 5, pattern(5, 2 * MIB)));
    await ended;
    expect(
      Buffer.concat(received)
        .subarray(8)
        .equals(pattern(5, 2 * MIB)),
    ).toBe(true);
    await until(() => network.counters.connectionsClosed.peer === 1);
  });

  test('resets at any time are harmless, with replies on their way and requests in progress', async () => {
    const parked: (() => void)[] = [];
    const { port, network, arena } = await start([
      row(METADATA, echo),
      row(
        PRODUCE,
        (request) => {
          parked.push(() => echo(request));
          return true;
        },
        { keepsBody: true, order: 'produce' },
      ),
    ]);
    const restBytes = arena.usedBytes;
    for (let i = 0; i < 60; i++) {
      const socket = await open(port);
      socket.on('error', () => {});
      const [apiKey, version] = i % 3 === 0 ? [PRODUCE, PRODUCE_V] : [METADATA, METADATA_V];
      const bytes = requestFrame(apiKey, version, i, pattern(i, i % 2 === 0 ? 500_000 : 5000));
      socket.write(bytes.subarray(0, i % 5 === 0 ? 3000 : bytes.length));
      if (i % 4 !== 0) await new Promise((next) => setTimeout(next, 2));
      socket.resetAndDestroy();
    }
    await until(() => network.counters.connectionsOpened === 60 && network.counters.connectionsOpen === 0);
    for (const answer of parked) answer();
    const client = await RawClient.connect(port);
    expect((await metadata(client, pattern(1, 10))).equals(pattern(1, 10))).toBe(true);
    await until(() => arena.usedBytes === restBytes);
  });
});

describe('bad input', () => {
  const rows = [
    row(METADATA, (request) => {
      const reader = new ByteReader(request.bytes, request.position, request.position + request.length);
      reader.take(reader.int32()); // A length that the peer wrote.
      return echo(request);
    }),
    row(API_VERSIONS, echo, { maxVersion: 4, acceptsAnyVersion: true }),
  ];
  const prefixed = (length: number, rest = Buffer.alloc(0)): Buffer => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(length);
    return Buffer.concat([size, rest]);
  };
  const http = Buffer.from('GET / HTTP/1.1\r\nHost: localhost:9092\r\n\r\n');
  const tls = Buffer.concat([Buffer.from('160301020001000', 'hex'), Buffer.from('1fc0303', 'hex'), randomBytes(300)]);
  const lyingClientId = requestFrame(METADATA, METADATA_V, 1, Buffer.alloc(0));
  lyingClientId.writeInt16BE(0x7fff, 12);
  const nullBody = Buffer.alloc(4);
  const lyingBody = Buffer.alloc(8);
  lyingBody.writeInt32BE(0x7fffffff);
  const cases: [string, Buffer, CloseCause, RegExp][] = [
    ['HTTP', http, 'not-kafka', /looks like HTTP/],
    ['a TLS hello', tls, 'not-kafka', /looks like TLS/],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), 'not-kafka', /looks like SSH/],
    [
      'a frame longer than the limit',
      prefixed(100 * MIB + 1),
      'frame-size',
      /104857601 bytes, more than socket.request.max.bytes=104857600/,
    ],
    ['the longest length', prefixed(0x7fffffff), 'frame-size', /2147483647/],
    ['a negative length', prefixed(-5), 'frame-size', /-5 bytes/],
    ['an empty frame', prefixed(0), 'frame-size', /0 bytes/],
    ['an unknown API', requestFrame(9999, 0, 1, Buffer.alloc(9)), 'unknown-api', /API 9999 version 0/],
    ['a known API that is not served', requestFrame(13, 0, 1, Buffer.alloc(9)), 'unknown-api', /SyncGroup|LeaveGroup/],
    ['a negative API', requestFrame(-1, 0, 1, Buffer.alloc(9)), 'unknown-api', /API -1/],
    ['an unknown version', requestFrame(METADATA, 99, 1, Buffer.alloc(9)), 'unknown-api', /Metadata version 99/],
    [
      'the start of a large frame of an unknown API',
      prefixed(90 * MIB, Buffer.from('7fff000000000001', 'hex')),
      'unknown-api',
      /API 32767/,
    ],
    ['a client id that is longer than its frame', lyingClientId, 'decode', /header of Metadata/],
    ['a length inside that is longer than its frame', requestFrame(METADATA, METADATA_V, 1, lyingBody), 'decode', /Metadata version 8/],
    ['noise', Buffer.concat([Buffer.from('c3a5f00d', 'hex'), randomBytes(2000)]), 'frame-size', /frame of/],
  ];

  for (const [name, bytes, cause, reason] of cases) {
    test(`${name}: closed, one line, one count; another client goes on`, async () => {
      const { port, network, lines, arena } = await start(rows);
      const restBytes = arena.usedBytes;
      const other = await RawClient.connect(port);
      await other.ask(METADATA, METADATA_V, nullBody);
      const client = await RawClient.connect(port);
      client.write(bytes);
      await client.closed;
      expect(network.counters.connectionsClosed[cause]).toBe(1);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^connection from 127\.0\.0\.1:\d+ closed: /);
      expect(lines[0]).toMatch(reason);
      expect((await other.ask(METADATA, METADATA_V, nullBody)).equals(nullBody)).toBe(true);
      expect(arena.usedBytes).toBe(restBytes);
    });
  }

  test('good requests in front of bad bytes are answered', async () => {
    const { port } = await start(rows);
    const client = await RawClient.connect(port);
    client.write(Buffer.concat([requestFrame(METADATA, METADATA_V, 8, nullBody), http]));
    expect((await client.receive()).readInt32BE(0)).toBe(8);
    await client.closed;
  });

  test('an unknown version of ApiVersions reaches its handler', async () => {
    const { port } = await start(rows);
    const client = await RawClient.connect(port);
    expect((await client.ask(API_VERSIONS, 77, Buffer.from('any'), true, false)).toString()).toBe('any');
  });

  test('bytes at random never end anything but their own connection', async () => {
    const { port, network } = await start(rows);
    for (let i = 0; i < 200; i++) {
      const socket = await open(port);
      socket.on('error', () => {});
      const frame = requestFrame(i % 2 === 0 ? METADATA : API_VERSIONS, i % 5, i, randomBytes(i), i % 3 === 0);
      const at = 4 + ((i * 7) % (frame.length - 4));
      frame[at] = (frame[at] ?? 0) ^ (1 << (i % 8));
      socket.end(i % 10 === 0 ? randomBytes(500) : frame);
    }
    await until(() => network.counters.connectionsOpened === 200 && network.counters.connectionsOpen < 200);
    const client = await RawClient.connect(port);
    expect((await client.ask(METADATA, METADATA_V, nullBody)).equals(nullBody)).toBe(true);
  });

  test('a thousand peers that announce 100 MB and send a byte reserve nothing', async () => {
    const { port, network, arena } = await start([row(PRODUCE, echo, { keepsBody: true, order: 'produce' }), ...rows]);
    const restBytes = arena.usedBytes;
    const peers = await Promise.all(Array.from({ length: 1000 }, () => open(port)));
    for (const peer of peers) {
      peer.on('error', () => {});
      peer.write(prefixed(100 * MIB, Buffer.of(0)));
    }
    await until(() => network.counters.receivedBytes === 5000);
    expect(arena.usedBytes).toBe(restBytes);
    // With the header there, too, and a little of the body: what came, and not more than twice that.
    const head = requestFrame(PRODUCE, PRODUCE_V, 1, Buffer.alloc(0)).subarray(5);
    for (const peer of peers) peer.write(Buffer.concat([head, pattern(1, 3000)]));
    await until(() => network.counters.receivedBytes === 5000 + 1000 * (head.length + 3000));
    expect(arena.usedBytes - restBytes).toBeLessThanOrEqual(1000 * 8 * KIB);
    const client = await RawClient.connect(port);
    expect((await client.ask(PRODUCE, PRODUCE_V, pattern(1, MIB))).equals(pattern(1, MIB))).toBe(true);
    for (const peer of peers) peer.destroy();
    await until(() => arena.usedBytes === restBytes);
  });

  test('bad requests in a flood fill no log', async () => {
    const { port, network, lines } = await start(rows);
    for (let i = 0; i < 100; i++) (await open(port)).on('error', () => {}).end(http);
    await until(() => network.counters.connectionsClosed['not-kafka'] === 100);
    expect(lines.length).toBeLessThan(40);
  });
});
