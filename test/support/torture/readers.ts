// Readers of a torture run: one that follows the tail, one that reads old records from anywhere, one that takes its answers in small pieces,
// each checking every byte. And connections that break off in the middle of anything.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { API } from '../../../src/protocol/api-keys.ts';
import { fetchRequest, fetchResponse } from '../../../src/protocol/apis/fetch.ts';
import { encodeMessage } from '../../../src/protocol/compile.ts';
import { ERROR } from '../../../src/protocol/errors.ts';
import { BatchBuilder } from '../../../src/protocol/records/batch-builder.ts';
import { readAllRecords } from '../../../src/protocol/records/records.ts';
import type { RecordsRange } from '../../../src/protocol/schema.ts';
import { message } from '../messages.ts';
import { requestFrame } from '../raw-client.ts';
import { decodeAnswer, type Fetched, type WireClient } from '../wire-client.ts';
import { valueFor } from './identity.ts';
import { Sequel, type TopicLife } from './ledger.ts';
import { sendBatch } from './producers.ts';
import type { World } from './world.ts';

const FETCH_VERSION = 13; // By topic id.
const EMPTY_MS_MAX = 30_000;
const EARLIEST = -2;

function question({ topicId }: TopicLife, offsets: ReadonlyMap<number, number>, maxBytes: number, maxWaitMs: number) {
  const partitions = [...offsets].map(([partition, fetchOffset]) => ({ partition, fetchOffset, partitionMaxBytes: maxBytes }));
  return { maxWaitMs, minBytes: 1, maxBytes: 4 * maxBytes, topics: [{ topicId, partitions }] };
}

/**
 * Checks an answer and moves `offsets` on; false: the topic is gone. `starts` is what was known of the logs' starts when it was asked for:
 * an offset below them is out of range, and one that is said to be out of range tells of a start behind it.
 */
function take(
  world: World,
  life: TopicLife,
  offsets: Map<number, number>,
  starts: readonly number[],
  fetched: Fetched,
  sequels?: readonly Sequel[],
): boolean {
  world.counts.fetched++;
  if (fetched.errorCode !== 0) {
    if (life.isEnding) return false;
    throw new Error(`Fetch of ${life.name}: ${fetched.errorCode}`);
  }
  for (const { partitionIndex, errorCode, records, highWatermark, logStartOffset } of fetched.partitions) {
    const offset = offsets.get(partitionIndex);
    const where = `${life.name}-${partitionIndex} at ${offset}`;
    if (errorCode !== 0 && life.isEnding) return false;
    if (offset === undefined) throw new Error(`an answer of ${life.name}-${partitionIndex}, which nobody asked for`);
    const start = starts[partitionIndex] as number;
    if (errorCode === ERROR.OFFSET_OUT_OF_RANGE) {
      life.startsAt(partitionIndex, offset + 1, 0);
      world.counts.outOfRange++;
      continue;
    }
    if (errorCode !== 0) throw new Error(`Fetch of ${where}: ${errorCode}`);
    if (offset < start) throw new Error(`${where}: answered with ${records.length} records, and the log starts at ${start}`);
    if (highWatermark < offset) throw new Error(`${where}: the log is said to be ${logStartOffset}…${highWatermark}`);
    try {
      life.startsAt(partitionIndex, logStartOffset, start);
      const next = life.read(partitionIndex, offset, records, sequels?.[partitionIndex] ?? null);
      if (next > highWatermark) throw new Error(`${next - 1} was read, and the high watermark is ${highWatermark}`);
      world.counts.records += next - offset;
      offsets.set(partitionIndex, next);
    } catch (error) {
      throw new Error(`${where}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return true;
}

const fromStart = ({ partitionCount }: TopicLife): Map<number, number> =>
  new Map(Array.from({ length: partitionCount }, (_, partition) => [partition, 0]));

/** Where an offset is below the log's start: asks for that, and goes on there, as clients do. */
async function skipDeleted(client: WireClient, life: TopicLife, offsets: Map<number, number>, sequels?: Sequel[]): Promise<void> {
  for (const [partition, offset] of offsets) {
    const before = life.knownStart(partition);
    if (offset >= before) continue;
    const start = await client.offsetAt(life.name, partition, EARLIEST);
    life.startsAt(partition, start, before);
    offsets.set(partition, start);
    if (sequels !== undefined) sequels[partition] = new Sequel(false);
  }
}

/** Reads all partitions from their start and stays at the tail, through connections that end with a fetch parked. */
export async function follow(world: World, topicName: string): Promise<void> {
  const random = world.random();
  const life = world.topic(topicName);
  const offsets = fromStart(life);
  const sequels = Array.from({ length: life.partitionCount }, () => new Sequel());
  while (!world.isOver && !life.isEnding) {
    const client = await world.connect();
    if (client === null) return;
    try {
      for (let left = random.below(300); left > 0 && !world.isOver; left--) {
        const maxBytes = 1 + random.below(random.below(4) === 0 ? 2000 : 300_000);
        const starts = life.knownStarts;
        const fetched = await client.fetch(question(life, offsets, maxBytes, 200), FETCH_VERSION);
        if (!take(world, life, offsets, starts, fetched, sequels)) return;
        await skipDeleted(client, life, offsets, sequels);
      }
      client.sendFetch(question(life, offsets, 1000, 200), FETCH_VERSION);
      await delay(random.below(3));
    } catch (error) {
      if (!client.raw.socket.destroyed) throw error;
    } finally {
      client.close();
    }
  }
}

/** Reads from some old offset to the tail, again and again. */
export async function readBacklog(world: World, topicName: string): Promise<void> {
  const random = world.random();
  const client = await world.connect();
  if (client === null) return;
  try {
    while (!world.isOver) {
      const life = world.topic(topicName);
      const partition = random.below(life.partitionCount);
      const end = life.acknowledgedEnd(partition);
      const offsets = new Map([[partition, random.below(end + 1)]]);
      let since = performance.now();
      for (let left = 20; left > 0 && !world.isOver && (offsets.get(partition) as number) < end; left--) {
        const starts = life.knownStarts;
        const fetched = await client.fetch(question(life, offsets, 1 + random.below(1 << 20), 0), FETCH_VERSION);
        const before = offsets.get(partition);
        if (!take(world, life, offsets, starts, fetched)) break;
        await skipDeleted(client, life, offsets);
        if (offsets.get(partition) === before) left++;
        else since = performance.now();
        // While slow readers hold the memory for replies an answer may be empty; not for ever.
        if (performance.now() - since > EMPTY_MS_MAX) {
          throw new Error(`nothing at ${before} of ${life.name}-${partition} for ${EMPTY_MS_MAX} ms, acknowledged up to ${end}`);
        }
      }
      await delay(random.below(30));
    }
  } finally {
    client.close();
  }
}

/** Asks for much, several times at once, and takes the answers in pieces of some bytes. */
export async function readSlowly(world: World, topicName: string): Promise<void> {
  const random = world.random();
  const pieceBytes = 1 + random.below(3000);
  const asked: { life: TopicLife; offsets: Map<number, number>; starts: readonly number[] }[] = [];
  const parts: Buffer[] = [];
  let bytes = 0;
  let wanted = 4;
  let hasLength = false;
  let failure: unknown = null;
  let isClosed = false;
  const onBytes = (piece: Buffer): void => {
    parts.push(piece);
    bytes += piece.length;
    world.counts.slowBytes += piece.length;
    while (bytes >= wanted) {
      const all = Buffer.concat(parts);
      const frame = all.subarray(0, wanted);
      parts.splice(0, parts.length, all.subarray(wanted));
      bytes -= wanted;
      wanted = hasLength ? 4 : frame.readInt32BE(0);
      if (hasLength) check(frame);
      hasLength = !hasLength;
    }
  };
  const check = (frame: Buffer): void => {
    const { life, offsets, starts } = asked.shift() as (typeof asked)[number];
    const { message: answer, bytes: body } = decodeAnswer(fetchResponse, FETCH_VERSION, frame);
    const partitions = answer.responses.flatMap(({ topic, topicId, partitions: found }) =>
      found.map((partition) => {
        const range = partition.records as RecordsRange | null;
        const batches = range === null ? Buffer.alloc(0) : Buffer.from(body.subarray(range.position, range.position + range.length));
        return { ...partition, topic, topicId, batches, records: readAllRecords(batches) };
      }),
    );
    take(world, life, offsets, starts, { errorCode: answer.errorCode, sessionId: answer.sessionId, partitions });
  };
  const socket: Socket = connect({
    port: world.port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(pieceBytes),
      callback(length, buffer) {
        try {
          onBytes(Buffer.from(buffer.subarray(0, length)));
        } catch (error) {
          failure = error;
          socket.destroy();
        }
        if (random.below(40) !== 0) return true;
        setTimeout(() => socket.resume(), random.below(20));
        return false;
      },
    },
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  for (let left = 12; left > 0 && !world.isOver && !isClosed; left--) {
    const life = world.topic(topicName);
    const partition = random.below(life.partitionCount);
    const offsets = new Map([[partition, random.below(life.acknowledgedEnd(partition) + 1)]]);
    asked.push({ life, offsets, starts: life.knownStarts });
    const body = encodeMessage(fetchRequest, FETCH_VERSION, message(fetchRequest, question(life, offsets, 1 + random.below(1 << 20), 0)));
    socket.write(requestFrame(API.Fetch, FETCH_VERSION, left, body, true));
    await delay(random.below(30));
  }
  for (let i = 0; i < 300 && asked.length > 0 && !isClosed && !world.isOver; i++) await delay(20);
  socket.destroy();
  if (failure !== null) throw failure;
}

/** Begins something and breaks off: half a request, answers that nobody reads, a produce that nobody hears of. */
export async function vanish(world: World, topicName: string): Promise<void> {
  const random = world.random();
  while (!world.isOver) {
    const client = await world.connect();
    if (client === null) return;
    const life = world.topic(topicName);
    const partition = random.below(life.partitionCount);
    const kind = random.below(4);
    if (kind === 0) {
      client.raw.write(requestFrame(API.Produce, 9, 1, Buffer.alloc(random.below(200_000)), true).subarray(0, 20 + random.below(100_000)));
    } else if (kind === 1) {
      client.raw.socket.pause();
      for (let i = 0; i < 20; i++) client.sendFetch(question(life, fromStart(life), 1 << 20, 100), FETCH_VERSION);
    } else if (kind === 2) {
      client.sendFetch(question(life, new Map([[partition, life.acknowledgedEnd(partition)]]), 1000, 1000), FETCH_VERSION);
    } else {
      sendUnheard(world, client, life, partition);
    }
    await delay(random.below(60));
    client.close();
    world.counts.vanished++;
  }
}

function sendUnheard(world: World, client: WireClient, life: TopicLife, partition: number): void {
  const producer = world.newProducer(false);
  const builder = new BatchBuilder();
  const value = valueFor({ topicId: life.topicId, partition, producer, sequence: 0 }, 1000);
  builder.append({ value, timestampMs: Date.now() });
  sendBatch(client, life, partition, builder.build());
}
