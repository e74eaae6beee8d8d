// The raft node: events in, effects out, no clock, no disk, no network of its own (KIP-595, KIP-853).
// Invariant: at most one leader per epoch; an epoch is on the disk before the node acts on it; epochs and the high watermark never fall.
// Every start opens a new epoch: a node that led before comes back without a leader and, as the only voter, elects itself at once.
// Pure. Not the replication of records: replicas pull them (Fetch), the driver tells where they stand.
import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { Candidate } from './candidate.ts';
import type { RaftEffect } from './effects.ts';
import type { RaftEvent } from './events.ts';
import { Leader } from './leader.ts';
import { NO_NODE } from './quorum-state.ts';
import { Unattached } from './unattached.ts';
import { VoterSet } from './voter-set.ts';

export interface RaftOptions {
  readonly nodeId: number;
  /** The id of the directory that holds the metadata log. */
  readonly directoryId: string;
  /** controller.quorum.election.timeout.ms; each wait is this long and up to as much again, drawn by chance. */
  readonly electionTimeoutMs: number;
  readonly random: Random;
}

export class Raft {
  readonly #options: RaftOptions;
  #voters = new VoterSet([]);
  #state: Unattached | Candidate | Leader | null = null;
  #logEndOffset = 0;
  #lastEpoch = 0;
  #effects: RaftEffect[] = [];

  constructor(options: RaftOptions) {
    this.#options = options;
  }

  get epoch(): number {
    return this.#state?.epoch ?? 0;
  }

  get role(): 'unstarted' | 'unattached' | 'candidate' | 'leader' {
    return this.#state?.role ?? 'unstarted';
  }

  /** End of what is committed, or -1 where that is not known. */
  get highWatermark(): number {
    return this.#state instanceof Leader ? this.#state.highWatermark : -1;
  }

  get voters(): VoterSet {
    return this.#voters;
  }

  /** Takes one event and gives what is to be done for it, in order. */
  step(event: RaftEvent): RaftEffect[] {
    this.#effects = [];
    switch (event.type) {
      case 'started':
        this.#onStarted(event);
        break;
      case 'ticked':
        this.#onTicked(event.nowMs);
        break;
      case 'appended':
        assert(event.logEndOffset >= this.#logEndOffset, 'a leader never cuts its own log');
        this.#logEndOffset = event.logEndOffset;
        this.#lastEpoch = this.epoch;
        break;
      case 'flushed':
        assert(event.endOffset <= this.#logEndOffset, 'nothing is synced that was not appended');
        this.#advance(this.#options.nodeId, this.#options.directoryId, event.endOffset);
        break;
      case 'vote-answered':
        this.#onVoteAnswered(event.voterId, event.epoch, event.isGranted, event.nowMs);
        break;
      case 'replica-fetched':
        // An offset beyond our end is a replica that diverged; it counts for nothing.
        if (event.fetchOffset <= this.#logEndOffset) this.#advance(event.replicaId, event.directoryId, event.fetchOffset);
        break;
    }
    return this.#effects;
  }

  #onStarted(event: Extract<RaftEvent, { type: 'started' }>): void {
    assert(this.#state === null, 'a node starts once');
    this.#voters = event.voters;
    this.#logEndOffset = event.logEndOffset;
    this.#lastEpoch = event.lastEpoch;
    // The file may be lost while the log is not, and the other way round: neither epoch may be used again.
    const epoch = Math.max(event.quorumState?.leaderEpoch ?? 0, event.lastEpoch);
    this.#state = new Unattached(epoch, event.nowMs + this.#electionWaitMs());
    if (this.#voters.isOnlyVoter(this.#options.nodeId, this.#options.directoryId)) this.#campaign(event.nowMs);
  }

  #onTicked(nowMs: number): void {
    const state = this.#state;
    if (state === null || state.role === 'leader' || nowMs < state.deadlineMs) return;
    if (this.#voters.has(this.#options.nodeId, this.#options.directoryId)) this.#campaign(nowMs);
  }

  #onVoteAnswered(voterId: number, epoch: number, isGranted: boolean, nowMs: number): void {
    if (epoch > this.epoch) {
      this.#fallBack(epoch, nowMs);
      return;
    }
    const state = this.#state;
    if (!(state instanceof Candidate) || epoch !== state.epoch) return; // An answer to an election that is over.
    state.count(voterId, isGranted);
    if (state.isElected) this.#lead(state);
    else if (state.isDefeated) this.#state = new Unattached(state.epoch, state.deadlineMs); // It waits out the time, then tries the next epoch.
  }

  /** Opens the next epoch with a vote for itself. */
  #campaign(nowMs: number): void {
    const { nodeId, directoryId } = this.#options;
    const candidate = new Candidate(nodeId, this.epoch + 1, this.#voters, nowMs + this.#electionWaitMs());
    this.#state = candidate;
    if (candidate.isElected) {
      // The only voter: nobody can ask in between, so that one write, as leader, covers the vote as well.
      this.#lead(candidate);
      return;
    }
    this.#persist(NO_NODE, nodeId, directoryId);
    this.#effects.push({
      type: 'request-votes',
      epoch: candidate.epoch,
      voterIds: this.#voters.ids().filter((id) => id !== nodeId),
      lastEpoch: this.#lastEpoch,
      logEndOffset: this.#logEndOffset,
    });
  }

  #lead(candidate: Candidate): void {
    const leader = new Leader(candidate.epoch, this.#logEndOffset, this.#voters);
    this.#state = leader;
    this.#persist(this.#options.nodeId, NO_NODE, ZERO_UUID);
    this.#effects.push(
      { type: 'became-leader', epoch: leader.epoch, epochStartOffset: leader.epochStartOffset },
      {
        type: 'append-leader-change',
        epoch: leader.epoch,
        leaderId: this.#options.nodeId,
        voters: this.#voters,
        grantingVoterIds: candidate.grantingVoterIds(),
        isLogEmpty: this.#logEndOffset === 0,
      },
    );
  }

  /** A higher epoch is about: whatever this node was, it is that no more. */
  #fallBack(epoch: number, nowMs: number): void {
    this.#state = new Unattached(epoch, nowMs + this.#electionWaitMs());
    this.#persist(NO_NODE, NO_NODE, ZERO_UUID);
  }

  #advance(voterId: number, directoryId: string, endOffset: number): void {
    const state = this.#state;
    if (state instanceof Leader && state.advance(voterId, directoryId, endOffset)) {
      this.#effects.push({ type: 'committed', endOffset: state.highWatermark });
    }
  }

  #persist(leaderId: number, votedId: number, votedDirectoryId: string): void {
    this.#effects.push({ type: 'persist-quorum-state', state: { leaderId, leaderEpoch: this.epoch, votedId, votedDirectoryId } });
  }

  #electionWaitMs(): number {
    return this.#options.electionTimeoutMs + this.#options.random.below(this.#options.electionTimeoutMs);
  }
}
