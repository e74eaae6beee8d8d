// A node that asks for votes in an epoch that it opened itself.
// Invariant: it votes for itself and for nobody else in that epoch; a voter is counted once.
// Pure.
import type { VoterSet } from './voter-set.ts';

export class Candidate {
  readonly role = 'candidate';
  readonly epoch: number;
  /** When the election is given up and the next epoch is tried, on the clock of the events. */
  readonly deadlineMs: number;
  readonly #voters: VoterSet;
  readonly #granting = new Set<number>();
  readonly #rejecting = new Set<number>();

  constructor(selfId: number, epoch: number, voters: VoterSet, deadlineMs: number) {
    this.epoch = epoch;
    this.deadlineMs = deadlineMs;
    this.#voters = voters;
    this.#granting.add(selfId);
  }

  /** A node that is no voter of this epoch has no vote; a second answer of the same voter changes nothing. */
  count(voterId: number, isGranted: boolean): void {
    if (this.#voters.get(voterId) === null || this.#granting.has(voterId) || this.#rejecting.has(voterId)) return;
    (isGranted ? this.#granting : this.#rejecting).add(voterId);
  }

  get isElected(): boolean {
    return this.#granting.size >= this.#voters.majority;
  }

  /** Too few voters are left that could still grant. */
  get isDefeated(): boolean {
    return this.#voters.size - this.#rejecting.size < this.#voters.majority;
  }

  /** Ascending. */
  grantingVoterIds(): number[] {
    return [...this.#granting].sort((a, b) => a - b);
  }
}
