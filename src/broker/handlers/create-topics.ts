// CreateTopics: decided by the controller; the answer waits until every worker knows the topics.
// Source: the protocol guide; KIP-525 (configs in the answer), KIP-516 (topic ids).
import { createTopicsRequest, createTopicsResponse } from '../../protocol/apis/create-topics.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function createTopicsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { topics, validateOnly } = decodeBody(request, createTopicsRequest);
    context.controller.ask('createTopics', { topics, validateOnly }, (created) => {
      const answers = created.map((topic) => ({
        ...topic,
        configs: topic.configs === null ? null : topic.configs.map((config) => ({ ...config })),
      }));
      answer(request, createTopicsResponse, { throttleTimeMs: 0, topics: answers });
    });
    return true;
  };
}
