// A worker's queue of tasks for its own turn: local delivery that is never a nested call. Bounded; full means refused.
// Runs on: one worker. Not for other workers (that is the exchange), not for timers.
import { assert } from '../base/assert.ts';

type MailboxTask = () => void;

const SIZE_AT_FIRST = 64;

export class Mailbox {
  /** No more tasks than this wait at a time. */
  readonly limit: number;
  // A circle of a power of two places; tasks lie in [head, head + count).
  #tasks: (MailboxTask | undefined)[] = new Array(SIZE_AT_FIRST);
  #head = 0;
  #count = 0;

  constructor(limit = 65_536) {
    assert(limit >= 1, 'a mailbox has room for one task at least');
    this.limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** Queues `task`; false when the mailbox is full and the task was not taken. */
  push(task: MailboxTask): boolean {
    if (this.#count === this.limit) return false;
    if (this.#count === this.#tasks.length) this.#grow();
    this.#tasks[(this.#head + this.#count) & (this.#tasks.length - 1)] = task;
    this.#count++;
    return true;
  }

  /** Runs up to `limit` tasks in order, those pushed meanwhile included; returns how many. A task that throws is gone, the rest stay. */
  drain(limit: number): number {
    let done = 0;
    while (done < limit && this.#count > 0) {
      const task = this.#tasks[this.#head];
      this.#tasks[this.#head] = undefined; // What it holds on to is free for collection.
      this.#head = (this.#head + 1) & (this.#tasks.length - 1);
      this.#count--;
      done++;
      assert(task !== undefined, 'an empty place in the mailbox');
      task();
    }
    return done;
  }

  #grow(): void {
    const grown: (MailboxTask | undefined)[] = new Array(this.#tasks.length * 2);
    for (let i = 0; i < this.#count; i++) grown[i] = this.#tasks[(this.#head + i) & (this.#tasks.length - 1)];
    this.#tasks = grown;
    this.#head = 0;
  }
}
