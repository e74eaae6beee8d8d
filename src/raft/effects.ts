// What a raft node wants done. The driver carries effects out in the order in which they are given, each before the next one.
// Pure (types only).
import type { QuorumState } from './quorum-state.ts';
import type { VoterSet } from './voter-set.ts';

export type RaftEffect =
  /** Replace `quorum-state`, synced, before anything that follows. */
  | { readonly type: 'persist-quorum-state'; readonly state: QuorumState }
  /** Ask every other voter for its vote. */
  | {
      readonly type: 'request-votes';
      readonly epoch: number;
      readonly voterIds: readonly number[];
      readonly lastEpoch: number;
      readonly logEndOffset: number;
    }
  /** Append the control batch that opens the epoch: LeaderChange, and the state of the quorum itself where the log is empty. */
  | {
      readonly type: 'append-leader-change';
      readonly epoch: number;
      readonly leaderId: number;
      readonly voters: VoterSet;
      readonly grantingVoterIds: readonly number[];
      /** The log is empty: KRaftVersion and KRaftVoters go into the same batch. */
      readonly isLogEmpty: boolean;
    }
  /** This node leads `epoch`; all records below `epochStartOffset` are of earlier epochs. */
  | { readonly type: 'became-leader'; readonly epoch: number; readonly epochStartOffset: number }
  /** Records below `endOffset` are committed. Rises, never falls. */
  | { readonly type: 'committed'; readonly endOffset: number };
