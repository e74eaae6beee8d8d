// What a message between workers costs: one ring in one thread (no cache line travels), an exchange's request and reply to
// the same worker, and one ring between two threads. Run: node bench/micro/ring.bench.ts [--short]
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Bench } from 'tinybench';
import { Exchange } from '../../src/actors/exchange.ts';
import { createExchangeRegion, ringWords } from '../../src/actors/ring-layout.ts';
import { SharedWords } from '../../src/actors/shared-words.ts';
import { SpscRing } from '../../src/actors/spsc-ring.ts';
import { KIB } from '../../src/base/units.ts';

const CAPACITY_BYTES = 64 * KIB;
const PAYLOAD_WORDS = 8; // A descriptor: arena, position, length, partition, offset and the like.
const BATCH = 64;
const KIND = 1;

interface FarEnd {
  readonly region: SharedArrayBuffer;
  readonly messageCount: number;
}

if (isMainThread) await main(process.argv.includes('--short'));
else consume(workerData as FarEnd);

async function main(isShort: boolean): Promise<void> {
  const bench = new Bench({ time: isShort ? 100 : 1000, warmupTime: 100 });
  addRing(bench, 'ring, published one by one', 1);
  addRing(bench, `ring, published by ${BATCH}`, BATCH);
  addSelfRound(bench, 'self request + reply, one per turn', 1);
  addSelfRound(bench, `self request + reply, ${BATCH} per turn`, BATCH);
  await bench.run();
  for (const task of bench.tasks) {
    const result = task.result;
    if (!('latency' in result)) throw new Error(`${task.name} gave no result`);
    report(task.name, (result.latency.p50 * 1e6) / BATCH, 'median');
  }
  const messageCount = isShort ? 200_000 : 5_000_000;
  for (const perPublish of [1, BATCH]) {
    const ns = ((await betweenThreads(messageCount, perPublish)) * 1e9) / messageCount;
    report(`two threads on ${availableParallelism()} cores, published by ${perPublish}`, ns, 'mean');
  }
}

function report(name: string, ns: number, how: string): void {
  console.log(`${name.padEnd(42)} ${ns.toFixed(1).padStart(8)} ns  ${(1e3 / ns).toFixed(2).padStart(7)} M/s  (${how})`);
}

/** BATCH messages through a ring of this thread, as if the far side were another. */
function addRing(bench: Bench, name: string, perPublish: number): void {
  const region = new SharedArrayBuffer(ringWords(CAPACITY_BYTES) * 4);
  const memory = new Int32Array(region);
  const producer = new SpscRing(new SharedWords(region), 0, CAPACITY_BYTES);
  const consumer = new SpscRing(new SharedWords(region), 0, CAPACITY_BYTES);
  let sum = 0;
  const handler = (_kind: number, _requestId: number, index: number): void => {
    sum += memory[index] as number;
  };
  bench.add(name, () => {
    for (let i = 1; i <= BATCH; i++) {
      memory[producer.tryClaim(KIND, i, PAYLOAD_WORDS)] = i;
      producer.commit();
      if (i % perPublish === 0) producer.publish();
    }
    while (consumer.read(handler, BATCH) > 0);
    return sum;
  });
}

/** BATCH rounds of a worker with itself, `perTurn` between two polls. */
function addSelfRound(bench: Bench, name: string, perTurn: number): void {
  const region = createExchangeRegion(1, CAPACITY_BYTES);
  const exchange = new Exchange({ selfIndex: 0, workerCount: 1, region, ringCapacityBytes: CAPACITY_BYTES, ringDoorbell: () => undefined });
  let answered = 0;
  exchange.onRequest(KIND, (from, requestId, words, _floats, index) => {
    const reply = exchange.beginReply(from, KIND, requestId, PAYLOAD_WORDS);
    exchange.replyWords(from)[reply] = words[index] as number;
    exchange.commitReply(from);
  });
  exchange.onReply(KIND, (_from, _requestId, words, _floats, index) => {
    answered += words[index] as number;
  });
  bench.add(name, () => {
    for (let i = 0; i < BATCH; i++) {
      const index = exchange.tryRequest(0, KIND, i, PAYLOAD_WORDS, PAYLOAD_WORDS);
      exchange.requestWords(0)[index] = 1;
      exchange.commitRequest(0);
      if ((i + 1) % perTurn === 0) {
        exchange.poll(BATCH); // The requests.
        exchange.poll(BATCH); // Their replies, in the same turn.
      }
    }
    return answered;
  });
}

/** Seconds for `messageCount` messages to another thread that spins; on fewer than two free cores they take turns. */
async function betweenThreads(messageCount: number, perPublish: number): Promise<number> {
  const region = new SharedArrayBuffer(ringWords(CAPACITY_BYTES) * 4);
  const memory = new Int32Array(region);
  const data: FarEnd = { region, messageCount };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  await new Promise((resolve) => worker.once('message', resolve));
  const finished = new Promise((resolve) => worker.once('message', resolve));
  const ring = new SpscRing(new SharedWords(region), 0, CAPACITY_BYTES);
  const start = performance.now();
  for (let sent = 0; sent < messageCount; ) {
    const index = ring.tryClaim(KIND, sent, PAYLOAD_WORDS);
    if (index === -1) {
      ring.publish();
      continue;
    }
    memory[index] = sent++;
    ring.commit();
    if (sent % perPublish === 0) ring.publish();
  }
  ring.publish();
  await finished;
  const seconds = (performance.now() - start) / 1000;
  await worker.terminate();
  return seconds;
}

function consume({ region, messageCount }: FarEnd): void {
  const ring = new SpscRing(new SharedWords(region), 0, CAPACITY_BYTES);
  parentPort?.postMessage('ready');
  let received = 0;
  while (received < messageCount) received += ring.read(() => undefined, BATCH);
  parentPort?.postMessage('done');
}
