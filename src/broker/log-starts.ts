// Log starts of one worker on their way into the checkpoint, which the supervisor writes for all: one message at a time, and all who ask
// meanwhile share the next.
// Invariant: who asks is told once, and no failure only of directories where a start after a crash would find what it asked for, or more.
// Runs on: every worker.
import type { LeaderReplica } from '../partition/leader-replica.ts';
import type { LogStart } from './worker-data.ts';

interface Waiting {
  readonly replicas: readonly LeaderReplica[];
  readonly done: (failed: readonly string[]) => void;
}

export class LogStarts {
  readonly #send: (starts: readonly LogStart[]) => void;
  #waiting: Waiting[] = [];
  #underWay: Waiting[] = [];

  /** `send` takes them to the supervisor, whose answer comes to onWritten. */
  constructor(send: (starts: readonly LogStart[]) => void) {
    this.#send = send;
  }

  persist(replicas: readonly LeaderReplica[], done: (failed: readonly string[]) => void): void {
    this.#waiting.push({ replicas, done });
    if (this.#underWay.length === 0) this.#next();
  }

  /** `failed`: paths of the log directories where they were not written. */
  onWritten(failed: readonly string[]): void {
    const heard = this.#underWay;
    this.#underWay = [];
    if (this.#waiting.length > 0) this.#next();
    for (const { done } of heard) done(failed);
  }

  #next(): void {
    this.#underWay = this.#waiting;
    this.#waiting = [];
    const replicas = new Set(this.#underWay.flatMap((each) => each.replicas));
    this.#send(
      [...replicas].map(({ logDirectory, topic, partition, log }) => ({
        directory: logDirectory,
        topic,
        partition,
        offset: log.logStartOffset,
      })),
    );
  }
}
