// UnregisterBroker: takes a broker that will not come back out of the cluster; decided by the controller.
// Source: KIP-631.
import { unregisterBrokerRequest, unregisterBrokerResponse } from '../../protocol/apis/unregister-broker.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function unregisterBrokerHandler(context: BrokerContext): Handler {
  return (request) => {
    const { brokerId } = decodeBody(request, unregisterBrokerRequest);
    context.controller.ask('unregisterBroker', { brokerId, ownId: context.nodeId }, (refusal) => {
      answer(request, unregisterBrokerResponse, { throttleTimeMs: 0, ...refusal });
    });
    return true;
  };
}
