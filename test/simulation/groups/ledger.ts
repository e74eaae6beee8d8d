// What the members of a simulated group were told, and what follows from it: the invariants of the groups scenario.
//   a partition has one owner: nobody is given what another one holds, until that one has let go or may have been given up
//   no two members are given a partition in the same epoch (generation, in the classic protocol)
//   a commit is not taken from a member when another one was given the partition in a later epoch before
//   an acknowledged committed offset is never lost, and never runs backwards; what is read was asked for, for that partition
//   after a power loss all of that begins anew: nobody was promised what was not synced
import { Violation } from '../broker/violation.ts';

/** What a member has, as far as it was told. */
export interface Holder {
  readonly name: string;
  /** The epoch or generation in which each partition was given. */
  readonly held: ReadonlyMap<number, number>;
  /** Before this the coordinator cannot have given it up, whatever became of its messages. */
  readonly safeUntilMs: number;
  /** Since the last power loss it was told that it is a member. */
  readonly isCurrent: boolean;
}

export interface Counts {
  assignments: number;
  commits: number;
  refusedCommits: number;
  fetches: number;
  rejoins: number;
  hangs: number;
  deaths: number;
  leaves: number;
  cuts: number;
  doubled: number;
}

export class GroupLedger {
  readonly groupId: string;
  readonly partitionCount: number;
  readonly counts: Counts;
  readonly holders = new Set<Holder>();
  /** By partition: the largest that was acknowledged or read, and that was asked for. */
  readonly #floors: number[];
  readonly #asked: number[];
  readonly #epochsRestart: boolean;

  /** `epochsRestart`: an empty group may become one of the other protocol, which begins at epoch 1. */
  constructor(groupId: string, partitionCount: number, counts: Counts, epochsRestart: boolean) {
    this.#epochsRestart = epochsRestart;
    this.groupId = groupId;
    this.partitionCount = partitionCount;
    this.counts = counts;
    this.#floors = new Array<number>(partitionCount).fill(-1);
    this.#asked = new Array<number>(partitionCount).fill(-1);
  }

  /** `holder` was just told that it has `partition`, in `epoch`. */
  checkGiven(holder: Holder, partition: number, epoch: number, nowMs: number): void {
    this.counts.assignments++;
    for (const other of this.holders) {
      const otherEpoch = other.held.get(partition);
      if (other === holder || otherEpoch === undefined || !other.isCurrent) continue;
      const told = `${this.groupId}: partition ${partition} is given to ${holder.name} in epoch ${epoch}, ${other.name} has it since epoch ${otherEpoch}`;
      if (otherEpoch === epoch && !this.#epochsRestart) throw new Violation(told);
      // What is told in an earlier epoch comes late: then it is the one who hears it that may have been given up.
      const safeUntilMs = otherEpoch < epoch ? other.safeUntilMs : Math.min(other.safeUntilMs, holder.safeUntilMs);
      if (nowMs < safeUntilMs) throw new Violation(`${told}, and is not given up before ${safeUntilMs} ms; it is ${nowMs} ms`);
    }
  }

  /** Who was given `partition` later than `holder`, by epoch, and has it for certain. */
  successor(holder: Holder, partition: number, nowMs: number): Holder | null {
    const since = holder.held.get(partition) ?? Number.POSITIVE_INFINITY;
    for (const other of this.holders)
      if (other.isCurrent && nowMs < other.safeUntilMs && (other.held.get(partition) ?? -1) > since) return other;
    return null;
  }

  floor(partition: number): number {
    return this.#floors[partition] ?? -1;
  }

  /** An offset to commit, `more` beyond all that were asked for. */
  ask(partition: number, more: number): number {
    const offset = (this.#asked[partition] ?? -1) + more;
    this.#asked[partition] = offset;
    return offset;
  }

  learn(partition: number, offset: number): void {
    this.#floors[partition] = Math.max(this.floor(partition), offset);
  }

  /** The text that a commit carries, so that one of another group or partition is noticed. */
  metadataOf(partition: number, offset: number): string {
    return offset < 0 ? '' : `${this.groupId}/${partition}/${offset}`;
  }

  /** What somebody read who asked when `floor` was known. */
  checkRead(partition: number, offset: number, metadata: string | null, floor: number): void {
    this.counts.fetches++;
    const what = `${this.groupId}: partition ${partition} is committed at ${offset} (${metadata})`;
    if (offset < floor) throw new Violation(`${what}, when ${floor} was known before it was asked`);
    if (offset > (this.#asked[partition] ?? -1)) throw new Violation(`${what}, which nobody has asked for`);
    if (metadata !== this.metadataOf(partition, offset)) throw new Violation(`${what}: the metadata of another commit`);
    this.learn(partition, offset);
  }

  losePower(): void {
    this.#floors.fill(-1);
  }

  /** Why not every partition has one owner among those who are there, or null. */
  complaint(): string | null {
    const owners = Array.from({ length: this.partitionCount }, () => [] as string[]);
    for (const { held, isCurrent, name } of this.holders)
      for (const partition of held.keys()) owners[partition]?.push(isCurrent ? name : `${name}, of old`);
    const wrong = owners.findIndex((names) => names.length !== 1);
    return wrong < 0 ? null : `${this.groupId}: partition ${wrong} has the owners [${owners[wrong]?.join('; ')}]`;
  }
}
