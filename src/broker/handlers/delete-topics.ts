// DeleteTopics: by name (`topicNames` up to v5, `topics` from v6) or by id; the answer waits until every worker has let go of them.
// Source: the protocol guide; KIP-516.
import { ZERO_UUID } from '../../base/uuid.ts';
import { deletedTooLate } from '../../metadata/topic-deadlines.ts';
import type { DeletedTopic } from '../../metadata/topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../protocol/apis/delete-topics.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

/** TOPIC_DELETION_DISABLED exists from v3 on; before that it is INVALID_REQUEST. */
const DISABLED_SINCE = 3;
const TOPICS_SINCE = 6;

export function deleteTopicsHandler(context: BrokerContext): Handler {
  return (request) => {
    const body = decodeBody(request, deleteTopicsRequest);
    const { apiVersion } = request;
    if (!context.config.deleteTopicEnable) {
      const errorCode = apiVersion >= DISABLED_SINCE ? ERROR.TOPIC_DELETION_DISABLED : ERROR.INVALID_REQUEST;
      const topics = apiVersion >= TOPICS_SINCE ? body.topics : body.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
      const responses = topics.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage: null }));
      answer(request, deleteTopicsResponse, { throttleTimeMs: 0, responses });
      return true;
    }
    const asked = { topicNames: body.topicNames, topics: body.topics };
    const reply = (responses: DeletedTopic[]): void => answer(request, deleteTopicsResponse, { throttleTimeMs: 0, responses });
    const tooLate = deletedTooLate(asked, body.timeoutMs);
    if (tooLate !== null) reply(tooLate);
    else context.controller.ask('deleteTopics', asked, reply);
    return true;
  };
}
