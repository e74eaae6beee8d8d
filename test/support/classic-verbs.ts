// The words of stories for the classic protocol, offsets and the administrator's requests.
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { writeAssignment, writeSubscription } from '../../src/groups/consumer-protocol.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { DeleteGroupsRequest } from '../../src/protocol/apis/delete-groups.ts';
import type { DescribeGroupsRequest } from '../../src/protocol/apis/describe-groups.ts';
import type { HeartbeatRequest } from '../../src/protocol/apis/heartbeat.ts';
import type { JoinGroupRequest } from '../../src/protocol/apis/join-group.ts';
import type { LeaveGroupRequest } from '../../src/protocol/apis/leave-group.ts';
import type { ListGroupsRequest } from '../../src/protocol/apis/list-groups.ts';
import type { OffsetCommitRequest } from '../../src/protocol/apis/offset-commit.ts';
import type { OffsetDeleteRequest } from '../../src/protocol/apis/offset-delete.ts';
import type { OffsetFetchRequest } from '../../src/protocol/apis/offset-fetch.ts';
import type { SyncGroupRequest } from '../../src/protocol/apis/sync-group.ts';
import type { Verb, Words } from './group-story.ts';

/** "orders+payments": a subscription of the consumers' embedded protocol, version 0, as far as the coordinator reads it. */
export function subscription(topics: string): Uint8Array {
  const names = topics === '' ? [] : topics.split('+');
  const parts: Buffer[] = [Buffer.from([0, 0, 0, 0, 0, names.length])];
  for (const name of names) parts.push(Buffer.from([0, name.length]), Buffer.from(name));
  parts.push(Buffer.from([0, 0, 0, 0]));
  return Buffer.concat(parts);
}

/**
 * "range:orders+payments,sticky:orders": each name with its subscription; with raw=yes the bytes as they stand. With has=orders:0:1 in
 * version 1, which says what the member has.
 */
function protocols(words: Words): JoinGroupRequest['protocols'] {
  return words.list('protocols').map((text) => {
    const [name = '', topics = ''] = text.split(':');
    if (words.has('raw')) return { name, metadata: Buffer.from(topics) };
    return { name, metadata: words.has('has') ? owningSubscription(topics, words) : subscription(topics) };
  });
}

/** gives=MEMBER:orders:0:1: partitions of one topic for each member, in the consumers' embedded protocol. */
function given(words: Words): SyncGroupRequest['assignments'] | null {
  if (!words.has('gives')) return null;
  return words.list('gives').map((text) => {
    const [memberId = '', topic = '', ...partitions] = text.split(':');
    return { memberId, assignment: writeAssignment([{ topic, partitions: partitions.map(Number) }], 1) };
  });
}

function owningSubscription(topics: string, words: Words): Uint8Array {
  const ownedPartitions = places(words.list('has')).map(({ name, indexes }) => ({ topic: name, partitions: indexes }));
  return writeSubscription({ topics: topics.split('+'), userData: null, ownedPartitions, generationId: -1, rackId: null }, 1);
}

/** "orders:0@5/note:1@7": partitions of one topic with their offsets and metadata; words topics= separate topics by commas. */
function commits(words: Words, version: number): OffsetCommitRequest['topics'] {
  return words.list('topics').map((text) => {
    const [name = '', ...partitions] = text.split(':');
    return {
      name: version < 10 ? name : '',
      topicId: version < 10 ? ZERO_UUID : name,
      partitions: partitions.map((partition) => {
        const [place = '', metadata] = partition.split('/');
        const [index, offset] = place.split('@');
        return {
          partitionIndex: Number(index),
          committedOffset: Number(offset),
          committedLeaderEpoch: version < 6 ? -1 : words.number('leader-epoch', -1),
          committedMetadata: metadata === undefined ? null : metadata.replace(/^x(\d+)$/, (_all, count) => 'x'.repeat(Number(count))),
        };
      }),
    };
  });
}

/** "orders:0:1": partitions of topics. */
function places(texts: readonly string[]): { name: string; indexes: number[] }[] {
  return texts.map((text) => {
    const [name = '', ...partitions] = text.split(':');
    return { name, indexes: partitions.map(Number) };
  });
}

function fetchTopics(words: Words, version: number): OffsetFetchRequest['groups'][number]['topics'] {
  if (!words.has('topics')) return null;
  return places(words.list('topics')).map(({ name, indexes }) => ({
    name: version < 10 ? name : '',
    topicId: version < 10 ? ZERO_UUID : name,
    partitionIndexes: indexes,
  }));
}

export const classicVerbs: Readonly<Record<string, Verb>> = {
  join: {
    apiKey: API.JoinGroup,
    version: 9,
    message: (words): JoinGroupRequest => ({
      groupId: words.text('group'),
      sessionTimeoutMs: words.number('session', 10_000),
      rebalanceTimeoutMs: words.number('rebalance', 60_000),
      memberId: words.text('member'),
      groupInstanceId: words.orNull('instance'),
      protocolType: words.text('type', 'consumer'),
      protocols: protocols(words),
      reason: null,
    }),
  },
  sync: {
    apiKey: API.SyncGroup,
    // Version 5 wants type= and protocol=.
    version: 4,
    message: (words): SyncGroupRequest => ({
      groupId: words.text('group'),
      generationId: words.number('generation', -1),
      memberId: words.text('member'),
      groupInstanceId: words.orNull('instance'),
      protocolType: words.orNull('type'),
      protocolName: words.orNull('protocol'),
      assignments:
        given(words) ??
        words.list('assign').map((text) => {
          const [memberId = '', assignment = ''] = text.split(':');
          return { memberId, assignment: Buffer.from(assignment.replace(/^x(\d+)$/, (_all, count) => 'x'.repeat(Number(count)))) };
        }),
    }),
  },
  heartbeat: {
    apiKey: API.Heartbeat,
    version: 4,
    message: (words): HeartbeatRequest => ({
      groupId: words.text('group'),
      generationId: words.number('generation', -1),
      memberId: words.text('member'),
      groupInstanceId: words.orNull('instance'),
    }),
  },
  // members=member:instance,…; before v3 member=
  leave: {
    apiKey: API.LeaveGroup,
    version: 5,
    message: (words): LeaveGroupRequest => ({
      groupId: words.text('group'),
      memberId: words.text('member'),
      members: words.list('members').map((text) => {
        const [memberId = '', instance] = text.split(':');
        return { memberId, groupInstanceId: instance ?? null, reason: null };
      }),
    }),
  },
  commit: {
    apiKey: API.OffsetCommit,
    version: 9,
    message: (words, version): OffsetCommitRequest => ({
      groupId: words.text('group'),
      generationIdOrMemberEpoch: words.number('generation', -1),
      memberId: words.text('member'),
      groupInstanceId: words.orNull('instance'),
      retentionTimeMs: words.number('retention', -1),
      topics: commits(words, version),
    }),
  },
  // Several groups: groups=g1,g2, each asked for the same topics.
  fetch: {
    apiKey: API.OffsetFetch,
    version: 9,
    message: (words, version): OffsetFetchRequest => {
      const topics = fetchTopics(words, version);
      const groupIds = words.has('groups') ? words.list('groups') : [words.text('group')];
      const isBatch = version >= 8;
      return {
        groupId: isBatch ? '' : (groupIds[0] ?? ''),
        topics: isBatch ? [] : (topics?.map(({ name, partitionIndexes }) => ({ name, partitionIndexes })) ?? null),
        groups: isBatch
          ? groupIds.map((groupId) => ({ groupId, memberId: words.orNull('member'), memberEpoch: words.number('epoch', -1), topics }))
          : [],
        requireStable: words.has('stable'),
      };
    },
  },
  list: {
    apiKey: API.ListGroups,
    version: 5,
    message: (words): ListGroupsRequest => ({ statesFilter: words.list('states'), typesFilter: words.list('types') }),
  },
  describe: {
    apiKey: API.DescribeGroups,
    version: 6,
    message: (words): DescribeGroupsRequest => ({ groups: words.list('groups'), includeAuthorizedOperations: false }),
  },
  'delete-groups': {
    apiKey: API.DeleteGroups,
    version: 2,
    message: (words): DeleteGroupsRequest => ({ groupsNames: words.list('groups') }),
  },
  'delete-offsets': {
    apiKey: API.OffsetDelete,
    version: 0,
    message: (words): OffsetDeleteRequest => ({
      groupId: words.text('group'),
      topics: places(words.list('topics')).map(({ name, indexes }) => ({
        name,
        partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
      })),
    }),
  },
};
