// A worker with an exchange on a thread of its own, which asks all workers (itself included) and answers them, and blocks
// in its event loop whenever it may: a lost wake-up shows as a run that does not end.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Exchange } from '../../src/actors/exchange.ts';
import { seededRandom } from '../../src/base/random.ts';

export interface ExchangeTortureData {
  readonly selfIndex: number;
  readonly workerCount: number;
  readonly region: SharedArrayBuffer;
  readonly ringCapacityBytes: number;
  readonly requestCount: number;
}

/** To this worker: 'bell', or 'stop'. From it: the index of a worker whose bell is to be rung, or what it has seen. */
export interface ExchangeTortureResult {
  readonly answered: number;
  readonly served: number;
  readonly sleeps: number;
  readonly refused: number;
}

const { selfIndex, workerCount, region, ringCapacityBytes, requestCount } = workerData as ExchangeTortureData;
const port = parentPort as MessagePort;
const random = seededRandom(selfIndex + 1);
const exchange = new Exchange({
  selfIndex,
  workerCount,
  region,
  ringCapacityBytes,
  ringDoorbell: (target) => port.postMessage(target),
});
const KIND = 0;
let sent = 0;
let answered = 0;
let served = 0;
let sleeps = 0;
let refused = 0;
let isPaused = false;
let isTurnDue = false;

exchange.onRequest(KIND, (from, requestId, words, _floats, index, payloadWords) => {
  for (let i = 1; i < payloadWords; i++) {
    if (words[index + i] !== requestId + i) throw new Error(`request ${requestId} of worker ${from}, word ${i}: ${words[index + i]}`);
  }
  const replyWords = words[index] as number;
  const reply = exchange.beginReply(from, KIND, requestId, replyWords);
  const target = exchange.replyWords(from);
  for (let i = 0; i < replyWords; i++) target[reply + i] = requestId - i;
  exchange.commitReply(from);
  served++;
});
exchange.onReply(KIND, (from, requestId, words, _floats, index, payloadWords) => {
  for (let i = 0; i < payloadWords; i++) {
    if (words[index + i] !== requestId - i) throw new Error(`reply ${requestId} of worker ${from}, word ${i}: ${words[index + i]}`);
  }
  answered++;
});
exchange.onCredits(() => {
  isPaused = false;
});

function ask(): void {
  for (let tries = 0; tries < 32 && sent < requestCount && !isPaused; tries++) {
    const target = random.below(workerCount);
    const payloadWords = 1 + random.below(exchange.maxPayloadWords);
    const replyWords = random.below(exchange.maxPayloadWords + 1);
    const index = exchange.tryRequest(target, KIND, sent, payloadWords, replyWords);
    if (index === -1) {
      refused++;
      isPaused = true; // Until credits come back, as a connection would.
      return;
    }
    const words = exchange.requestWords(target);
    words[index] = replyWords;
    for (let i = 1; i < payloadWords; i++) words[index + i] = sent + i;
    exchange.commitRequest(target);
    sent++;
  }
}

function turn(): void {
  isTurnDue = false;
  exchange.awake();
  const wasDone = answered === requestCount;
  ask();
  exchange.poll(64);
  if (answered === requestCount && !wasDone) {
    const result: ExchangeTortureResult = { answered, served, sleeps, refused };
    port.postMessage(result);
  }
  exchange.ringDoorbells();
  const canAsk = sent < requestCount && !isPaused;
  if (canAsk || !exchange.trySleep()) wake();
  else sleeps++;
}

function wake(): void {
  if (isTurnDue) return;
  isTurnDue = true;
  setImmediate(turn);
}

port.on('message', (message: 'bell' | 'stop') => {
  if (message === 'bell') wake();
  else process.exit(0);
});
wake();
