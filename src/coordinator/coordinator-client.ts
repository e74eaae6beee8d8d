// The asking side of coordinators: a question goes to the worker that owns its shard as one ring record, by one credit. Its answer comes
// back in the reply, or later: then the owner's bit tells, and it is taken in pieces of what a reply has room for.
// Invariants: of each owner there is at most one TAKE under way; every question that was taken is answered once, whether or not its
// connection still lives; a question holds its slab until the owner has heard it, and a credit no longer than that turn.
// Bounded by the connections, each of which has one such request at a time. Runs on: every worker that has connections.
import type { Exchange } from '../actors/exchange.ts';
import { SharedBits } from '../actors/shared-bits.ts';
import type { Words } from '../actors/shared-words.ts';
import { NO_SLAB, type SlabArena } from '../actors/slab-arena.ts';
import { assert } from '../base/assert.ts';
import { utf8Bytes } from '../base/byte-text.ts';
import { ByteWriter, fittingText } from '../base/byte-writer.ts';
import { copyShared } from '../base/shared-copy.ts';
import {
  ANSWER_ROOM_BYTES_MAX,
  ANSWER_ROOM_BYTES_MIN,
  ASK_HEADER_WORDS,
  ASK_REPLY_HEADER_WORDS,
  ask,
  askReply,
  bytesAsWords,
  COORDINATOR_ASK,
  COORDINATOR_TAKE,
  INLINE,
  INLINE_BYTES_MAX,
  readyBitsWord,
  STATUS,
  TAKE_BYTES_MAX,
  TAKE_ENTRY_WORDS,
  TAKE_REPLY_HEADER_WORDS,
  TAKE_WORDS,
  take,
  takeEntry,
  takeReply,
} from './coordinator-messages.ts';

/** Where an answer goes: begin, then pieces until it is whole, then end; or malformed. Called in turns, never inside `ask`. */
export interface AnswerSink {
  begin(sizeBytes: number): void;
  /** bytes[position, position + length) are valid during the call alone. */
  piece(bytes: Buffer, position: number, length: number): void;
  end(): void;
  /** The body of the question could not be read. */
  malformed(reason: string): void;
}

/** Which shard is asked: the slot of its partition and the worker that owns it. */
export interface ShardAddress {
  readonly slot: number;
  readonly owner: number;
}

/** A question as the requester has it: the body is bytes[position, position + length). */
export interface QuestionBytes {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly bytes: Buffer;
  readonly position: number;
  readonly length: number;
}

export interface CoordinatorClientOptions {
  readonly exchange: Exchange;
  readonly arena: SlabArena;
  /** The shared words in which owners tell that they have answers, and where those begin: coordinatorRegionBytes of them. */
  readonly words: Words;
  readonly firstWord: number;
  readonly metadataOffset: () => number;
  /** Runtime.wake: a question that a socket's callback asks would wait for the next turn. */
  readonly wake: () => void;
}

/** One at a time, so one id: no question's (~place) and none of the partition client's. */
const TAKE_REQUEST_ID = -(2 ** 31);

class Asked {
  readonly owner: number;
  readonly slot: number;
  readonly api: number;
  readonly sizeBytes: number;
  readonly sink: AnswerSink;
  /** While it waits for a credit: the whole question, where it is small. */
  copy: Buffer | null = null;
  slab = NO_SLAB;
  /** Of the answer, when it comes in pieces. */
  leftBytes = -1;

  constructor(address: ShardAddress, api: number, sizeBytes: number, sink: AnswerSink) {
    this.owner = address.owner;
    this.slot = address.slot;
    this.api = api;
    this.sizeBytes = sizeBytes;
    this.sink = sink;
  }
}

/** What there is of one owner. */
class Owner {
  /** Without a credit, oldest first. */
  readonly waiting: Asked[] = [];
  /** Answers that will be taken, by ticket. */
  readonly later = new Map<number, Asked>();
  isTaking = false;
  /** Something became ready, and no TAKE that was sent afterwards has been answered. */
  hasReady = false;
}

export class CoordinatorClient {
  readonly #exchange: Exchange;
  readonly #arena: SlabArena;
  readonly #metadataOffset: () => number;
  readonly #wake: () => void;
  readonly #owners: Owner[];
  readonly #ready: SharedBits;
  /** By place; a request's id is ~place, so that it is never one of the partition client's, which count from 0. */
  readonly #underWay: (Asked | null)[] = [];
  readonly #freePlaces: number[] = [];
  readonly #inlineBytesMax: number;
  readonly #answerRoomMax: number;
  readonly #takeRoomWords: number;
  readonly #writer = new ByteWriter(new Uint8Array(0));
  /** The rings' memory as bytes. */
  readonly #ringBytes: Buffer;

  constructor(options: CoordinatorClientOptions) {
    const { exchange, arena, words, firstWord } = options;
    this.#exchange = exchange;
    this.#arena = arena;
    this.#metadataOffset = options.metadataOffset;
    this.#wake = options.wake;
    this.#owners = Array.from({ length: exchange.workerCount }, () => new Owner());
    this.#ready = new SharedBits(words, readyBitsWord(firstWord, exchange.selfIndex, exchange.workerCount), exchange.workerCount);
    const { maxPayloadWords } = exchange;
    this.#inlineBytesMax = Math.min(INLINE_BYTES_MAX, (maxPayloadWords - ASK_HEADER_WORDS) * 4);
    this.#answerRoomMax = Math.min(ANSWER_ROOM_BYTES_MAX, (maxPayloadWords - ASK_REPLY_HEADER_WORDS) * 4);
    this.#takeRoomWords = Math.min(TAKE_BYTES_MAX / 4, maxPayloadWords);
    this.#ringBytes = Buffer.from(exchange.requestWords(0).buffer);
    exchange.onReply(COORDINATOR_ASK, (from, requestId, ringWords, _floats, index) => this.#onAnswer(from, requestId, ringWords, index));
    exchange.onReply(COORDINATOR_TAKE, (from, _requestId, ringWords, _floats, index) => this.#onTaken(from, ringWords, index));
    exchange.onCredits(() => this.#drain());
    const takeFrom = (owner: number): void => this.#takeFrom(owner);
    exchange.addWakeSource(
      () => this.#ready.any(),
      () => void this.#ready.drain(takeFrom),
    );
  }

  /**
   * Asks; false where there is no memory for a large question now, and nothing was done: it may be asked again when memory came back.
   * The question's bytes are not needed any more when this returns.
   */
  ask(address: ShardAddress, question: QuestionBytes, sink: AnswerSink): boolean {
    const clientId = fittingText(question.clientId);
    const sizeBytes = questionBytes(clientId, question);
    const asked = new Asked(address, question.apiKey * 65_536 + question.apiVersion, sizeBytes, sink);
    const owner = this.#owner(asked.owner);
    if (sizeBytes > this.#inlineBytesMax) {
      const slab = this.#arena.claim(sizeBytes);
      if (slab < 0) return false;
      asked.slab = slab;
      this.#write(this.#arena.bytes, slab, clientId, question);
    }
    if (owner.waiting.length === 0) {
      const at = this.#claim(asked);
      if (at >= 0) {
        if (asked.slab === NO_SLAB) this.#write(this.#ringBytes, (at + ASK_HEADER_WORDS) * 4, clientId, question);
        this.#exchange.commitRequest(asked.owner);
        this.#wake();
        return true;
      }
    }
    if (asked.slab === NO_SLAB) {
      asked.copy = Buffer.allocUnsafe(sizeBytes);
      this.#write(asked.copy, 0, clientId, question);
    }
    owner.waiting.push(asked);
    this.#wake();
    return true;
  }

  /** Whether there can ever be memory for a question on this worker while its own frame holds a slab of `heldBytes` (0: none). */
  canEverAsk(question: QuestionBytes, heldBytes: number): boolean {
    return this.#arena.canHoldBeside(questionBytes(fittingText(question.clientId), question), heldBytes);
  }

  /** Questions that wait for a credit, for the gauges. */
  get waitingCount(): number {
    return this.#owners.reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /** Questions whose answers will come later. */
  get laterCount(): number {
    return this.#owners.reduce((sum, { later }) => sum + later.size, 0);
  }

  #write(target: Buffer, at: number, clientId: string, question: QuestionBytes): void {
    const writer = this.#writer.reset(target, at);
    writer.string(clientId);
    writer.string(question.clientHost);
    copyShared(question.bytes, question.position, target, writer.position, question.length);
  }

  /** A credit and the words of a question, all but its inline bytes; -1: no credit. */
  #claim(asked: Asked): number {
    const { owner, sizeBytes } = asked;
    const isInline = asked.slab === NO_SLAB;
    const place = this.#freePlaces.pop() ?? this.#underWay.length;
    // Most answers say something of each thing that was asked, and no more than the question did.
    const roomBytes = Math.min(Math.max(sizeBytes, ANSWER_ROOM_BYTES_MIN), this.#answerRoomMax);
    const payloadWords = ASK_HEADER_WORDS + (isInline ? bytesAsWords(sizeBytes) : 0);
    const replyWords = Math.min(ASK_REPLY_HEADER_WORDS + bytesAsWords(roomBytes), this.#exchange.maxPayloadWords);
    const at = this.#exchange.tryRequest(owner, COORDINATOR_ASK, ~place, payloadWords, replyWords);
    if (at < 0) {
      if (place < this.#underWay.length) this.#freePlaces.push(place);
      return -1;
    }
    this.#underWay[place] = asked;
    const words = this.#exchange.requestWords(owner);
    words[at + ask.slot] = asked.slot;
    words[at + ask.api] = asked.api;
    words[at + ask.arena] = isInline ? INLINE : this.#exchange.selfIndex;
    words[at + ask.position] = asked.slab;
    this.#exchange.requestFloats(owner)[(at + ask.metadataOffset) >> 1] = this.#metadataOffset();
    words[at + ask.sizeBytes] = sizeBytes;
    words[at + ask.roomBytes] = roomBytes;
    return at;
  }

  /** Credits come back in nearly every turn, whoever had them, and nearly always nothing waits here. */
  #drain(): void {
    for (let index = 0; index < this.#owners.length; index++) {
      const owner = this.#owner(index);
      if (!owner.hasReady && owner.waiting.length === 0) continue;
      // A TAKE goes first: it brings answers that hold memory at the owner.
      if (owner.hasReady && !owner.isTaking) this.#takeFrom(index);
      let sent = 0;
      for (; sent < owner.waiting.length; sent++) {
        const asked = owner.waiting[sent] as Asked;
        const at = this.#claim(asked);
        if (at < 0) break;
        asked.copy?.copy(this.#ringBytes, (at + ASK_HEADER_WORDS) * 4);
        asked.copy = null;
        this.#exchange.commitRequest(index);
      }
      if (sent > 0) owner.waiting.splice(0, sent);
    }
  }

  #onAnswer(from: number, requestId: number, words: Int32Array, index: number): void {
    const place = ~requestId;
    const asked = this.#underWay[place];
    assert(asked !== null && asked !== undefined, 'an answer to a question that is not under way');
    this.#underWay[place] = null;
    this.#freePlaces.push(place);
    if (asked.slab !== NO_SLAB) this.#arena.release(asked.slab);
    asked.slab = NO_SLAB;
    const value = words[index + askReply.value] as number;
    const position = (index + ASK_REPLY_HEADER_WORDS) * 4;
    switch (words[index + askReply.status]) {
      case STATUS.LATER:
        this.#owner(from).later.set(value, asked);
        return;
      case STATUS.MALFORMED:
        asked.sink.malformed(this.#ringBytes.toString('utf8', position, position + value));
        return;
      default:
        asked.sink.begin(value);
        asked.sink.piece(this.#ringBytes, position, value);
        asked.sink.end();
    }
  }

  #takeFrom(index: number): void {
    const owner = this.#owner(index);
    owner.hasReady = true;
    if (owner.isTaking) return;
    const at = this.#exchange.tryRequest(index, COORDINATOR_TAKE, TAKE_REQUEST_ID, TAKE_WORDS, this.#takeRoomWords);
    if (at < 0) return; // onCredits comes back to it.
    this.#exchange.requestWords(index)[at + take.roomWords] = this.#takeRoomWords;
    this.#exchange.commitRequest(index);
    owner.isTaking = true;
    owner.hasReady = false;
  }

  #onTaken(from: number, words: Int32Array, index: number): void {
    const owner = this.#owner(from);
    owner.isTaking = false;
    let at = index + TAKE_REPLY_HEADER_WORDS;
    const end = at + (words[index + takeReply.usedWords] as number);
    const hasMore = words[index + takeReply.hasMore] !== 0;
    while (at < end) {
      const ticket = words[at + takeEntry.ticket] as number;
      const pieceBytes = words[at + takeEntry.pieceBytes] as number;
      const asked = owner.later.get(ticket);
      assert(asked !== undefined, `a piece of answer ${ticket}, which nobody waits for`);
      this.#hearPiece(owner, ticket, asked, words[at + takeEntry.sizeBytes] as number, (at + TAKE_ENTRY_WORDS) * 4, pieceBytes);
      at += TAKE_ENTRY_WORDS + bytesAsWords(pieceBytes);
    }
    if (hasMore || owner.hasReady) this.#takeFrom(from);
  }

  #hearPiece(owner: Owner, ticket: number, asked: Asked, sizeBytes: number, position: number, pieceBytes: number): void {
    if (asked.leftBytes < 0) {
      asked.leftBytes = sizeBytes;
      asked.sink.begin(sizeBytes);
    }
    asked.leftBytes -= pieceBytes;
    asked.sink.piece(this.#ringBytes, position, pieceBytes);
    if (asked.leftBytes > 0) return;
    owner.later.delete(ticket);
    asked.sink.end();
  }

  #owner(index: number): Owner {
    const owner = this.#owners[index];
    assert(owner !== undefined, `worker ${index} of ${this.#owners.length}`);
    return owner;
  }
}

/** With `clientId` as it is sent. */
function questionBytes(clientId: string, { clientHost, length }: QuestionBytes): number {
  return 4 + utf8Bytes(clientId) + utf8Bytes(clientHost) + length;
}
