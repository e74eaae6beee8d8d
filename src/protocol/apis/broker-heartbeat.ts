// BrokerHeartbeat: KIP-631 · v1 directories that are offline (KIP-858) · v2 cordoned directories (KIP-1066)
// Pure.
import { array, bool, int16, int32, int64, type MessageOf, nullableArray, request, response, uuid } from '../schema.ts';

export const brokerHeartbeatRequest = request({
  name: 'BrokerHeartbeat',
  apiKey: 63,
  versions: [0, 2],
  flexibleSince: 0,
  fields: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    offlineLogDirs: array(uuid(), { since: 1, tag: 0 }),
    cordonedLogDirs: nullableArray(uuid(), { since: 2, tag: 1, default: null }),
  },
});
export type BrokerHeartbeatRequest = MessageOf<typeof brokerHeartbeatRequest>;

export const brokerHeartbeatResponse = response({
  name: 'BrokerHeartbeat',
  apiKey: 63,
  versions: [0, 2],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), isCaughtUp: bool(), isFenced: bool({ default: true }), shouldShutDown: bool() },
});
export type BrokerHeartbeatResponse = MessageOf<typeof brokerHeartbeatResponse>;
