// The log directories of a node, opened together: of one cluster and node, each with an id of its own, one of them with the metadata log.
// Invariants: nothing is written into any of them before all that can be read agree. One that the disk refuses is left out and named, as by
// Apache Kafka, but for the one with the metadata log, and but for the last.
// An empty one beside others that are formatted is refused unless it is said to be meant: it may be where a disk is not mounted, and what
// was written into it would vanish under the disk.
// Pure but for the storage that is handed in. Source: KIP-112, KIP-858.
import type { Random } from '../base/random.ts';
import { randomUuid } from '../base/uuid.ts';
import { ClaimedDirectory, ForeignDirectoryError, type LogDirectory } from './log-directory.ts';
import { type Storage, StorageError } from './storage.ts';

/** A directory without meta.properties, where others of the node have one. */
export class UnformattedDirectoryError extends Error {
  override readonly name = 'UnformattedDirectoryError';
  readonly code = 'ERR_UNFORMATTED_DIRECTORY';
}

export interface DirectorySetOptions {
  readonly storage: Storage;
  /** log.dirs: where partitions lie. Each once. */
  readonly paths: readonly string[];
  /** metadata.log.dir, one of `paths` or not. */
  readonly metadataPath: string;
  readonly nodeId: number;
  readonly random: Random;
  readonly lock?: (path: string) => () => void;
  /** naru.format.new.directories */
  readonly formatsNew: boolean;
}

export interface RefusedDirectory {
  readonly path: string;
  readonly error: StorageError;
}

export interface DirectorySet {
  /** Those of `paths` that are open, in that order. */
  readonly open: readonly LogDirectory[];
  /** The one with the metadata log; one of `open` where it takes partitions, too. */
  readonly metadata: LogDirectory;
  /** Those of `paths` that the disk refuses. */
  readonly refused: readonly RefusedDirectory[];
}

/**
 * Locks, checks, and formats what is new. Throws UnformattedDirectoryError, ForeignDirectoryError, MalformedFileError, what `lock` throws, and
 * StorageError where the directory of the metadata log cannot be read, or none of `paths`. Nothing is locked then.
 */
export function openDirectories(options: DirectorySetOptions): DirectorySet {
  const { storage, paths, metadataPath, nodeId, random, lock } = options;
  const claimed: ClaimedDirectory[] = [];
  const refused: RefusedDirectory[] = [];
  const leaveOut = (path: string, error: unknown): void => {
    if (!(error instanceof StorageError) || path === metadataPath) throw error;
    refused.push({ path, error });
    if (refused.length === paths.length) throw error;
  };
  try {
    for (const path of new Set([metadataPath, ...paths])) {
      try {
        claimed.push(ClaimedDirectory.claim({ storage, path, random, ...(lock === undefined ? {} : { lock }) }));
      } catch (error) {
        leaveOut(path, error);
      }
    }
    const [metadataClaim, ...others] = claimed as [ClaimedDirectory, ...ClaimedDirectory[]];
    check(metadataClaim, others, options);
    const clusterId = claimed.find(({ properties }) => properties !== null)?.properties?.clusterId ?? randomUuid(random);
    const metadata = metadataClaim.open(clusterId, nodeId);
    const opened = new Map<string, LogDirectory>([[metadataPath, metadata]]);
    for (const claim of others) {
      try {
        opened.set(claim.path, claim.open(clusterId, nodeId));
      } catch (error) {
        leaveOut(claim.path, error);
        claimed.splice(claimed.indexOf(claim), 1);
        claim.release();
      }
    }
    return { open: paths.flatMap((path) => opened.get(path) ?? []), metadata, refused };
  } catch (error) {
    for (const claim of claimed) claim.release();
    throw error;
  }
}

/** What keeps a node from a start on these directories, before anything is written into them. */
function check(metadata: ClaimedDirectory, others: readonly ClaimedDirectory[], { nodeId, formatsNew }: DirectorySetOptions): void {
  const all = [metadata, ...others];
  const byId = new Map<string, string>();
  let first: ClaimedDirectory | null = null;
  for (const claim of all) {
    if (claim.properties === null) continue;
    const { clusterId, nodeId: owner, directoryId } = claim.properties;
    if (owner !== nodeId) throw new ForeignDirectoryError(`${claim.path} belongs to node ${owner}, not to ${nodeId}`);
    first ??= claim;
    if (clusterId !== first.properties?.clusterId) {
      throw new ForeignDirectoryError(
        `${claim.path} belongs to cluster ${clusterId}, and ${first.path} to ${first.properties?.clusterId}: one node has directories of one cluster`,
      );
    }
    const twin = directoryId === null ? undefined : byId.get(directoryId);
    if (twin !== undefined) {
      throw new ForeignDirectoryError(
        `${claim.path} and ${twin} have the same directory.id=${directoryId}: they are one directory, or one is a copy of the other`,
      );
    }
    if (directoryId !== null) byId.set(directoryId, claim.path);
  }
  for (const claim of others) {
    if (!claim.hasMetadataLog) continue;
    throw new ForeignDirectoryError(
      `${claim.path} holds a metadata log, which belongs into ${metadata.path}: set metadata.log.dir=${claim.path}, or move it`,
    );
  }
  // Of a node whose formatting was cut short nothing can be lost: the metadata log is made last.
  const isNew = first === null || (metadata.properties !== null && !metadata.hasMetadataLog && !all.some((claim) => claim.hasPartitions));
  if (isNew || formatsNew) return;
  const empty = all.find(({ properties }) => properties === null);
  if (empty === undefined) return;
  throw new UnformattedDirectoryError(
    `${empty.path} has no meta.properties, and ${first?.path} has one: a disk may not be mounted. ` +
      'If the directory is new, start once with naru.format.new.directories=true',
  );
}
