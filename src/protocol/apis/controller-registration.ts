// ControllerRegistration: KIP-919
// Pure.
import { array, bool, int16, int32, type MessageOf, nullableString, request, response, string, uint16, uuid } from '../schema.ts';

export const controllerRegistrationRequest = request({
  name: 'ControllerRegistration',
  apiKey: 70,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    listeners: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
  },
});
export type ControllerRegistrationRequest = MessageOf<typeof controllerRegistrationRequest>;

export const controllerRegistrationResponse = response({
  name: 'ControllerRegistration',
  apiKey: 70,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16(), errorMessage: nullableString() },
});
export type ControllerRegistrationResponse = MessageOf<typeof controllerRegistrationResponse>;
