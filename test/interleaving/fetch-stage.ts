// A small partition for the explorer, and the product's own fetch over it: PendingFetch, TailLeases, FetchAnswer, WaitingFetches and the
// counters below them, from the request to the answer. Stood in for are what does not lie in shared words: the disk, by plain words that its
// writer stores and its readers load (so that a read which is not ordered after the write is a data race), the rings and the socket.

import { Doorbell } from '../../src/actors/doorbell.ts';
import type { Words } from '../../src/actors/shared-words.ts';
import { unreachable } from '../../src/base/assert.ts';
import { ByteReader } from '../../src/base/byte-reader.ts';
import { seededRandom } from '../../src/base/random.ts';
import { AbortedTransactions } from '../../src/broker/aborted-transactions.ts';
import type { BrokerContext } from '../../src/broker/broker-context.ts';
import { FetchSessions } from '../../src/broker/fetch-sessions.ts';
import { PendingFetch } from '../../src/broker/pending-fetch.ts';
import type { SegmentReader } from '../../src/broker/segment-reader.ts';
import { TailLeases } from '../../src/broker/tail-leases.ts';
import { WaitingFetches } from '../../src/broker/waiting-fetches.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import type { ClusterImage } from '../../src/metadata/image.ts';
import { MetadataActor } from '../../src/metadata/metadata-actor.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { encodeRecordBatch } from '../../src/metadata/record-batch.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { PartitionCall } from '../../src/partition/partition-client.ts';
import { fetchReply } from '../../src/partition/partition-messages.ts';
import { PartitionMeter } from '../../src/partition/partition-meter.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { type FetchRequest, fetchRequest, fetchResponse } from '../../src/protocol/apis/fetch.ts';
import { codec } from '../../src/protocol/compile.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';
import { labelled } from '../support/batches.ts';
import { message } from '../support/messages.ts';
import type { Thread, ThreadContext } from './explorer.ts';

export const OWNER = 0;
const WORKER_COUNT = 2;
const SLOT_COUNT = 2;
const REGION_WORDS = partitionRegionBytes(SLOT_COUNT, WORKER_COUNT) / 4;
const TOPIC = 'explored';
const TOPIC_ID = 'Yh6JWqR4QEKKkBrX6UixQw';
const API_VERSION = 11;

/** Of one record each; a batch's offset is its number. */
const BATCHES = [0, 1, 2].map((offset) => labelled('e', offset, 1, { baseOffset: offset }));
export const BATCH_BYTES = (BATCHES[0] as Uint8Array).length;
/** The files of the log: which batches lie in them. The second one is begun by a roll. */
const FILES: readonly { readonly descriptor: number; readonly baseOffset: number; readonly batches: readonly number[] }[] = [
  { descriptor: 100, baseOffset: 0, batches: [0, 1, 2] },
  { descriptor: 101, baseOffset: 2, batches: [2] },
];

/** A file's word: whoever closes it stores 1. A batch's word: whoever writes it stores 1. */
const FILE_WORDS = REGION_WORDS;
const BATCH_WORDS = FILE_WORDS + FILES.length;
const SLEEPING_WORDS = BATCH_WORDS + FILES.length * BATCHES.length;
export const WORD_COUNT = SLEEPING_WORDS + WORKER_COUNT;

const image = makeImage();
export const SLOT = image.topicByName(TOPIC)?.partitions[0]?.slot ?? -1;

function makeImage(): ClusterImage {
  const metadata = new MetadataActor({ clusterId: 'explorer', workerIndex: 0, sendApplied: () => {} });
  const partition: MetadataRecord = {
    type: 'PartitionRecord',
    ...{ partitionId: 0, topicId: TOPIC_ID, replicas: [1], isr: [1], removingReplicas: [], addingReplicas: [], leader: 1 },
    ...{
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [TOPIC_ID],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
  };
  const bytes = encodeRecordBatch([{ type: 'TopicRecord', name: TOPIC, topicId: TOPIC_ID }, partition], {
    ...{ baseOffset: 0, leaderEpoch: 1, timestampMs: 0 },
  });
  metadata.receive({ type: 'metadata-batch', bytes, endOffset: 2, epoch: 1 });
  return metadata.image;
}

function batchWord(file: number, batch: number): number {
  return BATCH_WORDS + file * BATCHES.length + batch;
}

function makeWords(context: ThreadContext, selfIndex: number): { counters: PartitionWords; doorbell: Doorbell } {
  const sleepingWord = (worker: number): number => SLEEPING_WORDS + worker;
  const doorbell = new Doorbell(context.words, selfIndex, sleepingWord, (target) => context.ringBell(target));
  const counters = new PartitionWords({
    region: new SharedArrayBuffer(8), // Not touched: all accesses go through the explorer.
    ...{ slotCount: SLOT_COUNT, workerCount: WORKER_COUNT, selfIndex, words: context.words },
    signal: (worker) => doorbell.mark(worker),
  });
  return { counters, doorbell };
}

/** The memory at the start: batches up to `last` are written to the first file and published. */
export function prepared(last: number): (words: Words) => void {
  return (words) => {
    const region = new SharedArrayBuffer(8);
    const options = { region, slotCount: SLOT_COUNT, workerCount: WORKER_COUNT, selfIndex: OWNER, words, signal: () => {} };
    publish(new PartitionWords(options), last, 0);
    for (let batch = 0; batch <= last; batch++) words.storePlain(batchWord(0, batch), 1);
  };
}

function publish(counters: PartitionWords, batch: number, file: number, logStart = 0, epoch = 0): void {
  const { baseOffset, batches } = FILES[file] as (typeof FILES)[number];
  const sizeBytes = (batches.indexOf(batch) + 1) * BATCH_BYTES;
  const end = batch + 1;
  counters.publish(SLOT, epoch, logStart, end, end, {
    writtenEnd: end,
    liveSegmentBaseOffset: baseOffset,
    liveSegmentSizeBytes: sizeBytes,
  });
}

/** The owner's side of the stage. */
export interface OwnerStage {
  readonly counters: PartitionWords;
  /** Writes a batch into a file and publishes it. The file: 0, or 1 behind a roll. */
  append(batch: number, file?: number): void;
  /** Publishes the end of `batch` again, with a log start. */
  startAt(logStart: number, batch: number, file: number): void;
  /** Publishes the end of `batch` again, with a leader epoch. */
  raiseEpoch(epoch: number, batch: number): void;
  close(file: number): void;
  /** The end of a turn. */
  ring(): void;
}

export function owner(context: ThreadContext): OwnerStage {
  const { counters, doorbell } = makeWords(context, OWNER);
  const { words } = context;
  return {
    counters,
    append(batch, file = 0) {
      words.storePlain(batchWord(file, batch), 1);
      publish(counters, batch, file);
      doorbell.ringMarked();
    },
    startAt(logStart, batch, file) {
      publish(counters, batch, file, logStart);
      doorbell.ringMarked();
    },
    raiseEpoch(epoch, batch) {
      publish(counters, batch, 0, 0, epoch);
      doorbell.ringMarked();
    },
    close: (file) => words.storePlain(FILE_WORDS + file, 1),
    ring: () => doorbell.ringMarked(),
  };
}

/** What a consumer's thread has reported. */
export type Told = { readonly read: readonly number[]; readonly highWatermark: number } | 'asks the owner' | { readonly wakes: number };

/**
 * A consumer on another worker than the owner's that follows the tail from offset 1, by a lease that knows where that begins, until it has read
 * everything below `end` or has to ask the owner. Each of its fetches waits for `minBytes`, and knows that leader epoch.
 * `hasAsked`: it knows nothing, and the owner has planned its first fetch before it did anything else: that there is nothing behind offset 1.
 */
export function consumer(end: number, minBytes = 1, currentLeaderEpoch = -1, hasAsked = false): Thread {
  return (context) => {
    const self = 1;
    const { counters, doorbell } = makeWords(context, self);
    const { words } = context;
    const sources: { check: () => boolean; drain: () => void }[] = [];
    const exchange = { addWakeSource: (check: () => boolean, drain: () => void) => void sources.push({ check, drain }) };
    const meter = new PartitionMeter();
    const waiting = new WaitingFetches({ exchange } as never, counters, meter);
    const leases = new TailLeases(counters, { onChange: () => {} }, meter);
    if (!hasAsked) leases.learn(SLOT, 0, FILES[0]?.descriptor ?? -1, 0, 1, BATCH_BYTES);
    const sessions = new FetchSessions(1, seededRandom(1));
    const aborted = new AbortedTransactions(new MemoryStorage(), () => null);
    let offset = 1;
    let isAsking = false;
    let isBusy = false;
    let isOwnerDone = !hasAsked;
    const answers: (() => void)[] = []; // Of the owner, in a later turn of this worker.

    const reader: SegmentReader = {
      isSentFromFile: () => false,
      isCached: () => true,
      readNow(descriptor, target, at, length, position) {
        const index = FILES.findIndex((each) => each.descriptor === descriptor);
        const file = FILES[index];
        if (file === undefined || words.loadPlain(FILE_WORDS + index) !== 0) throw new Error('read from a closed file');
        for (let done = 0; done < length; done += BATCH_BYTES) {
          const batch = file.batches[(position + done) / BATCH_BYTES];
          if (batch === undefined) throw new Error(`position ${position + done} is none of the file of ${file.baseOffset}`);
          if (words.loadPlain(batchWord(index, batch)) === 0) throw new Error(`batch ${batch} is not written yet`);
          target.set(BATCHES[batch] as Uint8Array, at + done);
        }
        return length;
      },
      readLater: () => unreachable('the tail is in memory'),
      stepLater: () => unreachable('the tail is small'),
    };
    const stage = {
      metadata: { image },
      config: { listeners: [] },
      words: counters,
      reader,
      partitions: {
        begin(kind: number, capacity: number, onDone: (call: PartitionCall) => void) {
          const call = new PartitionCall(kind, capacity);
          call.onDone = onDone;
          return call;
        },
        send(call: PartitionCall) {
          isAsking = isOwnerDone;
          isOwnerDone = true;
          if (isAsking) return;
          const at = call.reply(0);
          call.replyWords[at + fetchReply.descriptor] = -1;
          call.replyWords[at + fetchReply.divergingEpoch] = -1;
          call.replyFloats[(at + fetchReply.highWatermark) >> 1] = 1;
          call.replyFloats[(at + fetchReply.lastStableOffset) >> 1] = 1;
          answers.push(() => call.onDone?.(call));
        },
        end: () => {},
      },
      runtime: {
        workerCount: WORKER_COUNT,
        clock: { monotonicMs: () => 0 },
        arena: { slabMaxBytes: 1 << 20 },
        after: () => ({ cancel: () => {} }),
      },
    } as unknown as BrokerContext;

    function heard(bytes: Buffer): void {
      const answer = codec(fetchResponse, API_VERSION).decode(new ByteReader(bytes));
      const partition = answer.responses[0]?.partitions[0];
      const range = partition?.records as { position: number; length: number };
      const { highWatermark = -1 } = partition ?? {};
      const read = readAllRecords(bytes.subarray(range.position, range.position + range.length)).map((record) => record.offset);
      if (read[0] !== offset) throw new Error(`asked for ${offset}, got ${read}`);
      if ((read.at(-1) ?? -1) >= highWatermark) throw new Error(`record ${read.at(-1)} above the watermark ${highWatermark}`);
      context.report({ read, highWatermark } satisfies Told);
      offset += read.length;
      isBusy = false;
    }

    function fetch(): void {
      isBusy = true;
      const replyBytes = Buffer.alloc(1024);
      const request = {
        ...{ apiVersion: API_VERSION, replyBytes, connection: { isClosed: false, sendsFiles: false, state: null, listener: 0 } },
        tryBeginReply: () => 0,
        beginReply: () => 0,
        noteError: () => {},
        endReply: () => heard(replyBytes),
        close: (reason: string) => unreachable(reason),
      } as unknown as IncomingRequest;
      const asked = { topic: TOPIC, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20, currentLeaderEpoch }] };
      const body: FetchRequest = message(fetchRequest, { maxWaitMs: 1, minBytes, maxBytes: 1 << 20, topics: [asked] });
      const plan = sessions.open(body, false, 0);
      new PendingFetch(stage, { sessions, waiting, leases, aborted }, request, body, plan).start();
    }

    return () => {
      while (offset < end && !isAsking) {
        if (!isBusy) {
          fetch();
          for (const answer of answers.splice(0)) answer();
          continue;
        }
        let isWoken = false;
        for (const { check, drain } of sources) {
          if (!check()) continue;
          drain();
          isWoken = true;
        }
        if (isWoken || !doorbell.trySleep(() => sources.some(({ check }) => check()))) continue;
        context.waitForBell();
        doorbell.awake();
      }
      if (isAsking) context.report('asks the owner' satisfies Told);
      context.report({ wakes: meter.wakeCount } satisfies Told);
    };
  };
}
