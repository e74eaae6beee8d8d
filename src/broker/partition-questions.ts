// Questions about partitions whose answers are too rare or too long for a ring's entries: asked of the owners by control messages, one to
// each worker that owns some of them.
// Invariant: an owner answers by metadata that is no older than the asker's; answers come in the order of the partitions asked for.
// Runs on: every worker (client and server). Bounded by the connections: each has at most a few requests under way.
import { assert } from '../base/assert.ts';
import type { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionHost } from '../partition/partition-host.ts';
import { ERROR } from '../protocol/errors.ts';
import type { Runtime } from '../scheduler/runtime.ts';

/** A partition, by where it is. */
export interface PartitionAddress {
  readonly slot: number;
  readonly owner: number;
}

export interface LogSize {
  readonly sizeBytes: number;
  /** Records that are in the log and below no high watermark yet. */
  readonly offsetLag: number;
}

export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  readonly currentTxnStartOffset: number;
}

/** What may be asked, and the answer for one partition. */
const ANSWERS = {
  logSize: ({ log, highWatermark }: LeaderReplica): LogSize => ({
    sizeBytes: log.sizeBytes(),
    offsetLag: Math.max(log.writtenEnd - highWatermark, 0),
  }),
  producers: ({ log }: LeaderReplica): ActiveProducer[] =>
    Array.from(log.producerEntries(), (entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.lastSequence(),
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.transactionFirstOffset,
    })),
} as const;

/** The same for one whose log is not made yet, and so is empty. */
const EMPTY_ANSWERS: { readonly [Q in PartitionQuestion]: AnswerTo<Q> } = { logSize: { sizeBytes: 0, offsetLag: 0 }, producers: [] };

export type PartitionQuestion = keyof typeof ANSWERS;
type AnswerTo<Q extends PartitionQuestion> = ReturnType<(typeof ANSWERS)[Q]>;

/** An error code stands for a partition that is not here, or whose directory is offline. */
type AnswerOrError<Q extends PartitionQuestion> = AnswerTo<Q> | number;

export interface PartitionsRequest {
  readonly type: 'partitions-request';
  readonly id: number;
  readonly question: PartitionQuestion;
  readonly metadataOffset: number;
  readonly slots: readonly number[];
}

export interface PartitionsResponse {
  readonly type: 'partitions-response';
  readonly id: number;
  readonly answers: readonly unknown[];
}

export class PartitionQuestions {
  readonly #runtime: Runtime;
  readonly #metadataOffset: () => number;
  readonly #waiting = new Map<number, (answers: readonly unknown[]) => void>();
  #lastId = 0;

  constructor(runtime: Runtime, metadataOffset: () => number) {
    this.#runtime = runtime;
    this.#metadataOffset = metadataOffset;
  }

  /** `done` hears an answer for each partition, in their order, in a later turn; at once where there are none. */
  ask<Q extends PartitionQuestion>(
    question: Q,
    partitions: readonly PartitionAddress[],
    done: (answers: readonly AnswerOrError<Q>[]) => void,
  ): void {
    const answers: AnswerOrError<Q>[] = [];
    const byOwner = new Map<number, number[]>();
    for (const [index, { owner }] of partitions.entries()) {
      const indexes = byOwner.get(owner);
      if (indexes === undefined) byOwner.set(owner, [index]);
      else indexes.push(index);
    }
    let left = byOwner.size;
    if (left === 0) done(answers);
    for (const [owner, indexes] of byOwner) {
      const id = ++this.#lastId;
      this.#waiting.set(id, (part) => {
        assert(part.length === indexes.length, 'an answer for each partition');
        for (const [i, index] of indexes.entries()) answers[index] = part[i] as AnswerOrError<Q>;
        if (--left === 0) done(answers);
      });
      const slots = indexes.map((index) => (partitions[index] as PartitionAddress).slot);
      const metadataOffset = this.#metadataOffset();
      this.#runtime.sendControl(owner, { type: 'partitions-request', id, question, metadataOffset, slots } satisfies PartitionsRequest);
    }
  }

  receive({ id, answers }: PartitionsResponse): void {
    const done = this.#waiting.get(id);
    assert(done !== undefined, `an answer to question ${id} about partitions, which nobody asked`);
    this.#waiting.delete(id);
    done(answers);
  }
}

/** Answers for the partitions of this worker. */
export class PartitionAnswers {
  readonly #runtime: Runtime;
  readonly #host: PartitionHost;
  readonly #metadataOffset: () => number;
  /** From workers whose metadata is ahead of ours. */
  #early: { readonly from: number; readonly request: PartitionsRequest }[] = [];

  constructor(runtime: Runtime, host: PartitionHost, metadataOffset: () => number) {
    this.#runtime = runtime;
    this.#host = host;
    this.#metadataOffset = metadataOffset;
  }

  receive(from: number, request: PartitionsRequest): void {
    if (request.metadataOffset > this.#metadataOffset()) {
      this.#early.push({ from, request });
      return;
    }
    const answers = request.slots.map((slot) => this.#answer(request.question, slot));
    this.#runtime.sendControl(from, { type: 'partitions-response', id: request.id, answers } satisfies PartitionsResponse);
  }

  /** To be called after a metadata batch was applied. */
  onMetadataApplied(): void {
    const early = this.#early;
    this.#early = [];
    for (const { from, request } of early) this.receive(from, request);
  }

  #answer(question: PartitionQuestion, slot: number): unknown {
    const replica = this.#host.replica(slot);
    if (this.#host.unmade(slot) !== undefined) return EMPTY_ANSWERS[question];
    if (replica === undefined) return this.#host.unknownError(slot);
    return replica.isOffline ? ERROR.KAFKA_STORAGE_ERROR : ANSWERS[question](replica);
  }
}
