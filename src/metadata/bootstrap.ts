// What a fresh cluster begins with: the files that formatting makes, and the records of the first controller.
// Invariant: the same as Apache Kafka 4.3.1 writes with `storage format --standalone` (compared record by record in the tests).
// Pure but for the storage that is handed in. Not meta.properties: the owner of the log directory writes it, last, as the mark that formatting is done.
import type { Storage } from '../log/storage.ts';
import type { Voter } from '../raft/voter-set.ts';
import { encodeQuorumRecords } from './control-batches.ts';
import { type FeatureRangeImage, RESOURCE } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { encodeSnapshot, snapshotName, writeWhole } from './snapshot-file.ts';

export const METADATA_DIRECTORY = '__cluster_metadata-0';
const BOOTSTRAP_NAME = 'bootstrap.checkpoint';
const BOOTSTRAP_TRANSACTION = 'Bootstrap records';
/** Kafka's name for metadata.version 30 is 4.3-IV0. */
const METADATA_VERSION_LEVEL = 30;

/** Feature levels of a new cluster, in the order in which they are written. */
const FEATURE_LEVELS: readonly (readonly [name: string, level: number])[] = [
  ['metadata.version', METADATA_VERSION_LEVEL],
  ['eligible.leader.replicas.version', 1],
  ['group.version', 1],
  ['share.version', 1],
  ['streams.version', 1],
  ['transaction.version', 2],
];

/** The versions of features that a node can live with, as registrations tell them. */
export const SUPPORTED_FEATURES: readonly FeatureRangeImage[] = [
  { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: METADATA_VERSION_LEVEL },
  { name: 'share.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'streams.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: 'transaction.version', minSupportedVersion: 0, maxSupportedVersion: 2 },
  { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
];

/**
 * Writes `bootstrap.checkpoint` and the metadata log's first snapshot into a log directory. May be repeated: the files
 * are replaced whole. `voter` is this node. Throws StorageError.
 */
export function formatMetadata(storage: Storage, logDirectory: string, voter: Voter, nowMs: number): void {
  const timestamps = { epoch: 0, timestampMs: nowMs };
  const bootstrap = encodeSnapshot({ ...timestamps, lastContainedLogTimestamp: 0, quorumRecords: [], records: featureRecords() });
  writeWhole(storage, logDirectory, BOOTSTRAP_NAME, bootstrap);
  const directory = `${logDirectory}/${METADATA_DIRECTORY}`;
  storage.makeDirectory(directory);
  const quorumRecords = encodeQuorumRecords([voter]);
  const first = encodeSnapshot({ ...timestamps, lastContainedLogTimestamp: nowMs, quorumRecords, records: [] });
  writeWhole(storage, directory, snapshotName({ endOffset: 0, epoch: 0 }), first);
  storage.syncDirectory(logDirectory);
}

/** The metadata transaction that the first controller of a new cluster writes; `minInsyncReplicas` is what its broker was started with. */
export function bootstrapRecords(minInsyncReplicas = '1'): MetadataRecord[] {
  return [
    { type: 'BeginTransactionRecord', name: BOOTSTRAP_TRANSACTION },
    ...featureRecords(),
    { type: 'ConfigRecord', resourceType: RESOURCE.BROKER, resourceName: '', name: 'min.insync.replicas', value: minInsyncReplicas },
    { type: 'EndTransactionRecord' },
  ];
}

function featureRecords(): MetadataRecord[] {
  return FEATURE_LEVELS.map(([name, featureLevel]) => ({ type: 'FeatureLevelRecord', name, featureLevel }));
}
