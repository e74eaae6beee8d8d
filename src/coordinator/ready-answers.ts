// Answers that are ready for another worker (or this one) to take: encoded, in order, given out in pieces of what a reply has room for.
// Invariant: an answer stays here until its last byte is in a reply; the worker it is for has its bit set while there is one.
// Bounded by the questions that are open. Runs on: the owner of the coordinators.
import type { Exchange } from '../actors/exchange.ts';
import { SharedBits } from '../actors/shared-bits.ts';
import type { Words } from '../actors/shared-words.ts';
import {
  bytesAsWords,
  COORDINATOR_TAKE,
  readyBitsWord,
  TAKE_ENTRY_WORDS,
  TAKE_REPLY_HEADER_WORDS,
  take,
  takeEntry,
  takeReply,
} from './coordinator-messages.ts';

interface ReadyAnswer {
  readonly ticket: number;
  readonly bytes: Uint8Array;
}

/** What waits for one worker. */
class Ready {
  readonly bits: SharedBits;
  /** Answers from `first` on; the ones before are gone. */
  answers: ReadyAnswer[] = [];
  first = 0;
  /** Bytes of the first answer that have been given out. */
  givenBytes = 0;

  constructor(bits: SharedBits) {
    this.bits = bits;
  }

  get count(): number {
    return this.answers.length - this.first;
  }
}

export class ReadyAnswers {
  readonly #exchange: Exchange;
  readonly #byWorker: readonly Ready[];
  readonly #ringBytes: Buffer;

  /** `words` from `firstWord` on: coordinatorRegionBytes, the same for all workers. */
  constructor(exchange: Exchange, words: Words, firstWord: number) {
    this.#exchange = exchange;
    const { workerCount } = exchange;
    this.#byWorker = Array.from(
      { length: workerCount },
      (_, worker) => new Ready(new SharedBits(words, readyBitsWord(firstWord, worker, workerCount), workerCount)),
    );
    this.#ringBytes = Buffer.from(exchange.replyWords(0).buffer);
    exchange.onRequest(COORDINATOR_TAKE, (from, requestId, ringWords, _floats, index) =>
      this.#onTake(from, requestId, ringWords[index + take.roomWords] as number),
    );
  }

  /** Answers that nobody has taken yet. */
  get count(): number {
    return this.#byWorker.reduce((sum, ready) => sum + ready.count, 0);
  }

  /** Keeps an answer for `worker` and tells it. The bytes stay as they are. */
  add(worker: number, ticket: number, bytes: Uint8Array): void {
    const ready = this.#byWorker[worker] as Ready;
    ready.answers.push({ ticket, bytes });
    if (ready.count > 1) return; // Told already: it takes until nothing is left.
    ready.bits.set(this.#exchange.selfIndex);
    this.#exchange.signal(worker);
  }

  #onTake(from: number, requestId: number, roomWords: number): void {
    const ready = this.#byWorker[from] as Ready;
    const usedWords = this.#measure(ready, roomWords - TAKE_REPLY_HEADER_WORDS);
    const start = this.#exchange.beginReply(from, COORDINATOR_TAKE, requestId, TAKE_REPLY_HEADER_WORDS + usedWords);
    const words = this.#exchange.replyWords(from);
    words[start + takeReply.usedWords] = usedWords;
    let at = start + TAKE_REPLY_HEADER_WORDS;
    const end = at + usedWords;
    while (at < end) {
      const { ticket, bytes } = ready.answers[ready.first] as ReadyAnswer;
      const pieceBytes = pieceOf(bytes.length - ready.givenBytes, end - at);
      words[at + takeEntry.ticket] = ticket;
      words[at + takeEntry.sizeBytes] = bytes.length;
      words[at + takeEntry.pieceBytes] = pieceBytes;
      this.#ringBytes.set(bytes.subarray(ready.givenBytes, ready.givenBytes + pieceBytes), (at + TAKE_ENTRY_WORDS) * 4);
      ready.givenBytes += pieceBytes;
      if (ready.givenBytes === bytes.length) {
        ready.givenBytes = 0;
        ready.first++;
      }
      at += TAKE_ENTRY_WORDS + bytesAsWords(pieceBytes);
    }
    if (ready.first === ready.answers.length) {
      ready.answers = [];
      ready.first = 0;
    } else if (ready.first > 64 && ready.first * 2 > ready.answers.length) {
      ready.answers.splice(0, ready.first);
      ready.first = 0;
    }
    words[start + takeReply.hasMore] = ready.count > 0 ? 1 : 0;
    this.#exchange.commitReply(from);
  }

  /** Words of the entries that fit, whole or begun. */
  #measure(ready: Ready, roomWords: number): number {
    let usedWords = 0;
    let givenBytes = ready.givenBytes;
    for (let i = ready.first; i < ready.answers.length; i++) {
      const leftBytes = (ready.answers[i] as ReadyAnswer).bytes.length - givenBytes;
      givenBytes = 0;
      const pieceBytes = pieceOf(leftBytes, roomWords - usedWords);
      if (pieceBytes < 0) break;
      usedWords += TAKE_ENTRY_WORDS + bytesAsWords(pieceBytes);
      if (pieceBytes < leftBytes) break;
    }
    return usedWords;
  }
}

/** How many of `leftBytes` go into an entry of at most `roomWords`; -1: not even a beginning. */
function pieceOf(leftBytes: number, roomWords: number): number {
  const roomBytes = ((roomWords - TAKE_ENTRY_WORDS) & -2) * 4;
  if (roomBytes < Math.min(leftBytes, 8)) return -1;
  return Math.min(leftBytes, roomBytes);
}
