// CreateTopics: decided by the controller; the answer waits until every worker knows the topics.
// Source: the protocol guide; KIP-525 (configs in the answer), KIP-516 (topic ids).
import { createdTooLate } from '../../metadata/topic-deadlines.ts';
import type { CreatedTopic } from '../../metadata/topics.ts';
import { createTopicsRequest, createTopicsResponse } from '../../protocol/apis/create-topics.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function createTopicsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { topics, validateOnly, timeoutMs } = decodeBody(request, createTopicsRequest);
    const reply = (created: readonly CreatedTopic[]): void => {
      const answers = created.map((topic) => ({
        ...topic,
        configs: topic.configs === null ? null : topic.configs.map((config) => ({ ...config })),
      }));
      answer(request, createTopicsResponse, { throttleTimeMs: 0, topics: answers });
    };
    const tooLate = createdTooLate({ topics, validateOnly }, timeoutMs);
    if (tooLate !== null) reply(tooLate);
    else context.controller.ask('createTopics', { topics, validateOnly }, reply);
    return true;
  };
}
