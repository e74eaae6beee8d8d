// Reads the segments of a metadata log as they lie on the disk, without the log's own code.
import type { Storage } from '../../src/log/storage.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { visitRecordBatches } from '../../src/metadata/record-batch.ts';
import { readWhole } from '../../src/metadata/snapshot-file.ts';
import { CONTROL_TYPE } from '../../src/protocol/records/control.ts';

export interface ControlSeen {
  readonly type: 'Control';
  readonly name: string;
}

export function logRecords(storage: Storage, directory: string): (MetadataRecord | ControlSeen)[] {
  const seen: (MetadataRecord | ControlSeen)[] = [];
  const segments = storage.list(directory).filter((name) => name.endsWith('.log'));
  for (const name of segments.sort()) seen.push(...batchRecords(readWhole(storage, `${directory}/${name}`)));
  return seen;
}

export function batchRecords(bytes: Uint8Array): (MetadataRecord | ControlSeen)[] {
  const seen: (MetadataRecord | ControlSeen)[] = [];
  visitRecordBatches(bytes, {
    record: (record) => seen.push(record),
    control: (type) => seen.push({ type: 'Control', name: controlName(type) }),
  });
  return seen;
}

/** One word a record, for lists that are read by people. */
export function word(record: MetadataRecord | ControlSeen): string {
  return record.type === 'Control' ? record.name : record.type.replace(/Record$/, '');
}

function controlName(type: number): string {
  for (const [name, value] of Object.entries(CONTROL_TYPE)) if (value === type) return name;
  return `${type}`;
}
