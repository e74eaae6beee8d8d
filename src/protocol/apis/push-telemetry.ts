// PushTelemetry: KIP-714
// Pure.
import { bool, bytes, int8, int16, int32, type MessageOf, request, response, uuid } from '../schema.ts';

export const pushTelemetryRequest = request({
  name: 'PushTelemetry',
  apiKey: 72,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { clientInstanceId: uuid(), subscriptionId: int32(), terminating: bool(), compressionType: int8(), metrics: bytes() },
});
export type PushTelemetryRequest = MessageOf<typeof pushTelemetryRequest>;

export const pushTelemetryResponse = response({
  name: 'PushTelemetry',
  apiKey: 72,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { throttleTimeMs: int32(), errorCode: int16() },
});
export type PushTelemetryResponse = MessageOf<typeof pushTelemetryResponse>;
