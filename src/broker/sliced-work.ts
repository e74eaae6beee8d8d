// A line of like pieces of work that would hold up the loop together: done a slice at a time, and between slices the worker serves.
// Invariants: pieces are done in order, but for those that somebody waits for: they come first, in order among themselves; nothing is done in
// the turn that begins it, and in no turn more than a slice.
// Runs on: every worker.
import type { Runtime } from '../scheduler/runtime.ts';

/** What a slice may take of a turn: no piece is begun after so much time, or so many pieces. */
const SLICE_MS = 1;
const PIECES_IN_SLICE_MAX = 16;

export class SlicedWork<Piece> {
  readonly #runtime: Runtime;
  readonly #work: (piece: Piece) => void;
  readonly #onDone: () => void;
  readonly #pieces: Piece[] = [];
  readonly #first: Piece[] = [];
  #isRunning = false;

  /** `onDone` hears each time when nothing is in line any more. */
  constructor(runtime: Runtime, work: (piece: Piece) => void, onDone: () => void = () => {}) {
    this.#runtime = runtime;
    this.#work = work;
    this.#onDone = onDone;
  }

  /** Puts a piece into the line, in front of all that nobody waits for where somebody waits for this. */
  add(piece: Piece, isAwaited = false): void {
    if (isAwaited) this.#first.push(piece);
    else this.#pieces.push(piece);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#goOn();
  }

  /** What has not been begun never will be. */
  drop(): void {
    this.#pieces.length = 0;
    this.#first.length = 0;
  }

  /**
   * A slice in a later turn. A job that is nothing ends behind what sockets have brought meanwhile, and at once where they have brought nothing;
   * a timer would have the worker sleep for half of the time.
   */
  #goOn(): void {
    this.#runtime.submit(
      () => Promise.resolve(),
      () => this.#slice(),
    );
  }

  #slice(): void {
    const { clock } = this.#runtime;
    const endMs = clock.monotonicMs() + SLICE_MS;
    let left = PIECES_IN_SLICE_MAX;
    for (const line of [this.#first, this.#pieces]) {
      let count = 0;
      while (count < line.length && left > 0 && clock.monotonicMs() < endMs) {
        left--;
        this.#work(line[count++] as Piece);
      }
      line.splice(0, count);
    }
    if (this.#first.length + this.#pieces.length > 0) {
      this.#goOn();
      return;
    }
    this.#isRunning = false;
    this.#onDone();
  }
}
