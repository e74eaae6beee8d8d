// Answers that wait until every worker has applied what they rest on.
// Invariant: they wait in the order of their offsets, and each is given or refused once.
// Runs on: worker 0. Pure.

interface WaitingReply {
  readonly endOffset: number;
  readonly reply: () => void;
  /** Instead of `reply`, where what the answer rests on never came to be committed. */
  readonly refuse: () => void;
}

export class AppliedWaits {
  readonly #appliedByWorker: number[];
  readonly #waiting: WaitingReply[] = [];

  constructor(workerCount: number) {
    this.#appliedByWorker = new Array<number>(workerCount).fill(0);
  }

  /** All records below are applied on every worker. */
  get appliedOnAll(): number {
    return Math.min(...this.#appliedByWorker);
  }

  /** A worker has applied all below `endOffset`. */
  applied(worker: number, endOffset: number): void {
    this.#appliedByWorker[worker] = endOffset;
    const applied = this.appliedOnAll;
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due] as WaitingReply).endOffset <= applied) due++;
    for (const { reply } of this.#waiting.splice(0, due)) reply();
  }

  /** Replies at once where all below `endOffset`, which is never less than at the last call, is applied already. */
  whenApplied(endOffset: number, reply: () => void, refuse: () => void): void {
    if (endOffset <= this.appliedOnAll) reply();
    else this.#waiting.push({ endOffset, reply, refuse });
  }

  /** Nothing from `endOffset` on will be applied: who waits for more is refused. */
  refuseBeyond(endOffset: number): void {
    const open = this.#waiting.findIndex((waiting) => waiting.endOffset > endOffset);
    if (open !== -1) for (const { refuse } of this.#waiting.splice(open)) refuse();
  }
}
