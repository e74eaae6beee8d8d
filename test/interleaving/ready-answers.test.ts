// Every schedule of a worker that asks and the owner of the coordinators, whose answers come later: each answer is taken whole and once,
// in the order in which it became ready, and nobody sleeps over one, also where it is told of while another is being taken.
import { describe, expect, it } from 'vitest';
import { Exchange, type MessageHandler } from '../../src/actors/exchange.ts';
import { exchangeLayout, REPLY_RING, REQUEST_RING, RING_CAPACITY_MIN_BYTES, RING_TAIL_WORD } from '../../src/actors/ring-layout.ts';
import type { Words } from '../../src/actors/shared-words.ts';
import { SLAB_MIN_BYTES, SlabArena } from '../../src/actors/slab-arena.ts';
import { CoordinatorClient } from '../../src/coordinator/coordinator-client.ts';
import {
  ASK_REPLY_HEADER_WORDS,
  askReply,
  COORDINATOR_ASK,
  coordinatorRegionBytes,
  readyBitsWord,
  STATUS,
} from '../../src/coordinator/coordinator-messages.ts';
import { ReadyAnswers } from '../../src/coordinator/ready-answers.ts';
import { type Explored, explore, type Thread, type ThreadContext } from './explorer.ts';

const ASKER = 0;
const OWNER = 1;
const WORKERS = 2;
const layout = exchangeLayout(WORKERS, RING_CAPACITY_MIN_BYTES);
const READY_WORD = layout.sizeBytes / 4;
const ASKER_READY_WORD = readyBitsWord(READY_WORD, ASKER, WORKERS);

/** Of the rings that nobody writes to here: looking at them is no step. */
const UNUSED_TAILS: readonly number[] = [
  layout.ringWord(OWNER, ASKER, REQUEST_RING) + RING_TAIL_WORD,
  layout.ringWord(ASKER, OWNER, REPLY_RING) + RING_TAIL_WORD,
];
/** No question is large enough for it. */
const arena = new SlabArena(SLAB_MIN_BYTES);

/**
 * With bells that ring whether or not their worker sleeps, the owner's always: all schedules of falling asleep are explored elsewhere, but
 * for the asker's, which looks at more than rings.
 */
function fewerSteps({ words }: ThreadContext, canSleep: boolean): Words {
  const alwaysAsleep = [OWNER, ...(canSleep ? [] : [ASKER])].map((worker) => layout.sleepingWord(worker));
  return {
    ...words,
    load: (index) => (UNUSED_TAILS.includes(index) ? 0 : alwaysAsleep.includes(index) ? 1 : words.load(index)),
    store: (index, value) => {
      if (!alwaysAsleep.includes(index)) words.store(index, value);
    },
    compareExchange: (index, expected, value) => (alwaysAsleep.includes(index) ? expected : words.compareExchange(index, expected, value)),
  };
}

/** Payloads are written to a region of this worker's own; here they travel through the words that are explored. */
class CarryingExchange extends Exchange {
  readonly #words: Words;
  #claimed: readonly [index: number, payloadWords: number] = [0, 0];

  constructor(context: ThreadContext, selfIndex: number, words: Words) {
    super({
      selfIndex,
      workerCount: WORKERS,
      region: new SharedArrayBuffer(layout.sizeBytes),
      ringCapacityBytes: RING_CAPACITY_MIN_BYTES,
      ringDoorbell: (target) => context.ringBell(target),
      words,
    });
    this.#words = words;
  }

  override tryRequest(target: number, kind: number, requestId: number, payloadWords: number, replyWords: number): number {
    const index = super.tryRequest(target, kind, requestId, payloadWords, replyWords);
    this.#claimed = [index, payloadWords];
    return index;
  }

  override beginReply(target: number, kind: number, requestId: number, payloadWords: number): number {
    const index = super.beginReply(target, kind, requestId, payloadWords);
    this.#claimed = [index, payloadWords];
    return index;
  }

  override commitRequest(target: number): void {
    this.#carryOut();
    super.commitRequest(target);
  }

  override commitReply(target: number): void {
    this.#carryOut();
    super.commitReply(target);
  }

  override onRequest(kind: number, handler: MessageHandler): void {
    super.onRequest(kind, this.#carryIn(handler));
  }

  override onReply(kind: number, handler: MessageHandler): void {
    super.onReply(kind, this.#carryIn(handler));
  }

  #carryOut(): void {
    const [index, payloadWords] = this.#claimed;
    const own = this.requestWords(0);
    for (let word = index; word < index + payloadWords; word++) this.#words.storePlain(word, own[word] as number);
  }

  #carryIn(handler: MessageHandler): MessageHandler {
    return (from, requestId, own, floats, index, payloadWords) => {
      for (let word = index; word < index + payloadWords; word++) own[word] = this.#words.loadPlain(word);
      handler(from, requestId, own, floats, index, payloadWords);
    };
  }
}

interface Shape {
  /** Of each answer, in the order in which they are asked for. */
  readonly answerBytes: readonly number[];
  /** An answer becomes ready in the turn in which its question is heard, before its "later" is published; else one a turn, afterwards. */
  readonly isAtOnce: boolean;
  /** The asker goes to sleep, and is woken only then. */
  readonly canSleep?: boolean;
  /** The asker forgets what it is told of while it takes. */
  readonly forgetsWhileTaking?: boolean;
  /** The owner sets the bit, and nobody is woken. */
  readonly isSilent?: boolean;
}

/** Bytes that say whose they are. */
function answerOf(question: number, sizeBytes: number): Buffer {
  return Buffer.from(Array.from({ length: sizeBytes }, (_, i) => (question + 1) * 50 + i));
}

interface Turns {
  readonly isDone: () => boolean;
  /** What was left by the turn before; whether something is left for the next. */
  readonly work?: () => void;
  readonly hasWork?: () => boolean;
  readonly canSleep?: boolean;
}

function runTurns(exchange: Exchange, context: ThreadContext, { isDone, work, hasWork, canSleep = false }: Turns): void {
  for (;;) {
    work?.();
    exchange.poll(8);
    exchange.ringDoorbells();
    if (isDone()) return;
    // A bell that always rings has rung for everything that came after the poll.
    if (hasWork?.() === true || (canSleep && !exchange.trySleep())) continue;
    context.waitForBell();
    if (canSleep) exchange.awake();
  }
}

function exploreAnswers({ answerBytes, isAtOnce, canSleep = false, forgetsWhileTaking = false, isSilent = false }: Shape): Explored {
  const asker: Thread = (context) => {
    let isTaking = (): boolean => false;
    const words: Words = {
      ...fewerSteps(context, canSleep),
      exchange: (index, value) => {
        const bits = context.words.exchange(index, value);
        return forgetsWhileTaking && index === ASKER_READY_WORD && isTaking() ? 0 : bits;
      },
    };
    const exchange = new CarryingExchange(context, ASKER, words);
    isTaking = () => exchange.outstandingCount(OWNER) > 0;
    const client = new CoordinatorClient({
      exchange,
      arena,
      words,
      firstWord: READY_WORD,
      metadataOffset: () => 0,
      wake: () => undefined,
    });
    return () => {
      const answers = answerBytes.map(() => '');
      let ended = 0;
      for (const question of answerBytes.keys()) {
        const pieces: Buffer[] = [];
        client.ask(
          { slot: 0, owner: OWNER },
          { apiKey: 0, apiVersion: 0, clientId: '', clientHost: '', bytes: Buffer.alloc(0), position: 0, length: 0 },
          {
            begin: (sizeBytes) => expect(sizeBytes).toBe(answerBytes[question]),
            piece: (bytes, position, length) => void pieces.push(Buffer.from(bytes.subarray(position, position + length))),
            end: () => {
              if (question !== ended++) throw new Error(`answer ${question} is the ${ended}.`);
              answers[question] = Buffer.concat(pieces).toString('hex');
            },
            malformed: (reason) => {
              throw new Error(reason);
            },
          },
        );
      }
      exchange.ringDoorbells();
      runTurns(exchange, context, { isDone: () => ended === answerBytes.length, canSleep });
      expect(client.laterCount + client.waitingCount).toBe(0);
      context.report(answers);
    };
  };
  const owner: Thread = (context) => {
    const exchange = new CarryingExchange(context, OWNER, fewerSteps(context, canSleep));
    if (isSilent) exchange.signal = () => undefined;
    const ready = new ReadyAnswers(exchange, context.words, READY_WORD);
    return () => {
      let heard = 0;
      let answered = 0;
      const answer = (): void => {
        ready.add(ASKER, answered, answerOf(answered, answerBytes[answered] as number));
        answered++;
      };
      exchange.onRequest(COORDINATOR_ASK, (from, requestId) => {
        const at = exchange.beginReply(from, COORDINATOR_ASK, requestId, ASK_REPLY_HEADER_WORDS);
        const words = exchange.replyWords(from);
        words[at + askReply.status] = STATUS.LATER;
        words[at + askReply.value] = heard++;
        exchange.commitReply(from);
        if (isAtOnce) answer();
      });
      runTurns(exchange, context, {
        isDone: () => answered === answerBytes.length && ready.count === 0,
        work: () => {
          if (answered < heard) answer();
        },
        hasWork: () => answered < heard,
      });
      context.report(ready.count);
    };
  };
  return explore({
    wordCount: READY_WORD + coordinatorRegionBytes(WORKERS) / 4,
    threads: [asker, owner],
    check: (reports) => {
      expect(reports).toEqual([[answerBytes.map((sizeBytes, question) => answerOf(question, sizeBytes).toString('hex'))], [0]]);
    },
  });
}

describe('all schedules of answers that come later', () => {
  it.each<[string, Shape]>([
    ['one, ready before its "later" is published', { answerBytes: [8], isAtOnce: true }],
    ['one, ready in a later turn', { answerBytes: [8], isAtOnce: false }],
    ['one, for an asker that goes to sleep', { answerBytes: [8], isAtOnce: false, canSleep: true }],
    ['one in pieces', { answerBytes: [40], isAtOnce: false }],
    ['two at once', { answerBytes: [8, 8], isAtOnce: true }],
    ['two, one after the other', { answerBytes: [8, 8], isAtOnce: false }],
    ['one in pieces, and one behind it', { answerBytes: [40, 3], isAtOnce: false }],
    ['two in pieces, at once', { answerBytes: [40, 30], isAtOnce: true }],
  ])('%s', (_, shape) => {
    expect(exploreAnswers(shape).ends).toBeGreaterThan(10);
  });

  it('an asker that forgets what it is told while it takes is noticed', () => {
    expect(() => exploreAnswers({ answerBytes: [8, 8], isAtOnce: false, forgetsWhileTaking: true })).toThrow(/lost wake-up/);
  });

  it('an owner that wakes nobody is noticed', () => {
    expect(() => exploreAnswers({ answerBytes: [8], isAtOnce: false, isSilent: true })).toThrow(/lost wake-up/);
  });
});
