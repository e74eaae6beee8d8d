// `meta.properties`: whose a log directory is (cluster, node, the directory's own id), in the form of a Java properties file.
// Pure, but for the storage handed in. Invariant: version 1 alone is read and written.
import { isUuid } from '../base/uuid.ts';
import { MalformedFileError } from './checkpoint-file.ts';
import type { Storage } from './storage.ts';

export const META_PROPERTIES_NAME = 'meta.properties';
const VERSION = '1';
const ZOOKEEPER_VERSION = '0';

export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  /** Null in directories that were formatted before KIP-858. */
  readonly directoryId: string | null;
}

export function formatMetaProperties(properties: MetaProperties): string {
  const directory = properties.directoryId === null ? '' : `directory.id=${properties.directoryId}\n`;
  return `#\ncluster.id=${properties.clusterId}\n${directory}node.id=${properties.nodeId}\nversion=${VERSION}\n`;
}

/** Throws MalformedFileError; `path` is for its message. Unknown keys are passed over. */
export function parseMetaProperties(text: string, path: string): MetaProperties {
  const values = new Map<string, string>();
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    const match = /^([A-Za-z0-9._-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (match === null) throw new MalformedFileError(path, `malformed line '${line}'`);
    values.set(match[1] as string, (match[2] as string).replaceAll(/\\(.)/g, '$1'));
  }
  const version = values.get('version');
  if (version === ZOOKEEPER_VERSION) {
    throw new MalformedFileError(
      path,
      'the broker that wrote it kept its metadata in ZooKeeper; move that cluster to KRaft with Apache Kafka 3.9 first',
    );
  }
  if (version !== VERSION) throw new MalformedFileError(path, `version ${version ?? 'is missing'}, expected ${VERSION}`);
  const clusterId = values.get('cluster.id');
  if (clusterId === undefined || clusterId === '') throw new MalformedFileError(path, 'no cluster.id');
  const node = values.get('node.id') ?? '';
  if (!/^\d{1,10}$/.test(node)) throw new MalformedFileError(path, `node.id '${node}'`);
  const directoryId = values.get('directory.id') ?? null;
  if (directoryId !== null && !isUuid(directoryId)) throw new MalformedFileError(path, `directory.id '${directoryId}'`);
  return { clusterId, nodeId: Number(node), directoryId };
}

/** Null where the directory has none: it was never formatted. Throws MalformedFileError. */
export function readMetaProperties(storage: Storage, directory: string): MetaProperties | null {
  const path = `${directory}/${META_PROPERTIES_NAME}`;
  const text = storage.readText(path);
  return text === null ? null : parseMetaProperties(text, path);
}

export function writeMetaProperties(storage: Storage, directory: string, properties: MetaProperties): void {
  storage.replaceText(`${directory}/${META_PROPERTIES_NAME}`, formatMetaProperties(properties));
}
