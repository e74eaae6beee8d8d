// When the files of segments that a living log has put aside are closed and removed: once nobody is inside a read that was planned while
// they were part of it. Reads that are planned later go on meanwhile, however many and however slow: each round waits only for those who
// were there at its start.
// Invariants: a round begins by raising the state version, which voids all plans that name its segments; it ends when the readers of the
// version before have left. One round of a log at a time: the version is raised again only then, and segments that come meanwhile wait.
// Runs on: every worker, for its own partitions; the removal itself in the pool.
import type { Segment } from '../log/segment.ts';
import type { StorageError } from '../log/storage.ts';
import type { LeaderReplica } from '../partition/leader-replica.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import { READERS_RECHECK_MS } from '../partition/reader-counts.ts';
import type { Runtime } from '../scheduler/runtime.ts';

export interface SegmentRemovalOptions {
  readonly runtime: Runtime;
  readonly words: PartitionWords;
  /** Runs `task` unless the log has gone, whose files are somebody else's to close then: false. */
  readonly guard: (replica: LeaderReplica, task: () => void) => boolean;
  readonly onFailure: (replica: LeaderReplica, error: StorageError) => void;
}

/** What waits in one log. */
interface Waiting {
  /** Of the round that goes on, and the version that it began with; −1: none does. */
  current: readonly Segment[];
  raisedTo: number;
  next: readonly Segment[];
}

const NO_ROUND = -1;

export class SegmentRemoval {
  readonly #options: SegmentRemovalOptions;
  readonly #waiting = new Map<LeaderReplica, Waiting>();

  constructor(options: SegmentRemovalOptions) {
    this.#options = options;
  }

  /** `segments` are out of the log, and no plan that is made from now on names them. */
  add(replica: LeaderReplica, segments: readonly Segment[]): void {
    const waiting = this.#waiting.get(replica);
    if (waiting !== undefined) {
      waiting.next = [...waiting.next, ...segments];
      return;
    }
    this.#waiting.set(replica, { current: [], raisedTo: NO_ROUND, next: segments });
    this.#look(replica);
  }

  #look(replica: LeaderReplica): void {
    const waiting = this.#waiting.get(replica) as Waiting;
    const { words, runtime, guard, onFailure } = this.#options;
    const { slot } = replica;
    if (waiting.raisedTo !== NO_ROUND && !words.hasEarlierReaders(slot, waiting.raisedTo)) {
      replica.log.head.removeLater(waiting.current, (error) => {
        if (error !== null) onFailure(replica, error);
      });
      waiting.current = [];
      waiting.raisedTo = NO_ROUND;
    }
    // Refused where somebody whose plan is long void has counted himself in at this very moment: he leaves at once.
    if (waiting.raisedTo === NO_ROUND && waiting.next.length > 0 && words.tryRaiseStateVersion(slot)) {
      waiting.current = waiting.next;
      waiting.next = [];
      waiting.raisedTo = words.stateVersion(slot);
      if (!words.hasEarlierReaders(slot, waiting.raisedTo)) return this.#look(replica);
    }
    if (waiting.raisedTo === NO_ROUND && waiting.next.length === 0) {
      this.#waiting.delete(replica);
      return;
    }
    runtime.after(READERS_RECHECK_MS, () => {
      if (!guard(replica, () => this.#look(replica))) this.#waiting.delete(replica);
    });
  }
}
