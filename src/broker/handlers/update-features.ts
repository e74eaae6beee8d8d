// UpdateFeatures: decided by the controller; all of the updates are made or none.
// Source: KIP-584, KIP-778.
import { updateFeaturesRequest, updateFeaturesResponse } from '../../protocol/apis/update-features.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

/** The last version that is answered by feature. */
const RESULTS_UNTIL = 1;

export function updateFeaturesHandler(context: BrokerContext): Handler {
  return (request) => {
    const { featureUpdates, validateOnly } = decodeBody(request, updateFeaturesRequest);
    const asked = { updates: featureUpdates, validateOnly, controllerId: context.nodeId };
    context.controller.ask('updateFeatures', asked, ({ errorCode, errorMessage }) => {
      const hasResults = request.apiVersion <= RESULTS_UNTIL && errorCode === ERROR.NONE;
      const results = hasResults ? featureUpdates.map(({ feature }) => ({ feature, errorCode, errorMessage: 'NONE' })) : [];
      answer(request, updateFeaturesResponse, { throttleTimeMs: 0, errorCode, errorMessage, results });
    });
    return true;
  };
}
