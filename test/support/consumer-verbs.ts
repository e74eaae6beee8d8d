// The words of stories for the consumer protocol.
import { API } from '../../src/protocol/api-keys.ts';
import type { ConsumerGroupDescribeRequest } from '../../src/protocol/apis/consumer-group-describe.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../src/protocol/apis/consumer-group-heartbeat.ts';
import type { Verb, Words } from './group-story.ts';

/** "ID:0:1,ID:2": partitions of topics by id; the word alone: none. Without the word: not said. */
function owned(words: Words): ConsumerGroupHeartbeatRequest['topicPartitions'] {
  if (!words.has('owns')) return null;
  return words.list('owns').map((text) => {
    const [topicId = '', ...partitions] = text.split(':');
    return { topicId, partitions: partitions.map(Number) };
  });
}

function heartbeat(words: Words, version: number, epoch: number): ConsumerGroupHeartbeatRequest {
  const isJoin = epoch === 0;
  return {
    groupId: words.text('group'),
    memberId: words.text('member'),
    memberEpoch: epoch,
    instanceId: words.orNull('instance'),
    rackId: words.orNull('rack'),
    rebalanceTimeoutMs: words.number('rebalance', isJoin ? 30_000 : -1),
    subscribedTopicNames: words.has('topics') ? words.list('topics') : null,
    subscribedTopicRegex: version < 1 ? null : words.orNull('regex'),
    serverAssignor: words.orNull('assignor'),
    topicPartitions: owned(words) ?? (isJoin && !words.has('says-nothing') ? [] : null),
  };
}

export const consumerVerbs: Readonly<Record<string, Verb>> = {
  // A full request at epoch 0.
  enter: {
    apiKey: API.ConsumerGroupHeartbeat,
    version: 1,
    message: (words, version): ConsumerGroupHeartbeatRequest => heartbeat(words, version, 0),
  },
  // Any other: what is not given is not said.
  beat: {
    apiKey: API.ConsumerGroupHeartbeat,
    version: 1,
    message: (words, version): ConsumerGroupHeartbeatRequest => heartbeat(words, version, words.number('epoch', 0)),
  },
  exit: {
    apiKey: API.ConsumerGroupHeartbeat,
    version: 1,
    message: (words, version): ConsumerGroupHeartbeatRequest => heartbeat(words, version, words.number('epoch', -1)),
  },
  look: {
    apiKey: API.ConsumerGroupDescribe,
    version: 1,
    message: (words): ConsumerGroupDescribeRequest => ({ groupIds: words.list('groups'), includeAuthorizedOperations: false }),
  },
};
