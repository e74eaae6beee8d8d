// The coordinators of one worker: which of the internal topics' partitions here are shards, who has asked them what, and how the answers
// go back. An answer that is ready when the turn ends is the reply to its question; of any other the reply says "later".
// Invariants: each question is answered once; none holds a credit beyond the turn in which it was heard; PartitionHost ends the turn before
// this does, so that what was decided in it is written by then.
// Runs on: every worker. Not here: what a shard decides (shard.ts), how it is brought through the log (shard-actor.ts).
import type { TurnEndActor } from '../actors/actor.ts';
import type { Words } from '../actors/shared-words.ts';
import { assert } from '../base/assert.ts';
import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import type { MetadataChange, TopicImage } from '../metadata/image-types.ts';
import type { MetadataActor } from '../metadata/metadata-actor.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import { apis } from '../protocol/apis/index.ts';
import { codec } from '../protocol/compile.ts';
import { noteErrors } from '../protocol/error-fields.ts';
import { ERROR } from '../protocol/errors.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  ASK_HEADER_WORDS,
  ASK_REPLY_HEADER_WORDS,
  ask,
  askReply,
  bytesAsWords,
  COORDINATOR_ASK,
  INLINE,
  QUESTIONS_OPEN_MAX,
  STATUS,
} from './coordinator-messages.ts';
import { ReadyAnswers } from './ready-answers.ts';
import type { Question } from './shard.ts';
import { type CoordinatorKind, ShardActor } from './shard-actor.ts';
import type { RangeReader } from './shard-loader.ts';
import { ImageTopics } from './topics-view.ts';

export interface CoordinatorHostOptions {
  readonly runtime: Runtime;
  readonly partitions: PartitionHost;
  readonly metadata: MetadataActor;
  readonly reader: RangeReader;
  readonly logger: Logger;
  /** The shared words in which this worker tells others that it has answers, and where those begin. */
  readonly words: Words;
  readonly firstWord: number;
  /** The internal topics whose partitions are shards. */
  readonly kinds: readonly CoordinatorKind<unknown>[];
  /** The response message that answers a question with an error. */
  readonly refusal: (question: Question, errorCode: number) => unknown;
  /** Hears the error codes of all answers, by API. */
  readonly noteError?: (apiKey: number, errorCode: number) => void;
  /** Less than QUESTIONS_OPEN_MAX for tests alone. */
  readonly questionsOpenMax?: number;
}

class OpenQuestion implements Question {
  readonly token: number;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly body: unknown;
  readonly from: number;
  /** Of the ring's request, which is to be replied to in this turn. */
  readonly requestId: number;
  readonly roomBytes: number;
  /** The reply was "later". */
  isLate = false;

  constructor(
    token: number,
    api: number,
    clientId: string,
    clientHost: string,
    body: unknown,
    from: number,
    requestId: number,
    roomBytes: number,
  ) {
    this.token = token;
    this.apiKey = api >>> 16;
    this.apiVersion = api & 0xffff;
    this.clientId = clientId;
    this.clientHost = clientHost;
    this.body = body;
    this.from = from;
    this.requestId = requestId;
    this.roomBytes = roomBytes;
  }
}

const REASON_BYTES_MAX = 100;

export class CoordinatorHost implements TurnEndActor {
  readonly #options: CoordinatorHostOptions;
  readonly #topics: ImageTopics;
  readonly #ready: ReadyAnswers;
  /** By slot. */
  readonly #shards = new Map<number, ShardActor<unknown>>();
  /** Questions without an answer, by token. */
  readonly #open = new Map<number, OpenQuestion>();
  /** Those that were heard in this turn. */
  #fresh: OpenQuestion[] = [];
  #lastToken = 0;
  #isClosed = false;
  /** Shards that load, one after the other. */
  readonly #loading: ShardActor<unknown>[] = [];
  readonly #reader = new ByteReader(new Uint8Array(0));
  readonly #writer = new ByteWriter(new Uint8Array(0));
  readonly #ringBytes: Buffer;
  readonly #loadTurn: TurnEndActor = { onTurnEnd: () => this.#loadOnce() };

  constructor(options: CoordinatorHostOptions) {
    this.#options = options;
    const { exchange } = options.runtime;
    this.#topics = new ImageTopics(options.metadata.image);
    this.#ready = new ReadyAnswers(exchange, options.words, options.firstWord);
    this.#ringBytes = Buffer.from(exchange.replyWords(0).buffer);
    exchange.onRequest(COORDINATOR_ASK, (from, requestId, words, floats, index, payloadWords) => {
      const metadataOffset = floats[(index + ask.metadataOffset) >> 1] as number;
      if (metadataOffset > options.metadata.appliedOffset) {
        // Its sender knows topics that we don't know yet. The reply, and with it the sender's slab, waits.
        const copy = new Int32Array(words.subarray(index, index + payloadWords));
        const bytes = Buffer.from(copy.buffer);
        options.metadata.whenApplied(metadataOffset, () => this.#hear(from, requestId, copy, 0, bytes));
      } else this.#hear(from, requestId, words, index, this.#ringBytes);
    });
  }

  /** Questions without an answer, for the gauges. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Answers that wait to be taken, for the gauges. */
  get readyCount(): number {
    return this.#ready.count;
  }

  get shards(): Iterable<ShardActor<unknown>> {
    return this.#shards.values();
  }

  /** What all shards that are loaded have, for the gauges. */
  *census(): Iterable<{ readonly protocol: string; readonly state: string }> {
    for (const shard of this.#shards.values()) yield* shard.census();
  }

  /** Follows a change of the image. To be called after those who open and remove the logs. */
  onChange(change: MetadataChange): void {
    if (this.#isClosed) return;
    for (const topic of change.topicsDeleted) this.#dropTopic(topic);
    const { kinds } = this.#options;
    for (const topic of change.topicsCreated) {
      const kind = kinds.find((each) => each.topic === topic.name);
      if (kind !== undefined) for (const { slot } of topic.partitions) this.#add(kind, slot);
    }
    for (const { topic, after } of change.partitionsChanged) {
      const kind = kinds.find((each) => each.topic === topic.name);
      // New, or without a leader until now.
      if (kind !== undefined && !this.#shards.has(after.slot)) this.#add(kind, after.slot);
    }
    const haveTopicsChanged =
      change.topicsCreated.length + change.topicsDeleted.length > 0 || change.partitionsChanged.some(({ before }) => before === null);
    if (!haveTopicsChanged) return;
    this.#topics.version++;
    const deleted = change.topicsDeleted.map(({ name, id }) => ({ name, topicId: id }));
    for (const shard of this.#shards.values()) shard.onTopicsChanged(deleted);
  }

  onTurnEnd(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    for (const question of fresh) if (this.#open.has(question.token) && !question.isLate) this.#sayLater(question);
  }

  /** The broker stops: nothing is decided any more. What is staged is the partitions' to write. */
  close(): void {
    this.#isClosed = true;
    for (const shard of this.#shards.values()) shard.drop(ERROR.COORDINATOR_NOT_AVAILABLE);
    this.#shards.clear();
  }

  #dropTopic(topic: TopicImage): void {
    for (const { slot } of topic.partitions) {
      this.#shards.get(slot)?.drop(ERROR.NOT_COORDINATOR);
      this.#shards.delete(slot);
    }
  }

  #add(kind: CoordinatorKind<unknown>, slot: number): void {
    const { partitions, runtime, reader, logger } = this.#options;
    const replica = partitions.replica(slot);
    if (replica === undefined || this.#shards.has(slot)) return; // Another worker's.
    const shard = new ShardActor<unknown>({
      kind,
      replica,
      host: partitions,
      runtime,
      reader,
      topics: this.#topics,
      logger,
      answer: (token, body) => this.#answer(token, body),
      refuse: (token, errorCode) => this.#refuse(token, errorCode),
      loadLater: (which) => this.#loadLater(which),
    });
    this.#shards.set(slot, shard);
  }

  #loadLater(shard: ShardActor<unknown>): void {
    this.#loading.push(shard);
    // At the end of a turn, so that there is one piece in each.
    this.#options.runtime.touchLast(this.#loadTurn);
  }

  #loadOnce(): void {
    const shard = this.#loading[0];
    if (shard === undefined) return;
    if (!shard.load()) this.#loading.shift();
    if (this.#loading.length > 0) this.#options.runtime.touchLast(this.#loadTurn);
  }

  /** `words` from `index` on are the question's; its inline bytes lie behind them, in `bytes`. */
  #hear(from: number, requestId: number, words: Int32Array, index: number, bytes: Buffer): void {
    const { runtime, partitions } = this.#options;
    const api = words[index + ask.api] as number;
    const arena = words[index + ask.arena] as number;
    const sizeBytes = words[index + ask.sizeBytes] as number;
    const roomBytes = words[index + ask.roomBytes] as number;
    const shard = this.#shards.get(words[index + ask.slot] as number);
    const source = arena === INLINE ? bytes : (runtime.arenaBytes[arena] as Uint8Array);
    const position = arena === INLINE ? (index + ASK_HEADER_WORDS) * 4 : (words[index + ask.position] as number);
    const reader = this.#reader.reset(source, position, position + sizeBytes);
    const token = this.#nextToken();
    let question: OpenQuestion;
    try {
      const clientId = reader.string();
      const clientHost = reader.string();
      const table = apis.get(api >>> 16);
      if (table === undefined) throw new DecodeError(`API ${api >>> 16} is no coordinator's`);
      const body: unknown = codec(table.request, api & 0xffff).decode(reader);
      question = new OpenQuestion(token, api, clientId, clientHost, body, from, requestId, roomBytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#sayMalformed(from, requestId, error.message, roomBytes);
      return;
    }
    const isFull = this.#open.size >= (this.#options.questionsOpenMax ?? QUESTIONS_OPEN_MAX);
    this.#open.set(token, question);
    this.#fresh.push(question);
    // In this order: what is decided is written before the end of the turn says "later".
    partitions.touch();
    runtime.touch(this);
    if (isFull) this.#refuse(token, ERROR.COORDINATOR_NOT_AVAILABLE);
    else if (shard === undefined) this.#refuse(token, ERROR.NOT_COORDINATOR);
    else shard.ask(question);
  }

  /** Positive int32s, each of which is no open question's. */
  #nextToken(): number {
    do this.#lastToken = (this.#lastToken + 1) & 0x7fffffff;
    while (this.#open.has(this.#lastToken));
    return this.#lastToken;
  }

  #refuse(token: number, errorCode: number): void {
    const question = this.#open.get(token);
    if (question !== undefined) this.#answer(token, this.#options.refusal(question, errorCode));
  }

  #answer(token: number, body: unknown): void {
    const question = this.#open.get(token);
    assert(question !== undefined, `an answer to question ${token}, which is not open`);
    this.#open.delete(token);
    const { apiKey, apiVersion, from, requestId, isLate, roomBytes } = question;
    const table = apis.get(apiKey);
    assert(table !== undefined, `no API ${apiKey}`);
    const { noteError } = this.#options;
    if (noteError !== undefined) noteErrors(table.response, body, { noteError: (errorCode) => noteError(apiKey, errorCode) });
    const { size, encode } = codec(table.response, apiVersion);
    const sizeBytes = size(body as never);
    if (!isLate && sizeBytes <= roomBytes) {
      const { exchange } = this.#options.runtime;
      const at = exchange.beginReply(from, COORDINATOR_ASK, requestId, ASK_REPLY_HEADER_WORDS + bytesAsWords(sizeBytes));
      const words = exchange.replyWords(from);
      words[at + askReply.status] = STATUS.ANSWERED;
      words[at + askReply.value] = sizeBytes;
      encode(body as never, this.#writer.reset(this.#ringBytes, (at + ASK_REPLY_HEADER_WORDS) * 4));
      exchange.commitReply(from);
      return;
    }
    const bytes = Buffer.allocUnsafe(sizeBytes);
    encode(body as never, this.#writer.reset(bytes, 0));
    if (!isLate) this.#sayLater(question);
    this.#ready.add(from, token, bytes);
  }

  #sayLater(question: OpenQuestion): void {
    const { exchange } = this.#options.runtime;
    question.isLate = true;
    const at = exchange.beginReply(question.from, COORDINATOR_ASK, question.requestId, ASK_REPLY_HEADER_WORDS);
    const words = exchange.replyWords(question.from);
    words[at + askReply.status] = STATUS.LATER;
    words[at + askReply.value] = question.token;
    exchange.commitReply(question.from);
  }

  #sayMalformed(from: number, requestId: number, reason: string, roomBytes: number): void {
    const { exchange } = this.#options.runtime;
    const text = Buffer.from(reason).subarray(0, Math.min(REASON_BYTES_MAX, roomBytes));
    const at = exchange.beginReply(from, COORDINATOR_ASK, requestId, ASK_REPLY_HEADER_WORDS + bytesAsWords(text.length));
    const words = exchange.replyWords(from);
    words[at + askReply.status] = STATUS.MALFORMED;
    words[at + askReply.value] = text.length;
    this.#ringBytes.set(text, (at + ASK_REPLY_HEADER_WORDS) * 4);
    exchange.commitReply(from);
  }
}
