// The election state that survives a restart: the file `quorum-state` beside the metadata log, in Kafka's JSON.
// Invariant: the epoch of a written state is never lower than that of the one before; a node acts on an epoch only when it is on the disk.
// Pure (text in, text out).
// Source: QuorumStateData, version 1 (kraft.version 1); version 0 is read, for directories that were made with static voters.
import { isUuid, ZERO_UUID } from '../base/uuid.ts';

export const NO_NODE = -1;
const DATA_VERSION = 1;

interface StateFields {
  readonly leaderId?: unknown;
  readonly leaderEpoch?: unknown;
  readonly votedId?: unknown;
  readonly votedDirectoryId?: unknown;
  readonly data_version?: unknown;
}

export interface QuorumState {
  readonly leaderEpoch: number;
  /** NO_NODE where the leader of the epoch is not known. */
  readonly leaderId: number;
  /** Whom this node voted for in the epoch, or NO_NODE. */
  readonly votedId: number;
  readonly votedDirectoryId: string;
}

/** One line of JSON, without a line end, its keys in Kafka's order. */
export function encodeQuorumState(state: QuorumState): string {
  return JSON.stringify({
    leaderId: state.leaderId,
    leaderEpoch: state.leaderEpoch,
    votedId: state.votedId,
    votedDirectoryId: state.votedDirectoryId,
    data_version: DATA_VERSION,
  });
}

/** Null where the text is no quorum state of a version that is known. */
export function decodeQuorumState(text: string): QuorumState | null {
  const fields = parseObject(text);
  if (fields === null) return null;
  const { leaderId, leaderEpoch, votedId, votedDirectoryId = ZERO_UUID, data_version: version } = fields;
  if (version !== 0 && version !== DATA_VERSION) return null;
  if (!isInt32(leaderId) || !isInt32(leaderEpoch) || !isInt32(votedId)) return null;
  if (typeof votedDirectoryId !== 'string' || !isUuid(votedDirectoryId)) return null;
  return { leaderId, leaderEpoch, votedId, votedDirectoryId };
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

function parseObject(text: string): StateFields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
