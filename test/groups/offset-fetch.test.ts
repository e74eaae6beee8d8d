// Commits whose topic was deleted while nobody looked (the shard was loading, the broker down) and made anew under its name: asked for by
// the new topic's id they are none, by its name they are what the records say. A commit of an older broker names no id, and is of any.
import { expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { groupRecordCodec } from '../../src/groups/group-records.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { OffsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { GroupDriver } from '../support/group-driver.ts';
import { encodeRecord } from '../support/record-bytes.ts';

const OTHER_ID = 'anotherTopicOfThisNamA';

test('a commit to another topic of the same name is none of the topic that is asked for by its id', () => {
  const driver = new GroupDriver({ makeShard: (environment, config) => new GroupCoordinator(environment, config) });
  driver.createTopic('orders', 3);
  const topicId = driver.topic('orders')?.topicId ?? '';
  const ofPartition = [OTHER_ID, ZERO_UUID, topicId];
  for (const [partition, committedTo] of ofPartition.entries()) {
    const { key, value } = encodeRecord(groupRecordCodec, {
      type: 'OffsetCommit',
      key: { group: 'g', topic: 'orders', partition },
      value: { offset: 7, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId: committedTo },
    });
    driver.append(key, value);
  }
  driver.reload();
  const fetched = (version: number, topic: { name: string } | { topicId: string }): number[] => {
    const topics = [{ name: '', topicId: ZERO_UUID, ...topic, partitionIndexes: [0, 1, 2] }];
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics }];
    const request = { groupId: '', topics: [], groups, requireStable: false };
    const answer = driver.answerTo<OffsetFetchResponse>(API.OffsetFetch, version, request);
    driver.takeHappened();
    return answer.groups[0]?.topics[0]?.partitions.map(({ committedOffset }) => committedOffset) ?? [];
  };
  expect(fetched(10, { topicId })).toEqual([-1, 7, 7]);
  expect(fetched(9, { name: 'orders' })).toEqual([7, 7, 7]);
});
