// Replies with ranges of files in them: sent by the kernel from the file, or through windows in memory, the other side gets the same bytes.
// Each range is left exactly once, whatever becomes of the connection, and nothing is read on the loop that may wait for a disk.
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { KIB, MIB } from '../../src/base/units.ts';
import { configureNative } from '../../src/native/load.ts';
import { send } from '../../src/native/send.ts';
import { sendFile } from '../../src/native/sendfile.ts';
import type { FileRange } from '../../src/network/file-range.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { RawClient, requestFrame } from '../support/raw-client.ts';
import { skipSuite } from '../support/skip.ts';
import { createNetwork, echo, FETCH, FETCH_V, METADATA, METADATA_V, pattern, row, startNetwork, until } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'naru-ranges-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => configureNative({ enabled: true }));

const FILE_BYTES = 12 * MIB;
const content = pattern(7, FILE_BYTES);
const END = Buffer.from('end!');

interface Part {
  readonly at: number;
  readonly length: number;
}

/** A file whose ranges requests ask for, with a note of how each was had. */
class RangeFile {
  readonly path: string;
  readonly descriptor: number;
  entered = 0;
  left = 0;
  poolReads = 0;
  inPool = 0;
  /** Which bytes of the file count as not cached. */
  isCold: (position: number) => boolean = () => false;
  /** Held until it resolves: reads of the pool. */
  gate: Promise<void> = Promise.resolve();

  constructor(name: string) {
    this.path = join(directory, name);
    writeFileSync(this.path, content);
    this.descriptor = openSync(this.path, 'r+');
  }

  range({ at: position, length }: Part): FileRange {
    this.entered++;
    return {
      descriptor: this.descriptor,
      position,
      length,
      isCached: (at, count) => !this.isCold(position + at) && !this.isCold(position + at + count - 1),
      readNow: (target, to, at, count) => {
        if (this.isCold(position + at)) throw new Error('a cold range was read on the loop');
        return readSync(this.descriptor, target, to, count, position + at);
      },
      readLater: (target, to, at, count, done) => {
        this.poolReads++;
        this.inPool++;
        void this.gate
          .then(async () => {
            const file = await open(this.path, 'r');
            const { bytesRead } = await file.read(target, to, count, position + at);
            await file.close();
            return bytesRead;
          })
          .then((have) => {
            this.inPool--;
            done(have);
          });
      },
      leave: () => {
        this.left++;
        expect(this.left).toBeLessThanOrEqual(this.entered);
      },
    };
  }

  /** Answers with the parts that the body asks for, a mark of four bytes in front of each and one behind the last. */
  readonly handle = (request: IncomingRequest): boolean => {
    const parts: Part[] = JSON.parse(request.bytes.toString('utf8', request.position, request.position + request.length));
    const at = request.tryBeginReply(4 * parts.length + END.length);
    if (at < 0) return false;
    parts.forEach((part, index) => {
      request.replyBytes.writeInt32BE(index, at + 4 * index);
      request.addFile(at + 4 * (index + 1), this.range(part));
    });
    END.copy(request.replyBytes, at + 4 * parts.length);
    request.endReply();
    return true;
  };

  close(): void {
    closeSync(this.descriptor);
  }
}

function bodyOf(parts: readonly Part[]): Buffer {
  return Buffer.from(JSON.stringify(parts));
}

/** What the other side has to get behind the correlation id. */
function expected(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ at, length }, index) => {
    const mark = Buffer.alloc(4);
    mark.writeInt32BE(index);
    return [mark, content.subarray(at, at + length)];
  });
  return Buffer.concat([...pieces, END]);
}

const SETS: readonly (readonly Part[])[] = [
  [{ at: 0, length: 1 }],
  [{ at: 5, length: 100_000 }],
  [
    { at: 0, length: 3 * MIB },
    { at: 4 * MIB + 3, length: MIB + 1 },
    { at: 17, length: 5 },
    { at: 7 * MIB, length: 4 * MIB },
  ],
];

for (const isNative of [true, false]) {
  describe(`file ranges with native calls ${isNative ? 'on' : 'off'}`, () => {
    const isAbsent = isNative && (process.env.NARU_NATIVE === 'off' || sendFile() === null || send() === null);
    skipSuite(isAbsent ? 'no sendfile here' : null);

    async function start(name: string) {
      configureNative({ enabled: isNative });
      const file = new RangeFile(name);
      const harness = await startNetwork([row(FETCH, file.handle), row(METADATA, echo, { order: 'barrier' })]);
      return { file, ...harness };
    }

    test('the same bytes, among other replies', async () => {
      const { file, port, network, arena, stop, failures } = await start(`same-${isNative}`);
      const client = await RawClient.connect(port);
      const restBytes = arena.usedBytes;
      for (let round = 0; round < 5; round++) {
        for (const parts of SETS) client.send(FETCH, FETCH_V, bodyOf(parts));
        client.send(METADATA, METADATA_V, pattern(round, 30));
        for (const parts of SETS) expect((await client.receive()).subarray(4).equals(expected(parts))).toBe(true);
        expect((await client.receive()).subarray(4).equals(pattern(round, 30))).toBe(true);
      }
      expect(network.counters.fileSends > 0).toBe(isNative);
      await until(() => file.left === file.entered);
      expect([arena.usedBytes, file.entered, failures]).toEqual([restBytes, 5 * 6, []]);
      client.close();
      await stop();
      file.close();
    });

    test('a reader that takes a little at a time', async () => {
      const { file, port, arena, stop } = await start(`slow-${isNative}`);
      const parts = SETS[2] as readonly Part[];
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const got: Buffer[] = [];
      let gotBytes = 0;
      const wanted = 3 * (8 + expected(parts).length);
      for (let i = 0; i < 3; i++) socket.write(requestFrame(FETCH, FETCH_V, i, bodyOf(parts)));
      // Byte by byte at first, then in pieces of all sizes, with pauses in which the buffers of both sides fill up.
      let step = 0;
      while (gotBytes < wanted) {
        const size = ++step <= 300 ? 1 : Math.min((step * 7919) % 300_000, wanted - gotBytes) || 1;
        const bytes: Buffer | null = socket.read(Math.min(size, wanted - gotBytes)) ?? socket.read();
        if (bytes === null || step % 50 === 0) await new Promise((next) => setTimeout(next, 2));
        if (bytes === null) continue;
        got.push(bytes);
        gotBytes += bytes.length;
      }
      const all = Buffer.concat(got);
      const frameBytes = 8 + expected(parts).length;
      for (let i = 0; i < 3; i++) {
        const frame = all.subarray(i * frameBytes, (i + 1) * frameBytes);
        expect([frame.readInt32BE(0), frame.readInt32BE(4)]).toEqual([frameBytes - 4, i]);
        expect(frame.subarray(8).equals(expected(parts))).toBe(true);
      }
      expect(file.left).toBe(file.entered);
      // The queue of replies, not memory, held what was not read: no slab of a whole range was ever taken.
      expect(arena.usedBytes).toBeLessThan(MIB);
      socket.destroy();
      await stop();
      file.close();
    });

    test('readers that vanish in the middle', async () => {
      const { file, port, network, arena, stop } = await start(`vanish-${isNative}`);
      const parts = SETS[2] as readonly Part[];
      const restBytes = arena.usedBytes;
      for (let round = 0; round < 12; round++) {
        const socket = connect({ port, host: '127.0.0.1' });
        socket.on('error', () => {});
        for (let i = 0; i < 2; i++) socket.write(requestFrame(FETCH, FETCH_V, i, bodyOf(parts)));
        const enough = 1 + round * 300_000;
        let gotBytes = 0;
        await new Promise<void>((done) => {
          socket.on('data', (bytes) => {
            gotBytes += bytes.length;
            if (gotBytes < enough) return;
            if (round % 2 === 0) socket.destroy();
            else socket.resetAndDestroy();
            done();
          });
        });
      }
      await until(() => network.connectionCount === 0);
      await until(() => file.left === file.entered);
      expect(file.entered).toBeGreaterThanOrEqual(12 * 4);
      expect(arena.usedBytes).toBe(restBytes);
      await stop();
      file.close();
    });

    for (const when of ['before the bytes in front of the range', 'before the range']) {
      test(`a reader that leaves ${when}: nothing to look at`, async () => {
        configureNative({ enabled: isNative });
        const file = new RangeFile(`left-${isNative}`);
        let leave = (): void => {};
        const handle = (request: IncomingRequest): boolean => {
          if (when === 'before the range') {
            file.isCold = () => {
              leave();
              return false;
            };
          } else leave();
          return file.handle(request);
        };
        const { port, network, arena, lines, failures, stop } = await startNetwork([row(FETCH, handle)]);
        const restBytes = arena.usedBytes;
        const client = await RawClient.connect(port);
        leave = () => client.socket.resetAndDestroy(); // In this thread: what is sent next meets it before the loop hears of it.
        client.send(FETCH, FETCH_V, bodyOf(SETS[2] as readonly Part[]));
        await until(() => network.counters.connectionsOpened === 1 && network.connectionCount === 0);
        const { handler, reset, peer } = network.counters.connectionsClosed;
        expect([handler, reset + peer, lines, failures]).toEqual([0, 1, [], []]);
        await until(() => file.left === file.entered);
        expect([file.entered, arena.usedBytes]).toEqual([4, restBytes]);
        await stop();
        file.close();
      });
    }

    test('what is not cached comes by the pool, and others do not wait for it', async () => {
      const { file, port, stop } = await start(`cold-${isNative}`);
      const parts = SETS[2] as readonly Part[];
      file.isCold = (position) => position >= 4 * MIB && position < 10 * MIB;
      let openGate = (): void => {};
      file.gate = new Promise((done) => {
        openGate = done;
      });
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      client.send(FETCH, FETCH_V, bodyOf(parts));
      const reply = client.receive();
      await until(() => file.inPool === 1);
      for (let i = 0; i < 10; i++) await other.ask(METADATA, METADATA_V, pattern(i, 10));
      expect(file.inPool).toBe(1);
      openGate();
      expect((await reply).subarray(4).equals(expected(parts))).toBe(true);
      expect(file.poolReads).toBeGreaterThan(1);
      await until(() => file.left === file.entered);
      client.close();
      other.close();
      await stop();
      file.close();
    });

    test('a connection that ends while the pool reads for it: the file stays until that is over', async () => {
      const { file, port, network, arena, stop } = await start(`cold-end-${isNative}`);
      const restBytes = arena.usedBytes;
      file.isCold = () => true;
      let openGate = (): void => {};
      file.gate = new Promise((done) => {
        openGate = done;
      });
      const client = await RawClient.connect(port);
      client.send(FETCH, FETCH_V, bodyOf(SETS[2] as readonly Part[]));
      await until(() => file.inPool === 1);
      client.socket.resetAndDestroy();
      await until(() => network.connectionCount === 0);
      expect([file.entered, file.left]).toEqual([4, 3]);
      expect(arena.usedBytes).toBeGreaterThan(restBytes);
      openGate();
      await until(() => file.left === 4);
      expect(arena.usedBytes).toBe(restBytes);
      await stop();
      file.close();
    });

    test('a file cut short behind our back closes that connection alone', async () => {
      const { file, port, network, lines, failures, stop } = await start(`short-${isNative}`);
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      ftruncateSync(file.descriptor, 5 * MIB);
      client.send(FETCH, FETCH_V, bodyOf(SETS[2] as readonly Part[]));
      await expect(client.receive()).rejects.toThrow('closed');
      await client.closed;
      expect((await other.ask(METADATA, METADATA_V, pattern(1, 10))).equals(pattern(1, 10))).toBe(true);
      expect(network.counters.connectionsClosed.handler).toBe(1);
      expect(lines.join()).toContain('shorter than its index says');
      await until(() => file.left === file.entered);
      expect(failures).toEqual([]);
      other.close();
      await stop();
      file.close();
    });

    test('a stop in the middle lets go of the file', async () => {
      const { file, port, stop, arena, failures } = await start(`stop-${isNative}`);
      const restBytes = arena.usedBytes;
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => {});
      socket.write(requestFrame(FETCH, FETCH_V, 1, bodyOf(SETS[2] as readonly Part[])));
      socket.write(requestFrame(FETCH, FETCH_V, 2, bodyOf(SETS[2] as readonly Part[])));
      await until(() => file.entered >= 4); // Never read: the socket is full, most has not left.
      await stop();
      expect(file.left).toBe(file.entered);
      expect(arena.usedBytes).toBe(restBytes);
      expect(failures).toEqual([]);
      socket.destroy();
      file.close();
    });

    test('a turn gives each connection its share', async () => {
      const { file, port, network, runtime, stop } = await start(`share-${isNative}`);
      const client = await RawClient.connect(port);
      const turns = runtime.loop.turnCount;
      client.send(FETCH, FETCH_V, bodyOf([{ at: 0, length: 8 * MIB }]));
      await client.receive();
      expect(runtime.loop.turnCount - turns).toBeGreaterThanOrEqual(8);
      expect(network.counters.sentBytes).toBeGreaterThan(8 * MIB);
      client.close();
      await stop();
      file.close();
    });
  });
}

test('a transport without a descriptor sends through windows', () => {
  const file = new RangeFile('memory');
  const network = createNetwork([row(FETCH, file.handle)], { arenaBytes: 4 * MIB });
  const transport = new MemoryTransport({ defer: (task) => network.runtime.post(task), sendBufferBytes: 40 * KIB });
  network.network.adopt(transport);
  network.open();
  const restBytes = network.arena.usedBytes;
  const parts = SETS[2] as readonly Part[];
  transport.deliver(requestFrame(FETCH, FETCH_V, 9, bodyOf(parts)));
  const wanted = 8 + expected(parts).length;
  const got: Buffer[] = [];
  for (let have = 0; have < wanted; ) {
    network.runtime.loop.runTurn();
    const bytes = transport.take(have < 100 ? 1 : 100_000);
    got.push(bytes);
    have += bytes.length;
  }
  network.runtime.loop.runTurn();
  expect(Buffer.concat(got).subarray(8).equals(expected(parts))).toBe(true);
  expect([file.left, network.arena.usedBytes, network.network.counters.fileSends]).toEqual([4, restBytes, 0]);
  network.runtime.close();
  file.close();
});

test('where the arena is full, a window comes out of the heap', () => {
  const file = new RangeFile('heap');
  const network = createNetwork([row(FETCH, file.handle)], { arenaBytes: 256 * KIB });
  const transport = new MemoryTransport({ defer: (task) => network.runtime.post(task), sendBufferBytes: 64 * MIB });
  network.network.adopt(transport);
  network.open();
  const parts = [{ at: 0, length: MIB }];
  transport.deliver(requestFrame(FETCH, FETCH_V, 9, bodyOf(parts)));
  for (let i = 0; i < 30; i++) network.runtime.loop.runTurn();
  expect(transport.take().subarray(8).equals(expected(parts))).toBe(true);
  expect(file.left).toBe(1);
  network.runtime.close();
  file.close();
});
