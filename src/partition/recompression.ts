// Batches on their way through the pool: where a topic wants another codec than a batch came in, the pool compresses it anew, in the memory
// that it was received in or, where it grew, in new memory that is handed over.
// Invariants: the batches of a partition are staged in the order in which they came: whatever comes behind one that is with the pool waits
// for it, while the pool works on several. A batch under way keeps its place in PendingProduce open, so that its request, and with it the
// memory it lies in, stays until the job has ended. Of the batches that open to more than the usual one at a time is with the pool.
// Nothing is decided here: partition-appends.ts stages, or refuses, when it is told.
// Runs on: the worker that owns the partitions. At most as many wait as there are credits for produces.
import { type AppendResult, createAppendResult } from '../log/log.ts';
import { enlarged, RECOMPRESS_JOB, type Recompressed, type RecompressTask, recompressTask, wantsRecompression } from '../log/recompress.ts';
import { batchSizeBytes } from '../protocol/records/batch.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { LeaderReplica } from './leader-replica.ts';
import type { PendingProduce } from './pending-produce.ts';

/** Batches that the pool was given and that are not decided yet, for each of its threads: what has grown is held by no more than these. */
const UNDER_WAY_PER_THREAD = 3;

export interface WaitingBatch {
  readonly replica: LeaderReplica;
  readonly pending: PendingProduce;
  /** Which entry of the pending produce. */
  readonly entry: number;
  /** Where it came to lie. */
  readonly bytes: Uint8Array;
  readonly position: number;
  readonly length: number;
  /** What the pool is to do with it; null where it only waits for those before it. */
  task: RecompressTask | null;
  isReady: boolean;
  /** What the pool made of it. */
  outcome: Recompressed | null;
  /** The pool itself has failed. */
  error: Error | null;
}

export class Recompression {
  readonly #runtime: Runtime;
  /** Stages or refuses the batch whose turn has come. */
  readonly #decide: (batch: WaitingBatch) => void;
  readonly #underWayMax: number;
  readonly #result: AppendResult = createAppendResult();
  readonly #lanes = new Map<LeaderReplica, WaitingBatch[]>();
  /** For the pool, in the order in which they came. */
  readonly #queue: WaitingBatch[] = [];
  /** Those that open to more than the usual, the first of which is with the pool. They count as under way. */
  readonly #large: WaitingBatch[] = [];
  #underWayCount = 0;
  #waitingCount = 0;
  #onIdle: (() => void) | null = null;

  constructor(runtime: Runtime, decide: (batch: WaitingBatch) => void) {
    this.#runtime = runtime;
    this.#decide = decide;
    this.#underWayMax = UNDER_WAY_PER_THREAD * runtime.poolThreadCount;
  }

  /** Whether a batch has to go through here: one for the pool, or one behind such. */
  concerns(replica: LeaderReplica, bytes: Uint8Array, position: number, length: number): boolean {
    return replica.hasWaiting || wantsRecompression(replica.log.config, bytes, position, length);
  }

  /** Takes a batch that `concerns` named: it will be decided, now or later. */
  take(replica: LeaderReplica, pending: PendingProduce, entry: number, bytes: Uint8Array, position: number, length: number): void {
    const batch: WaitingBatch = { replica, pending, entry, bytes, position, length, task: null, isReady: true, outcome: null, error: null };
    const { config } = replica.log;
    pending.undecidedCount++;
    this.#waitingCount++;
    const lane = this.#lanes.get(replica);
    if (lane === undefined) this.#lanes.set(replica, [batch]);
    else lane.push(batch);
    replica.hasWaiting = true;
    // One whose frame is bad needs no pool: it is refused when its turn comes.
    if (wantsRecompression(config, bytes, position, length) && replica.log.examine(bytes, position, length, this.#result)) {
      const sizeBytes = batchSizeBytes(bytes, position);
      batch.task = recompressTask(config, bytes.buffer, bytes.byteOffset + position, sizeBytes, this.#runtime.clock.wallMs());
      batch.isReady = false;
      this.#queue.push(batch);
      this.#startMore();
    } else this.#drain(replica);
  }

  /** Calls `done` when nothing waits any more. */
  whenIdle(done: () => void): void {
    if (this.#waitingCount === 0) done();
    else this.#onIdle = done;
  }

  /** The oldest of all is among those under way, so that these are decided in the end. */
  #startMore(): void {
    while (this.#underWayCount < this.#underWayMax) {
      const batch = this.#queue.shift();
      if (batch === undefined) return;
      this.#underWayCount++;
      this.#runtime.compute<Recompressed>(RECOMPRESS_JOB, batch.task, (error, outcome) => {
        if (outcome?.wantsMore !== true) return this.#ended(batch, error, outcome);
        this.#large.push(batch);
        if (this.#large.length === 1) this.#startLarge(batch);
      });
    }
  }

  #startLarge(batch: WaitingBatch): void {
    this.#runtime.compute<Recompressed>(RECOMPRESS_JOB, enlarged(batch.task as RecompressTask), (error, outcome) => {
      this.#large.shift();
      const [next] = this.#large;
      if (next !== undefined) this.#startLarge(next);
      this.#ended(batch, error, outcome);
    });
  }

  #ended(batch: WaitingBatch, error: Error | null, outcome: Recompressed | undefined): void {
    batch.isReady = true;
    batch.outcome = outcome ?? null;
    batch.error = error;
    this.#drain(batch.replica);
    this.#startMore();
  }

  #drain(replica: LeaderReplica): void {
    const waiting = this.#lanes.get(replica) ?? [];
    let count = 0;
    for (; waiting[count]?.isReady === true; count++) {
      const batch = waiting[count] as WaitingBatch;
      if (batch.task !== null) this.#underWayCount--;
      this.#decide(batch);
    }
    waiting.splice(0, count);
    if (waiting.length === 0) {
      this.#lanes.delete(replica);
      replica.hasWaiting = false;
    }
    this.#waitingCount -= count;
    if (this.#waitingCount > 0 || this.#onIdle === null) return;
    const onIdle = this.#onIdle;
    this.#onIdle = null;
    onIdle();
  }
}
