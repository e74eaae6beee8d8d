// Control batches: the markers that a broker writes among the records, of transactions and of the metadata log.
// A control record's key is a version and a type; its value is a message of its own kind, bytes here.
// Pure. Not the messages inside: those stand in the protocol's tables of control records.
// Source: "Control Batches" in Kafka's documentation of the message format; KIP-98, KIP-595, KIP-630, KIP-853.

import { readInt16, writeInt16 } from '../../base/big-endian.ts';
import { BatchBuilder, type BatchOptions } from './batch-builder.ts';

export const CONTROL_TYPE = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const;

export type ControlType = (typeof CONTROL_TYPE)[keyof typeof CONTROL_TYPE];

/** The newest version of the key; later ones may only append. */
const CONTROL_KEY_VERSION = 0;
/** Version (int16) and type (int16). */
const CONTROL_KEY_BYTES = 4;

export interface ControlRecord {
  readonly type: ControlType;
  /** The message, its version in front, as the message codecs give it. */
  readonly value: Uint8Array;
}

/** The key of a control record. */
export function controlKey(type: ControlType): Uint8Array {
  const key = new Uint8Array(CONTROL_KEY_BYTES);
  writeInt16(key, 0, CONTROL_KEY_VERSION);
  writeInt16(key, 2, type);
  return key;
}

/** The version in a control record's key, or -1 when the key is none. */
export function readControlVersion(key: Uint8Array | null): number {
  return key === null || key.length < CONTROL_KEY_BYTES ? -1 : readInt16(key, 0);
}

/** The type in a control record's key, one of CONTROL_TYPE or a later one that readers skip; -1 when the key is none. */
export function readControlType(key: Uint8Array | null): number {
  const version = readControlVersion(key);
  return key === null || version < 0 ? -1 : readInt16(key, 2);
}

/** A batch of control records, all at one time. Transaction markers come alone, with their producer and `isTransactional`. */
export function buildControlBatch(
  options: Omit<BatchOptions, 'isControl' | 'compression'>,
  timestampMs: number,
  records: readonly ControlRecord[],
): Uint8Array {
  const builder = new BatchBuilder({ ...options, isControl: true });
  for (const { type, value } of records) builder.append({ key: controlKey(type), value, timestampMs });
  return builder.build();
}
