// The voters of a quorum as the KRaftVoters control record tells them (KIP-853).
// Invariant: voter ids are distinct; the set is never empty where an election is held.
// Pure.

/** Where a voter can be reached, as in the KRaftVoters record. `port` is 0 … 65535. */
export interface VoterEndpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface Voter {
  readonly voterId: number;
  /** The id of the directory that holds the voter's log: a voter that lost its disk comes back as another voter. */
  readonly voterDirectoryId: string;
  readonly endpoints: readonly VoterEndpoint[];
}

export class VoterSet {
  readonly voters: readonly Voter[];
  readonly #byId: ReadonlyMap<number, Voter>;

  constructor(voters: readonly Voter[]) {
    this.voters = voters;
    this.#byId = new Map(voters.map((voter) => [voter.voterId, voter]));
  }

  get size(): number {
    return this.voters.length;
  }

  /** How many voters decide: more than half of them. */
  get majority(): number {
    return Math.floor(this.voters.length / 2) + 1;
  }

  ids(): number[] {
    return this.voters.map((voter) => voter.voterId);
  }

  get(voterId: number): Voter | null {
    return this.#byId.get(voterId) ?? null;
  }

  /** Whether this very voter (node and disk) is in the set. */
  has(voterId: number, directoryId: string): boolean {
    return this.#byId.get(voterId)?.voterDirectoryId === directoryId;
  }

  isOnlyVoter(voterId: number, directoryId: string): boolean {
    return this.size === 1 && this.has(voterId, directoryId);
  }
}
