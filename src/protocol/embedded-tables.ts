// What travels as opaque bytes inside of other messages: principals in forwarded requests, and what members of Kafka Streams tell each other by
// JoinGroup. The consumers' own are in groups/consumer-protocol.ts.
// Pure. Source: KIP-590; KIP-441 and KIP-708 for the newer versions of the subscription.
import { array, bool, bytes, data, int8, int32, int64, type MessageOf, nullableString, string, uuid } from './schema.ts';

/** Behind the int16 of its version. */
export const defaultPrincipalData = data({
  name: 'DefaultPrincipalData',
  versions: [0, 0],
  flexibleSince: 0,
  fields: { type: string(), name: string(), tokenAuthenticated: bool() },
});
export type DefaultPrincipalData = MessageOf<typeof defaultPrincipalData>;

/** Big-endian without a frame: the version is the first field. */
export const subscriptionInfoData = data({
  name: 'SubscriptionInfoData',
  versions: [1, 11],
  fields: {
    version: int32(),
    latestSupportedVersion: int32({ since: 3, default: -1 }),
    processId: uuid(),
    prevTasks: array({ topicGroupId: int32(), partition: int32() }, { until: 6 }),
    standbyTasks: array({ topicGroupId: int32(), partition: int32() }, { until: 6 }),
    userEndPoint: bytes({ since: 2 }),
    taskOffsetSums: array(
      {
        topicGroupId: int32(),
        partition: int32({ since: 10 }),
        offsetSum: int64({ since: 10 }),
        namedTopology: nullableString({ since: 10 }),
        partitionToOffsetSum: array({ partition: int32(), offsetSum: int64() }, { until: 9 }),
      },
      { since: 7 },
    ),
    uniqueField: int8({ since: 8 }),
    errorCode: int32({ since: 9 }),
    clientTags: array({ key: bytes(), value: bytes() }, { since: 11 }),
  },
});
export type SubscriptionInfoData = MessageOf<typeof subscriptionInfoData>;
