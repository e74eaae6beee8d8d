// The records of the metadata log, each at every version. How they are framed and told apart: metadata-records.ts.
// Pure.
import {
  array,
  bool,
  bytes,
  float64,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableArray,
  nullableString,
  record,
  string,
  uint16,
  uuid,
} from '../protocol/schema.ts';

export const abortTransactionRecord = record({
  name: 'AbortTransactionRecord',
  apiKey: 25,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { reason: nullableString({ tag: 0, default: null }) },
});
export type AbortTransactionRecord = MessageOf<typeof abortTransactionRecord>;

export const accessControlEntryRecord = record({
  name: 'AccessControlEntryRecord',
  apiKey: 18,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    id: uuid(),
    resourceType: int8(),
    resourceName: string(),
    patternType: int8(),
    principal: string(),
    host: string(),
    operation: int8(),
    permissionType: int8(),
  },
});
export type AccessControlEntryRecord = MessageOf<typeof accessControlEntryRecord>;

export const beginTransactionRecord = record({
  name: 'BeginTransactionRecord',
  apiKey: 23,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { name: nullableString({ tag: 0, default: null }) },
});
export type BeginTransactionRecord = MessageOf<typeof beginTransactionRecord>;

export const brokerRegistrationChangeRecord = record({
  name: 'BrokerRegistrationChangeRecord',
  apiKey: 17,
  versions: [0, 3],
  flexibleSince: 0,
  fields: {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: int8({ tag: 0 }),
    inControlledShutdown: int8({ since: 1, tag: 1 }),
    logDirs: array(uuid(), { since: 2, tag: 2 }),
    cordonedLogDirs: nullableArray(uuid(), { since: 3, tag: 3, default: null }),
  },
});
export type BrokerRegistrationChangeRecord = MessageOf<typeof brokerRegistrationChangeRecord>;

export const clearElrRecord = record({
  name: 'ClearElrRecord',
  apiKey: 28,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { topicName: string() },
});
export type ClearElrRecord = MessageOf<typeof clearElrRecord>;

export const clientQuotaRecord = record({
  name: 'ClientQuotaRecord',
  apiKey: 14,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { entity: array({ entityType: string(), entityName: nullableString() }), key: string(), value: float64(), remove: bool() },
});
export type ClientQuotaRecord = MessageOf<typeof clientQuotaRecord>;

export const configRecord = record({
  name: 'ConfigRecord',
  apiKey: 4,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { resourceType: int8(), resourceName: string(), name: string(), value: nullableString() },
});
export type ConfigRecord = MessageOf<typeof configRecord>;

export const delegationTokenRecord = record({
  name: 'DelegationTokenRecord',
  apiKey: 10,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    owner: string(),
    requester: string(),
    renewers: array(string()),
    issueTimestamp: int64(),
    maxTimestamp: int64(),
    expirationTimestamp: int64(),
    tokenId: string(),
  },
});
export type DelegationTokenRecord = MessageOf<typeof delegationTokenRecord>;

export const endTransactionRecord = record({
  name: 'EndTransactionRecord',
  apiKey: 24,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {},
});
export type EndTransactionRecord = MessageOf<typeof endTransactionRecord>;

export const featureLevelRecord = record({
  name: 'FeatureLevelRecord',
  apiKey: 12,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { name: string(), featureLevel: int16() },
});
export type FeatureLevelRecord = MessageOf<typeof featureLevelRecord>;

export const fenceBrokerRecord = record({
  name: 'FenceBrokerRecord',
  apiKey: 7,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { id: int32(), epoch: int64() },
});
export type FenceBrokerRecord = MessageOf<typeof fenceBrokerRecord>;

export const noOpRecord = record({
  name: 'NoOpRecord',
  apiKey: 20,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {},
});
export type NoOpRecord = MessageOf<typeof noOpRecord>;

export const partitionChangeRecord = record({
  name: 'PartitionChangeRecord',
  apiKey: 5,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    isr: nullableArray(int32(), { tag: 0, default: null }),
    leader: int32({ tag: 1, default: -2 }),
    replicas: nullableArray(int32(), { tag: 2, default: null }),
    removingReplicas: nullableArray(int32(), { tag: 3, default: null }),
    addingReplicas: nullableArray(int32(), { tag: 4, default: null }),
    leaderRecoveryState: int8({ tag: 5, default: -1 }),
    directories: nullableArray(uuid(), { since: 1, tag: 8, default: null }),
    eligibleLeaderReplicas: nullableArray(int32(), { since: 2, tag: 6, default: null }),
    lastKnownElr: nullableArray(int32(), { since: 2, tag: 7, default: null }),
  },
});
export type PartitionChangeRecord = MessageOf<typeof partitionChangeRecord>;

export const partitionRecord = record({
  name: 'PartitionRecord',
  apiKey: 3,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    replicas: array(int32()),
    isr: array(int32()),
    removingReplicas: array(int32()),
    addingReplicas: array(int32()),
    leader: int32({ default: -1 }),
    leaderRecoveryState: int8({ tag: 0 }),
    leaderEpoch: int32({ default: -1 }),
    partitionEpoch: int32({ default: -1 }),
    directories: array(uuid(), { since: 1 }),
    eligibleLeaderReplicas: nullableArray(int32(), { since: 2, tag: 1, default: null }),
    lastKnownElr: nullableArray(int32(), { since: 2, tag: 2, default: null }),
  },
});
export type PartitionRecord = MessageOf<typeof partitionRecord>;

export const producerIdsRecord = record({
  name: 'ProducerIdsRecord',
  apiKey: 15,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { brokerId: int32(), brokerEpoch: int64({ default: -1 }), nextProducerId: int64() },
});
export type ProducerIdsRecord = MessageOf<typeof producerIdsRecord>;

export const registerBrokerRecord = record({
  name: 'RegisterBrokerRecord',
  apiKey: 0,
  versions: [0, 4],
  flexibleSince: 0,
  fields: {
    brokerId: int32(),
    isMigratingZkBroker: bool({ since: 2 }),
    incarnationId: uuid(),
    brokerEpoch: int64(),
    endPoints: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    rack: nullableString(),
    fenced: bool({ default: true }),
    inControlledShutdown: bool({ since: 1 }),
    logDirs: array(uuid(), { since: 3, tag: 0 }),
    cordonedLogDirs: nullableArray(uuid(), { since: 4, tag: 1, default: null }),
  },
});
export type RegisterBrokerRecord = MessageOf<typeof registerBrokerRecord>;

export const registerControllerRecord = record({
  name: 'RegisterControllerRecord',
  apiKey: 27,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    endPoints: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
  },
});
export type RegisterControllerRecord = MessageOf<typeof registerControllerRecord>;

export const removeAccessControlEntryRecord = record({
  name: 'RemoveAccessControlEntryRecord',
  apiKey: 19,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { id: uuid() },
});
export type RemoveAccessControlEntryRecord = MessageOf<typeof removeAccessControlEntryRecord>;

export const removeDelegationTokenRecord = record({
  name: 'RemoveDelegationTokenRecord',
  apiKey: 26,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { tokenId: string() },
});
export type RemoveDelegationTokenRecord = MessageOf<typeof removeDelegationTokenRecord>;

export const removeTopicRecord = record({
  name: 'RemoveTopicRecord',
  apiKey: 9,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { topicId: uuid() },
});
export type RemoveTopicRecord = MessageOf<typeof removeTopicRecord>;

export const removeUserScramCredentialRecord = record({
  name: 'RemoveUserScramCredentialRecord',
  apiKey: 22,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { name: string(), mechanism: int8() },
});
export type RemoveUserScramCredentialRecord = MessageOf<typeof removeUserScramCredentialRecord>;

export const topicRecord = record({
  name: 'TopicRecord',
  apiKey: 2,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { name: string(), topicId: uuid() },
});
export type TopicRecord = MessageOf<typeof topicRecord>;

export const unfenceBrokerRecord = record({
  name: 'UnfenceBrokerRecord',
  apiKey: 8,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { id: int32(), epoch: int64() },
});
export type UnfenceBrokerRecord = MessageOf<typeof unfenceBrokerRecord>;

export const unregisterBrokerRecord = record({
  name: 'UnregisterBrokerRecord',
  apiKey: 1,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { brokerId: int32(), brokerEpoch: int64() },
});
export type UnregisterBrokerRecord = MessageOf<typeof unregisterBrokerRecord>;

export const unregisterControllerRecord = record({
  name: 'UnregisterControllerRecord',
  apiKey: 29,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { controllerId: int32() },
});
export type UnregisterControllerRecord = MessageOf<typeof unregisterControllerRecord>;

export const userScramCredentialRecord = record({
  name: 'UserScramCredentialRecord',
  apiKey: 11,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { name: string(), mechanism: int8(), salt: bytes(), storedKey: bytes(), serverKey: bytes(), iterations: int32() },
});
export type UserScramCredentialRecord = MessageOf<typeof userScramCredentialRecord>;

export const zkMigrationStateRecord = record({
  name: 'ZkMigrationStateRecord',
  apiKey: 21,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { zkMigrationState: int8() },
});
export type ZkMigrationStateRecord = MessageOf<typeof zkMigrationStateRecord>;
