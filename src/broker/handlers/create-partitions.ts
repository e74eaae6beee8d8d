// CreatePartitions: decided by the controller; the answer waits until the logs of the new partitions are open on their workers.
// Source: the protocol guide; KIP-195.
import type { CreatedPartitions } from '../../metadata/partitions.ts';
import { grownTooLate } from '../../metadata/topic-deadlines.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../../protocol/apis/create-partitions.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function createPartitionsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { topics, validateOnly, timeoutMs } = decodeBody(request, createPartitionsRequest);
    const reply = (results: CreatedPartitions[]): void => answer(request, createPartitionsResponse, { throttleTimeMs: 0, results });
    const tooLate = grownTooLate({ topics, validateOnly }, timeoutMs);
    if (tooLate !== null) reply(tooLate);
    else context.controller.ask('createPartitions', { topics, validateOnly }, reply);
    return true;
  };
}
