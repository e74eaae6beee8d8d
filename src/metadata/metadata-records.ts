// Metadata records as the log holds them: a frame version, the record's type, its version, its fields.
// Everything beyond this file sees one union, told apart by `type`.
// Pure. Source: KIP-631, "Record format".
import { assert } from '../base/assert.ts';
import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { ByteWriter, uvarintBytes } from '../base/byte-writer.ts';
import { codec } from '../protocol/compile.ts';
import type { Table } from '../protocol/schema.ts';
import * as tables from './record-tables.ts';

const FRAME_VERSION = 1;

export type MetadataRecord =
  | ({ readonly type: 'AbortTransactionRecord' } & tables.AbortTransactionRecord)
  | ({ readonly type: 'AccessControlEntryRecord' } & tables.AccessControlEntryRecord)
  | ({ readonly type: 'BeginTransactionRecord' } & tables.BeginTransactionRecord)
  | ({ readonly type: 'BrokerRegistrationChangeRecord' } & tables.BrokerRegistrationChangeRecord)
  | ({ readonly type: 'ClearElrRecord' } & tables.ClearElrRecord)
  | ({ readonly type: 'ClientQuotaRecord' } & tables.ClientQuotaRecord)
  | ({ readonly type: 'ConfigRecord' } & tables.ConfigRecord)
  | ({ readonly type: 'DelegationTokenRecord' } & tables.DelegationTokenRecord)
  | ({ readonly type: 'EndTransactionRecord' } & tables.EndTransactionRecord)
  | ({ readonly type: 'FeatureLevelRecord' } & tables.FeatureLevelRecord)
  | ({ readonly type: 'FenceBrokerRecord' } & tables.FenceBrokerRecord)
  | ({ readonly type: 'NoOpRecord' } & tables.NoOpRecord)
  | ({ readonly type: 'PartitionChangeRecord' } & tables.PartitionChangeRecord)
  | ({ readonly type: 'PartitionRecord' } & tables.PartitionRecord)
  | ({ readonly type: 'ProducerIdsRecord' } & tables.ProducerIdsRecord)
  | ({ readonly type: 'RegisterBrokerRecord' } & tables.RegisterBrokerRecord)
  | ({ readonly type: 'RegisterControllerRecord' } & tables.RegisterControllerRecord)
  | ({ readonly type: 'RemoveAccessControlEntryRecord' } & tables.RemoveAccessControlEntryRecord)
  | ({ readonly type: 'RemoveDelegationTokenRecord' } & tables.RemoveDelegationTokenRecord)
  | ({ readonly type: 'RemoveTopicRecord' } & tables.RemoveTopicRecord)
  | ({ readonly type: 'RemoveUserScramCredentialRecord' } & tables.RemoveUserScramCredentialRecord)
  | ({ readonly type: 'TopicRecord' } & tables.TopicRecord)
  | ({ readonly type: 'UnfenceBrokerRecord' } & tables.UnfenceBrokerRecord)
  | ({ readonly type: 'UnregisterBrokerRecord' } & tables.UnregisterBrokerRecord)
  | ({ readonly type: 'UnregisterControllerRecord' } & tables.UnregisterControllerRecord)
  | ({ readonly type: 'UserScramCredentialRecord' } & tables.UserScramCredentialRecord)
  | ({ readonly type: 'ZkMigrationStateRecord' } & tables.ZkMigrationStateRecord);

/** The record of one type. */
export type RecordOf<T extends MetadataRecord['type']> = Extract<MetadataRecord, { type: T }>;

type MetadataRecordType = MetadataRecord['type'];

const tableOf: Readonly<Record<MetadataRecordType, Table>> = {
  AbortTransactionRecord: tables.abortTransactionRecord,
  AccessControlEntryRecord: tables.accessControlEntryRecord,
  BeginTransactionRecord: tables.beginTransactionRecord,
  BrokerRegistrationChangeRecord: tables.brokerRegistrationChangeRecord,
  ClearElrRecord: tables.clearElrRecord,
  ClientQuotaRecord: tables.clientQuotaRecord,
  ConfigRecord: tables.configRecord,
  DelegationTokenRecord: tables.delegationTokenRecord,
  EndTransactionRecord: tables.endTransactionRecord,
  FeatureLevelRecord: tables.featureLevelRecord,
  FenceBrokerRecord: tables.fenceBrokerRecord,
  NoOpRecord: tables.noOpRecord,
  PartitionChangeRecord: tables.partitionChangeRecord,
  PartitionRecord: tables.partitionRecord,
  ProducerIdsRecord: tables.producerIdsRecord,
  RegisterBrokerRecord: tables.registerBrokerRecord,
  RegisterControllerRecord: tables.registerControllerRecord,
  RemoveAccessControlEntryRecord: tables.removeAccessControlEntryRecord,
  RemoveDelegationTokenRecord: tables.removeDelegationTokenRecord,
  RemoveTopicRecord: tables.removeTopicRecord,
  RemoveUserScramCredentialRecord: tables.removeUserScramCredentialRecord,
  TopicRecord: tables.topicRecord,
  UnfenceBrokerRecord: tables.unfenceBrokerRecord,
  UnregisterBrokerRecord: tables.unregisterBrokerRecord,
  UnregisterControllerRecord: tables.unregisterControllerRecord,
  UserScramCredentialRecord: tables.userScramCredentialRecord,
  ZkMigrationStateRecord: tables.zkMigrationStateRecord,
};

const typeOf = new Map(Object.entries(tableOf).map(([type, table]) => [table.apiKey, type as MetadataRecordType]));

/** The newest version of a record type that the tables describe. */
export function newestRecordVersion(type: MetadataRecordType): number {
  return tableOf[type].versions[1];
}

/** A record's value in the metadata log. Throws AssertionError where the version cannot carry the record. */
export function encodeMetadataRecord(record: MetadataRecord, version: number = newestRecordVersion(record.type)): Uint8Array {
  const table = tableOf[record.type];
  const { size, encode } = codec(table, version);
  const headerBytes = uvarintBytes(FRAME_VERSION) + uvarintBytes(table.apiKey) + uvarintBytes(version);
  const writer = new ByteWriter(Buffer.allocUnsafe(headerBytes + size(record)));
  writer.uvarint(FRAME_VERSION);
  writer.uvarint(table.apiKey);
  writer.uvarint(version);
  encode(record, writer);
  assert(writer.position === writer.bytes.length, `the size of a ${record.type} was told wrong`);
  return writer.bytes;
}

/** Reads one record's value, all of it. Throws DecodeError. */
export function decodeMetadataRecord(value: Uint8Array): MetadataRecord {
  const reader = new ByteReader(value);
  const frameVersion = reader.uvarint();
  if (frameVersion !== FRAME_VERSION)
    throw new DecodeError(`metadata record with frame version ${frameVersion}, ${FRAME_VERSION} is known`);
  const apiKey = reader.uvarint();
  const version = reader.uvarint();
  const type = typeOf.get(apiKey);
  if (type === undefined) throw new DecodeError(`metadata record of unknown type ${apiKey}`);
  const table = tableOf[type];
  if (version < table.versions[0] || version > table.versions[1]) throw new DecodeError(`${type} with unknown version ${version}`);
  const fields = codec(table, version).decode(reader);
  if (reader.remaining > 0) throw new DecodeError(`${reader.remaining} bytes behind a ${type}`);
  return { type, ...fields } as MetadataRecord;
}
