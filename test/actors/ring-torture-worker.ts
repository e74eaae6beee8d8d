// One end of a ring on a thread of its own: both ends draw the same random records, one sends them, the other compares.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedWords } from '../../src/actors/shared-words.ts';
import { SpscRing } from '../../src/actors/spsc-ring.ts';

export interface RingTortureData {
  readonly region: SharedArrayBuffer;
  readonly capacityBytes: number;
  readonly messageCount: number;
  readonly isProducer: boolean;
  readonly payloadWordsMax: number;
}

const { region, capacityBytes, messageCount, isProducer, payloadWordsMax } = workerData as RingTortureData;
const ring = new SpscRing(new SharedWords(region), 0, capacityBytes);
const memory = new Int32Array(region);
const nap = new Int32Array(new SharedArrayBuffer(4));

/** A fast generator (xorshift32) with the same seed on both sides. */
let state = 0x2545f491;
function draw(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state;
}

/** Spins for a while, then lets the other thread have the processor. */
let idle = 0;
function relax(): void {
  if (++idle % 200 === 0) Atomics.wait(nap, 0, 0, 0.05);
}

function produce(): void {
  for (let sent = 0; sent < messageCount; sent++) {
    const word = draw();
    const payloadWords = (word >>> 8) % (payloadWordsMax + 1);
    if ((word & 63) === 0) {
      // An abandoned claim leaves no trace, whatever was written into it.
      const index = ring.tryClaim(-77, -77, payloadWordsMax);
      if (index !== -1) {
        memory.fill(-77, index, index + payloadWordsMax);
        ring.abort();
      }
    }
    let index = ring.tryClaim(word & 0xff, sent, payloadWords);
    while (index === -1) {
      ring.publish();
      relax();
      index = ring.tryClaim(word & 0xff, sent, payloadWords);
    }
    for (let i = 0; i < payloadWords; i++) memory[index + i] = word + i;
    ring.commit();
    if ((word & 0x300) !== 0) ring.publish();
  }
  ring.publish();
}

function consume(): void {
  let received = 0;
  const handler = (kind: number, requestId: number, index: number, payloadWords: number): void => {
    const word = draw();
    if (kind !== (word & 0xff) || requestId !== received || payloadWords !== (word >>> 8) % (payloadWordsMax + 1)) {
      throw new Error(`record ${received} has kind ${kind}, id ${requestId}, ${payloadWords} words`);
    }
    for (let i = 0; i < payloadWords; i++) {
      if (memory[index + i] !== ((word + i) | 0)) throw new Error(`record ${received}, word ${i}: ${memory[index + i]}`);
    }
    received++;
  };
  while (received < messageCount) {
    if (ring.read(handler, 100) === 0) relax();
  }
}

if (isProducer) produce();
else consume();
parentPort?.postMessage('done');
