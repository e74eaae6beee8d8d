// What can happen to a raft node, as its driver tells it. A tick is an event like any other: raft reads no clock.
// Pure (types only).
import type { QuorumState } from './quorum-state.ts';
import type { VoterSet } from './voter-set.ts';

export type RaftEvent =
  | {
      /** The first event, once: what was found on the disk. */
      readonly type: 'started';
      readonly nowMs: number;
      /** Null where there is no `quorum-state` file. */
      readonly quorumState: QuorumState | null;
      readonly voters: VoterSet;
      readonly logEndOffset: number;
      /** The leader epoch of the log's last batch, 0 where the log is empty. */
      readonly lastEpoch: number;
    }
  | { readonly type: 'ticked'; readonly nowMs: number }
  /** The leader's own log now ends here; the new records are written, not synced. */
  | { readonly type: 'appended'; readonly logEndOffset: number }
  /** All records below `endOffset` are on this node's disk, synced. */
  | { readonly type: 'flushed'; readonly endOffset: number }
  /** Another voter answered this node's request for its vote. */
  | {
      readonly type: 'vote-answered';
      readonly nowMs: number;
      readonly voterId: number;
      readonly epoch: number;
      readonly isGranted: boolean;
    }
  /** Another replica fetches from `fetchOffset`: it holds all records below, synced. */
  | { readonly type: 'replica-fetched'; readonly replicaId: number; readonly directoryId: string; readonly fetchOffset: number };
