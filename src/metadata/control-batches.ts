// The control batches of the metadata log and its snapshots: LeaderChange, SnapshotHeader and -Footer, and the quorum's own state.
// Pure. Not transaction markers.
import { ByteReader } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { type Codec, codec } from '../protocol/compile.ts';
import {
  kraftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../protocol/control-records.ts';
import { buildControlBatch, CONTROL_TYPE, type ControlRecord } from '../protocol/records/control.ts';
import type { Voter } from '../raft/voter-set.ts';
import type { BatchPlace } from './record-batch.ts';

/** kraft.version 1: voters stand in the log and may change (KIP-853). */
const KRAFT_VERSION = 1;
const KRAFT_VERSION_FEATURE = { minSupportedVersion: 0, maxSupportedVersion: KRAFT_VERSION };

/** KRaftVersion and KRaftVoters: what every reader of the log must know of the quorum. */
export function encodeQuorumRecords(voters: readonly Voter[]): ControlRecord[] {
  return [
    { type: CONTROL_TYPE.KRAFT_VERSION, value: encoded(codec(kraftVersionRecord, 0), { version: 0, kRaftVersion: KRAFT_VERSION }) },
    {
      type: CONTROL_TYPE.KRAFT_VOTERS,
      value: encoded(codec(votersRecord, 0), {
        version: 0,
        voters: voters.map((voter) => ({
          voterId: voter.voterId,
          voterDirectoryId: voter.voterDirectoryId,
          endpoints: voter.endpoints.map(({ name, host, port }) => ({ name, host, port })),
          kRaftVersionFeature: KRAFT_VERSION_FEATURE,
        })),
      }),
    },
  ];
}

/** The voters in the value of a KRaftVoters record. Throws DecodeError. */
export function decodeVoters(value: Uint8Array): Voter[] {
  return codec(votersRecord, 0).decode(new ByteReader(value)).voters;
}

/** The level in the value of a KRaftVersion record. Throws DecodeError. */
export function decodeKraftVersion(value: Uint8Array): number {
  return codec(kraftVersionRecord, 0).decode(new ByteReader(value)).kRaftVersion;
}

/** The batch that opens an epoch; `quorumRecords` go along where the log was empty. */
export function encodeLeaderChange(
  place: BatchPlace,
  change: { readonly leaderId: number; readonly voterIds: readonly number[]; readonly grantingVoterIds: readonly number[] },
  quorumRecords: readonly ControlRecord[],
): Uint8Array {
  // Version 0, as Kafka 4.3 writes it, does not carry the directories.
  const voter = (voterId: number): { voterId: number; voterDirectoryId: string } => ({ voterId, voterDirectoryId: ZERO_UUID });
  const value = encoded(codec(leaderChangeMessage, 0), {
    version: 0,
    leaderId: change.leaderId,
    voters: change.voterIds.map(voter),
    grantingVoters: change.grantingVoterIds.map(voter),
  });
  return controlBatch(place, [{ type: CONTROL_TYPE.LEADER_CHANGE, value }, ...quorumRecords]);
}

/** The first batch of a snapshot. */
export function encodeSnapshotHeader(
  place: BatchPlace,
  lastContainedLogTimestamp: number,
  quorumRecords: readonly ControlRecord[],
): Uint8Array {
  const value = encoded(codec(snapshotHeaderRecord, 0), { version: 0, lastContainedLogTimestamp });
  return controlBatch(place, [{ type: CONTROL_TYPE.SNAPSHOT_HEADER, value }, ...quorumRecords]);
}

/** The last batch of a snapshot. */
export function encodeSnapshotFooter(place: BatchPlace): Uint8Array {
  return controlBatch(place, [{ type: CONTROL_TYPE.SNAPSHOT_FOOTER, value: encoded(codec(snapshotFooterRecord, 0), { version: 0 }) }]);
}

function controlBatch(place: BatchPlace, records: readonly ControlRecord[]): Uint8Array {
  return buildControlBatch({ baseOffset: place.baseOffset, leaderEpoch: place.leaderEpoch }, place.timestampMs, records);
}

function encoded<T>(messageCodec: Codec<T>, message: T): Uint8Array {
  const bytes = new Uint8Array(messageCodec.size(message));
  messageCodec.encode(message, new ByteWriter(bytes));
  return bytes;
}
