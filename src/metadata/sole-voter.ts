// This node as the only voter of its quorum: what it keeps of its votes, whether it may lead alone, and what DescribeQuorum tells of it.
// Runs on: worker 0. Not how raft votes (src/raft).
import { ZERO_UUID } from '../base/uuid.ts';
import type { Storage } from '../log/storage.ts';
import { decodeQuorumState, encodeQuorumState, type QuorumState } from '../raft/quorum-state.ts';
import { type Voter, type VoterEndpoint, VoterSet } from '../raft/voter-set.ts';
import { ImageError } from './image-error.ts';

const QUORUM_STATE_NAME = 'quorum-state';

/** The quorum as DescribeQuorum tells it. */
export interface QuorumDescription {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
}

export interface QuorumReplica {
  readonly replicaId: number;
  /** Zeros where the voters are static (kraft.version 0). */
  readonly directoryId: string;
  readonly logEndOffset: number;
  readonly lastFetchTimestamp: number;
  readonly lastCaughtUpTimestamp: number;
}

interface SoleVoterOptions {
  readonly nodeId: number;
  readonly directoryId: string;
  /** Path of `__cluster_metadata-0`. */
  readonly directory: string;
  readonly storage: Storage;
  readonly controllerEndPoint: VoterEndpoint;
}

/** What of the log and of raft a description tells. */
interface QuorumStanding {
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  readonly hasVotersInLog: boolean;
  readonly nowMs: number;
}

export class SoleVoter {
  readonly #options: SoleVoterOptions;

  constructor(options: SoleVoterOptions) {
    this.#options = options;
  }

  /** Null where nothing was kept yet. Throws ImageError and StorageError. */
  readState(): QuorumState | null {
    const path = this.#statePath();
    const text = this.#options.storage.readText(path);
    if (text === null) return null;
    const state = decodeQuorumState(text);
    if (state === null) throw new ImageError(`${path}: not a quorum state that this version can read`);
    return state;
  }

  /** On the medium when this returns. Throws StorageError. */
  writeState(state: QuorumState): void {
    this.#options.storage.replaceText(this.#statePath(), encodeQuorumState(state));
  }

  /** The voters that the log names, or this node alone where it names none (kraft.version 0: voters by configuration). Throws ImageError. */
  check(voters: VoterSet | null): VoterSet {
    const { nodeId, directoryId, directory } = this.#options;
    if (voters === null) return new VoterSet([this.#self()]);
    if (voters.isOnlyVoter(nodeId, directoryId)) return voters;
    const names = voters.voters.map((voter) => `${voter.voterId} (directory ${voter.voterDirectoryId})`).join(', ');
    throw new ImageError(
      `${directory}: the quorum's voters are ${names}; this is node ${nodeId} with directory ${directoryId}, which cannot lead it alone`,
    );
  }

  /** Who votes, and how far each has come: this node alone, which has all that it has written at any time. */
  describe({ leaderEpoch, highWatermark, logEndOffset, hasVotersInLog, nowMs }: QuorumStanding): QuorumDescription {
    const { voterId, voterDirectoryId } = this.#self();
    const self = {
      replicaId: voterId,
      directoryId: hasVotersInLog ? voterDirectoryId : ZERO_UUID,
      logEndOffset,
      lastFetchTimestamp: nowMs,
      lastCaughtUpTimestamp: nowMs,
    };
    return { leaderId: voterId, leaderEpoch, highWatermark, voters: [self] };
  }

  #self(): Voter {
    const { nodeId, directoryId, controllerEndPoint } = this.#options;
    const { name, host, port } = controllerEndPoint;
    return { voterId: nodeId, voterDirectoryId: directoryId, endpoints: [{ name, host, port }] };
  }

  #statePath(): string {
    return `${this.#options.directory}/${QUORUM_STATE_NAME}`;
  }
}
