// BrokerRegistration: KIP-631 · v1 migration from ZooKeeper · v2 log directories (KIP-858) · v3 the epoch before (KIP-966) · v4 features may start at 0
// Pure.
import { array, bool, int16, int32, int64, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const brokerRegistrationRequest = request({
  name: 'BrokerRegistration',
  apiKey: 62,
  versions: [0, 4],
  flexibleSince: 0,
  fields: {
    brokerId: int32(),
    clusterId: string(),
    incarnationId: uuid(),
    listeners: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    rack: nullableString(),
    isMigratingZkBroker: bool({ since: 1 }),
    logDirs: array(uuid(), { since: 2, ignorable: true }),
    previousBrokerEpoch: int64({ since: 3, ignorable: true, default: -1 }),
  },
});
export type BrokerRegistrationRequest = MessageOf<typeof brokerRegistrationRequest>;

export const brokerRegistrationResponse = response({
  name: 'BrokerRegistration',
  apiKey: 62,
  versions: [0, 4],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), brokerEpoch: int64({ default: -1 }) },
});
export type BrokerRegistrationResponse = MessageOf<typeof brokerRegistrationResponse>;
