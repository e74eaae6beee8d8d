// Log starts of one worker on their way into the checkpoint, which the supervisor writes for all: one message at a time, and all who ask
// meanwhile share the next.
// Invariant: who asks is told once, and `true` only when a start after a crash would find what it asked for, or more.
// Runs on: every worker.
import type { PartitionOffset } from '../log/checkpoint-file.ts';
import type { LeaderReplica } from '../partition/leader-replica.ts';

interface Waiting {
  readonly replicas: readonly LeaderReplica[];
  readonly done: (isPersisted: boolean) => void;
}

export class LogStarts {
  readonly #send: (starts: readonly PartitionOffset[]) => void;
  #waiting: Waiting[] = [];
  #underWay: Waiting[] = [];

  /** `send` takes them to the supervisor, whose answer comes to onWritten. */
  constructor(send: (starts: readonly PartitionOffset[]) => void) {
    this.#send = send;
  }

  persist(replicas: readonly LeaderReplica[], done: (isPersisted: boolean) => void): void {
    this.#waiting.push({ replicas, done });
    if (this.#underWay.length === 0) this.#next();
  }

  onWritten(isWritten: boolean): void {
    const heard = this.#underWay;
    this.#underWay = [];
    if (this.#waiting.length > 0) this.#next();
    for (const { done } of heard) done(isWritten);
  }

  #next(): void {
    this.#underWay = this.#waiting;
    this.#waiting = [];
    const replicas = new Set(this.#underWay.flatMap((each) => each.replicas));
    this.#send([...replicas].map(({ topic, partition, log }) => ({ topic, partition, offset: log.logStartOffset })));
  }
}
