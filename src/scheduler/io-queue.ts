// Slow jobs of one worker (disk, DNS, what returns a promise): at most so many at a time, the others wait in order.
// A job's end comes back as a posted task, so that it is heard inside a later turn like every other message.
// Invariant: `done` of each submitted job is called exactly once, unless the loop stops first.
// Runs on: every worker. libuv's pool is one for the whole process: the bound keeps one worker from filling it.
import { Mailbox } from '../actors/mailbox.ts';
import { assert } from '../base/assert.ts';

/** Jobs that wait at a time. They are counted by whoever submits them (a sync per file, a read per connection). */
const JOBS_WAITING_MAX = 2 ** 20;

export type JobDone<T> = (error: Error | null, value: T | undefined) => void;

export class IoQueue {
  readonly #concurrency: number;
  readonly #post: (task: () => void) => void;
  readonly #waiting = new Mailbox(JOBS_WAITING_MAX);
  #running = 0;

  /** Runs up to `concurrency` jobs at a time; `post` queues their ends for a turn. */
  constructor(concurrency: number, post: (task: () => void) => void) {
    assert(concurrency >= 1, 'an I/O queue runs one job at a time at least');
    this.#concurrency = concurrency;
    this.#post = post;
  }

  /** Jobs that were submitted and have not ended. */
  get inflightCount(): number {
    return this.#running + this.#waiting.count;
  }

  /** Starts `job` now or when another one has ended. A job that throws has failed like one that rejects. */
  submit<T>(job: () => Promise<T>, done: JobDone<T>): void {
    if (this.#running < this.#concurrency) this.#start(job, done);
    else
      assert(
        this.#waiting.push(() => this.#start(job, done)),
        `more than ${JOBS_WAITING_MAX} jobs wait`,
      );
  }

  #start<T>(job: () => Promise<T>, done: JobDone<T>): void {
    this.#running++;
    let started: Promise<T>;
    try {
      started = job();
    } catch (error) {
      started = Promise.reject(error);
    }
    started.then(
      (value) => this.#ended(() => done(null, value)),
      (error: unknown) => this.#ended(() => done(Error.isError(error) ? error : new Error(String(error)), undefined)),
    );
  }

  #ended(hear: () => void): void {
    this.#running--;
    this.#post(hear);
    this.#waiting.drain(1);
  }
}
