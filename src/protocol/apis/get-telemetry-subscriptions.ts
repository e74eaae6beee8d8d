// GetTelemetrySubscriptions: KIP-714
// Pure.
import { array, bool, int8, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts';

export const getTelemetrySubscriptionsRequest = request({
  name: 'GetTelemetrySubscriptions',
  apiKey: 71,
  versions: [0, 0],
  flexibleSince: 0,
  fields: { clientInstanceId: uuid() },
});
export type GetTelemetrySubscriptionsRequest = MessageOf<typeof getTelemetrySubscriptionsRequest>;

export const getTelemetrySubscriptionsResponse = response({
  name: 'GetTelemetrySubscriptions',
  apiKey: 71,
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    acceptedCompressionTypes: array(int8()),
    pushIntervalMs: int32(),
    telemetryMaxBytes: int32(),
    deltaTemporality: bool(),
    requestedMetrics: array(string()),
  },
});
export type GetTelemetrySubscriptionsResponse = MessageOf<typeof getTelemetrySubscriptionsResponse>;
