// `partition.metadata`: which topic a partition directory belongs to, by id. Written before the first batch.
// Pure, but for the storage handed in.
import { isUuid } from '../base/uuid.ts';
import { MalformedFileError } from './checkpoint-file.ts';
import { PARTITION_METADATA_NAME } from './file-names.ts';
import type { Storage } from './storage.ts';

const VERSION = 0;

export function formatPartitionMetadata(topicId: string): string {
  return `version: ${VERSION}\ntopic_id: ${topicId}`;
}

/** The topic id. Throws MalformedFileError; `path` is for its message. */
export function parsePartitionMetadata(text: string, path: string): string {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match = /^([a-z_]+):\s*(\S+)\s*$/.exec(line);
    if (match === null) throw new MalformedFileError(path, `malformed line '${line}'`);
    fields.set(match[1] as string, match[2] as string);
  }
  if (fields.get('version') !== String(VERSION))
    throw new MalformedFileError(path, `version ${fields.get('version')}, expected ${VERSION}`);
  const topicId = fields.get('topic_id');
  if (topicId === undefined || !isUuid(topicId)) throw new MalformedFileError(path, `topic id '${topicId}'`);
  return topicId;
}

/** The topic id that `directory` names, null where it has no such file. Throws MalformedFileError. */
export function readPartitionMetadata(storage: Storage, directory: string): string | null {
  const path = `${directory}/${PARTITION_METADATA_NAME}`;
  const text = storage.readText(path);
  return text === null ? null : parsePartitionMetadata(text, path);
}

/** Writes the file so that it is there, whole, when this returns, or not at all. */
export function replacePartitionMetadata(storage: Storage, directory: string, topicId: string): void {
  storage.replaceText(`${directory}/${PARTITION_METADATA_NAME}`, formatPartitionMetadata(topicId));
}

/**
 * Writes the file without any sync: a process that dies leaves it whole or not at all, a loss of power may leave half of it. Its path.
 * `isThere`: with this very content, which is only to be synced anew; written in its place, so that the one that is there is not lost.
 */
export function writePartitionMetadata(storage: Storage, directory: string, topicId: string, isThere: boolean): string {
  const path = `${directory}/${PARTITION_METADATA_NAME}`;
  const written = isThere ? path : `${path}.tmp`;
  const bytes = Buffer.from(formatPartitionMetadata(topicId));
  const file = storage.open(written, 'create');
  try {
    for (let at = 0; at < bytes.length; ) at += file.write(bytes, at, bytes.length - at, at);
    if (file.sizeBytes() > bytes.length) file.truncate(bytes.length);
  } finally {
    file.close();
  }
  if (!isThere) storage.rename(written, path);
  return path;
}
