// The records of __consumer_offsets as the log holds them: a key that starts with its type, a value that starts with its version.
// Everything beyond this file sees one union, told apart by `type`; a value of null is a tombstone.
// Pure. Source: KIP-848, "Records"; the versions written are those that Apache Kafka 4.3 writes.
import { ByteReader } from '../base/byte-reader.ts';
import type { RecordCodec } from '../coordinator/shard.ts';
import { type Codec, codec } from '../protocol/compile.ts';
import type { Table } from '../protocol/schema.ts';
import * as tables from './record-tables.ts';

interface RecordOf<Type extends string, Key, Value> {
  readonly type: Type;
  readonly key: Key;
  readonly value: Value | null;
}

export type GroupRecord =
  | RecordOf<'LegacyOffsetCommit', tables.LegacyOffsetCommitKey, tables.LegacyOffsetCommitValue>
  | RecordOf<'OffsetCommit', tables.OffsetCommitKey, tables.OffsetCommitValue>
  | RecordOf<'GroupMetadata', tables.GroupMetadataKey, tables.GroupMetadataValue>
  | RecordOf<'ConsumerGroupMetadata', tables.ConsumerGroupMetadataKey, tables.ConsumerGroupMetadataValue>
  | RecordOf<'ConsumerGroupPartitionMetadata', tables.ConsumerGroupPartitionMetadataKey, tables.ConsumerGroupPartitionMetadataValue>
  | RecordOf<'ConsumerGroupMemberMetadata', tables.ConsumerGroupMemberMetadataKey, tables.ConsumerGroupMemberMetadataValue>
  | RecordOf<
      'ConsumerGroupTargetAssignmentMetadata',
      tables.ConsumerGroupTargetAssignmentMetadataKey,
      tables.ConsumerGroupTargetAssignmentMetadataValue
    >
  | RecordOf<
      'ConsumerGroupTargetAssignmentMember',
      tables.ConsumerGroupTargetAssignmentMemberKey,
      tables.ConsumerGroupTargetAssignmentMemberValue
    >
  | RecordOf<
      'ConsumerGroupCurrentMemberAssignment',
      tables.ConsumerGroupCurrentMemberAssignmentKey,
      tables.ConsumerGroupCurrentMemberAssignmentValue
    >
  | RecordOf<'ConsumerGroupRegularExpression', tables.ConsumerGroupRegularExpressionKey, tables.ConsumerGroupRegularExpressionValue>;

type GroupRecordType = GroupRecord['type'];

/** One kind of record. Its codecs are compiled when they are first needed, and at hand from then on. */
class Row {
  /** What its keys start with. */
  readonly type: number;
  readonly valueVersion: number;
  readonly #key: Table;
  readonly #value: Table;
  #keyCodec: Codec<unknown> | null = null;
  readonly #valueCodecs: (Codec<unknown> | undefined)[] = [];

  constructor(key: Table, value: Table, valueVersion: number) {
    this.type = key.apiKey;
    this.valueVersion = valueVersion;
    this.#key = key;
    this.#value = value;
  }

  get keyCodec(): Codec<unknown> {
    this.#keyCodec ??= codec(this.#key, 0);
    return this.#keyCodec;
  }

  hasValueVersion(version: number): boolean {
    return version >= this.#value.versions[0] && version <= this.#value.versions[1];
  }

  valueCodec(version: number): Codec<unknown> {
    const known = this.#valueCodecs[version];
    if (known !== undefined) return known;
    const made = codec(this.#value, version);
    this.#valueCodecs[version] = made;
    return made;
  }
}

const rows: Readonly<Record<GroupRecordType, Row>> = {
  LegacyOffsetCommit: new Row(tables.legacyOffsetCommitKey, tables.legacyOffsetCommitValue, 0),
  OffsetCommit: new Row(tables.offsetCommitKey, tables.offsetCommitValue, 4),
  GroupMetadata: new Row(tables.groupMetadataKey, tables.groupMetadataValue, 3),
  ConsumerGroupMetadata: new Row(tables.consumerGroupMetadataKey, tables.consumerGroupMetadataValue, 0),
  ConsumerGroupPartitionMetadata: new Row(tables.consumerGroupPartitionMetadataKey, tables.consumerGroupPartitionMetadataValue, 0),
  ConsumerGroupMemberMetadata: new Row(tables.consumerGroupMemberMetadataKey, tables.consumerGroupMemberMetadataValue, 0),
  ConsumerGroupTargetAssignmentMetadata: new Row(
    tables.consumerGroupTargetAssignmentMetadataKey,
    tables.consumerGroupTargetAssignmentMetadataValue,
    0,
  ),
  ConsumerGroupTargetAssignmentMember: new Row(
    tables.consumerGroupTargetAssignmentMemberKey,
    tables.consumerGroupTargetAssignmentMemberValue,
    0,
  ),
  ConsumerGroupCurrentMemberAssignment: new Row(
    tables.consumerGroupCurrentMemberAssignmentKey,
    tables.consumerGroupCurrentMemberAssignmentValue,
    0,
  ),
  ConsumerGroupRegularExpression: new Row(tables.consumerGroupRegularExpressionKey, tables.consumerGroupRegularExpressionValue, 0),
};

const typeByKey = new Map<number, GroupRecordType>((Object.keys(rows) as GroupRecordType[]).map((type) => [rows[type].type, type]));

/** Int16s, in front of key and value. */
const TYPE_BYTES = 2;
const VERSION_BYTES = 2;

/** A commit that says itself when it expires (OffsetCommit v2 to v4): no later version has that field. */
const EXPIRING_COMMIT_VERSION = 1;
/** Of a commit that expires with its group. */
const NEVER = -1;

/** The version in which a value is written. */
function valueVersion({ type, value }: GroupRecord): number {
  return type === 'OffsetCommit' && value?.expireTimestamp !== NEVER ? EXPIRING_COMMIT_VERSION : rows[type].valueVersion;
}

export const groupRecordCodec: RecordCodec<GroupRecord> = {
  keyBytes: (record) => TYPE_BYTES + rows[record.type].keyCodec.size(record.key),

  valueBytes(record) {
    if (record.value === null) return -1;
    return VERSION_BYTES + rows[record.type].valueCodec(valueVersion(record)).size(record.value);
  },

  writeKey(record, writer) {
    const row = rows[record.type];
    writer.int16(row.type);
    row.keyCodec.encode(record.key, writer);
  },

  writeValue(record, writer) {
    const version = valueVersion(record);
    writer.int16(version);
    rows[record.type].valueCodec(version).encode(record.value, writer);
  },

  decode(keyBytes, valueBytes) {
    const keyReader = new ByteReader(keyBytes);
    const type = typeByKey.get(keyReader.int16());
    if (type === undefined) return null;
    const row = rows[type];
    const key = row.keyCodec.decode(keyReader);
    if (valueBytes === null) return { type, key, value: null } as GroupRecord;
    const valueReader = new ByteReader(valueBytes);
    const version = valueReader.int16();
    if (!row.hasValueVersion(version)) return null;
    return { type, key, value: row.valueCodec(version).decode(valueReader) } as GroupRecord;
  },
};

/** Bytes of key and value together. */
export function recordBytes(record: GroupRecord): number {
  return groupRecordCodec.keyBytes(record) + Math.max(groupRecordCodec.valueBytes(record), 0);
}
