// Values of the control records: transaction markers, and what KRaft writes into its log and snapshots.
// Pure. Not their keys (records/control.ts). Source: KIP-98, KIP-595, KIP-630, KIP-853.
import { array, data, int16, int32, int64, string, struct, uint16, uuid } from './schema.ts';

/** The value of an ABORT and of a COMMIT marker. */
export const endTxnMarker = data({ name: 'EndTxnMarker', versions: [0, 0], fields: { coordinatorEpoch: int32() } });

export const leaderChangeMessage = data({
  name: 'LeaderChangeMessage',
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    version: int16(),
    leaderId: int32(),
    voters: array({ voterId: int32(), voterDirectoryId: uuid({ since: 1 }) }),
    grantingVoters: array({ voterId: int32(), voterDirectoryId: uuid({ since: 1 }) }),
  },
});

export const snapshotHeaderRecord = data({
  name: 'SnapshotHeaderRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: { version: int16(), lastContainedLogTimestamp: int64() },
});

export const snapshotFooterRecord = data({
  name: 'SnapshotFooterRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: { version: int16() },
});

export const kraftVersionRecord = data({
  name: 'KRaftVersionRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: { version: int16(), kRaftVersion: int16() },
});

export const votersRecord = data({
  name: 'VotersRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    version: int16(),
    voters: array({
      voterId: int32(),
      voterDirectoryId: uuid(),
      endpoints: array({ name: string(), host: string(), port: uint16() }),
      kRaftVersionFeature: struct({ minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    }),
  },
});

/** The key of every control record, behind the int16 of its version. */
export const controlRecordTypeSchema = data({ name: 'ControlRecordTypeSchema', versions: [0, 0], fields: { type: int16() } });
