// A line of like pieces of work that would hold up the loop together: done in order, a slice at a time, and between slices the worker serves.
// Invariant: who waits is told in the order of asking, when all that was in line before is done.
// Runs on: every worker.
import type { Runtime } from '../scheduler/runtime.ts';

/** What a slice may take of a turn: no piece is begun after so much time, or so many pieces. */
const SLICE_MS = 2;
const PIECES_IN_SLICE_MAX = 16;

export class SlicedWork<Piece> {
  readonly #runtime: Runtime;
  readonly #work: (piece: Piece) => void;
  #pieces: Piece[] = [];
  #waiting: (() => void)[] = [];
  #isRunning = false;

  constructor(runtime: Runtime, work: (piece: Piece) => void) {
    this.#runtime = runtime;
    this.#work = work;
  }

  add(piece: Piece): void {
    this.#pieces.push(piece);
  }

  /** Calls `task` when nothing is in line: at once where that is so. Begins the work. */
  whenDone(task: () => void): void {
    this.#waiting.push(task);
    if (!this.#isRunning) this.#slice();
  }

  /** What has not been begun never will be. */
  drop(): void {
    this.#pieces = [];
  }

  #slice(): void {
    const { clock } = this.#runtime;
    const endMs = clock.monotonicMs() + SLICE_MS;
    let count = 0;
    this.#isRunning = true;
    while (count < this.#pieces.length && count < PIECES_IN_SLICE_MAX && clock.monotonicMs() < endMs)
      this.#work(this.#pieces[count++] as Piece);
    this.#pieces.splice(0, count);
    if (this.#pieces.length > 0) {
      this.#runtime.after(0, () => this.#slice());
      return;
    }
    this.#isRunning = false;
    for (const task of this.#waiting.splice(0)) task();
  }
}
