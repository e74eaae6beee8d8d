// OffsetFetch: the committed offsets of groups, those that are asked for or all. Before v8 a request has one group, in fields of its own.
// Pure.
import { ZERO_UUID } from '../base/uuid.ts';
import type { Question, ShardEnvironment } from '../coordinator/shard.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/apis/offset-fetch.ts';
import { ERROR } from '../protocol/errors.ts';
import type { GroupStore } from './group-store.ts';
import type { OffsetStore, TopicOffsets } from './offset-store.ts';
import type { OffsetCommitValue } from './record-tables.ts';

/** Since this version a request may have several groups. */
const GROUPS_VERSION = 8;
/** Since this version topics are named by their ids. */
const TOPIC_ID_VERSION = 10;
/** Since this version a group's error has a place of its own; before, each partition tells it. */
const GROUP_ERROR_VERSION = 2;

type RequestGroup = OffsetFetchRequest['groups'][number];
type RequestTopic = NonNullable<RequestGroup['topics']>[number];
type ResponseGroup = OffsetFetchResponse['groups'][number];
type ResponseTopic = ResponseGroup['topics'][number];
type ResponsePartition = ResponseTopic['partitions'][number];

export class OffsetFetch {
  readonly #environment: ShardEnvironment;
  readonly #groups: GroupStore;
  readonly #offsets: OffsetStore;

  constructor(environment: ShardEnvironment, groups: GroupStore, offsets: OffsetStore) {
    this.#environment = environment;
    this.#groups = groups;
    this.#offsets = offsets;
  }

  fetch({ apiVersion }: Question, request: OffsetFetchRequest): OffsetFetchResponse {
    if (apiVersion >= GROUPS_VERSION) {
      const groups = request.groups.map((group) => this.#fetchGroup(group, apiVersion));
      return { throttleTimeMs: 0, topics: [], errorCode: ERROR.NONE, groups };
    }
    const { topics, errorCode } = this.#fetchGroup(singleGroup(request), apiVersion);
    return { throttleTimeMs: 0, topics, errorCode, groups: [] };
  }

  #fetchGroup(request: RequestGroup, apiVersion: number): ResponseGroup {
    const { groupId, topics } = request;
    const isById = apiVersion >= TOPIC_ID_VERSION;
    const errorCode = this.#groups.get(groupId)?.checkOffsetFetch(request.memberId, request.memberEpoch) ?? ERROR.NONE;
    if (errorCode !== ERROR.NONE) {
      const failed = apiVersion < GROUP_ERROR_VERSION ? (topics ?? []).map((topic) => failedTopic(topic, errorCode)) : [];
      return { groupId, topics: failed, errorCode };
    }
    const offsets = this.#offsets.ofGroup(groupId);
    return { groupId, topics: topics === null ? this.#all(offsets, isById) : this.#some(topics, offsets, isById), errorCode };
  }

  #all(offsets: TopicOffsets | undefined, isById: boolean): ResponseTopic[] {
    const topics: ResponseTopic[] = [];
    for (const [name, partitions] of offsets ?? []) {
      const topicId = isById ? (this.#environment.topics.byName(name)?.topicId ?? ZERO_UUID) : ZERO_UUID;
      // A topic that is gone has no id that it could be told by.
      if (isById && topicId === ZERO_UUID) continue;
      topics.push({ name, topicId, partitions: Array.from(partitions, ([index, commit]) => found(index, commit)) });
    }
    return topics;
  }

  /** Topics whose ids nobody knows come last. */
  #some(topics: readonly RequestTopic[], offsets: TopicOffsets | undefined, isById: boolean): ResponseTopic[] {
    const known: ResponseTopic[] = [];
    const unknown: ResponseTopic[] = [];
    for (const topic of topics) {
      const name = isById ? this.#environment.topics.byId(topic.topicId)?.name : topic.name;
      if (name === undefined) {
        unknown.push(failedTopic(topic, ERROR.UNKNOWN_TOPIC_ID));
        continue;
      }
      const commits = offsets?.get(name);
      const partitions = topic.partitionIndexes.map((index) => {
        const commit = commits?.get(index);
        return commit === undefined || isOfAnother(commit, topic.topicId) ? notFound(index, ERROR.NONE) : found(index, commit);
      });
      known.push({ name, topicId: topic.topicId, partitions });
    }
    return unknown.length === 0 ? known : known.concat(unknown);
  }
}

function singleGroup({ groupId, topics }: OffsetFetchRequest): RequestGroup {
  return {
    groupId,
    memberId: null,
    memberEpoch: -1,
    topics: topics === null ? null : topics.map(({ name, partitionIndexes }) => ({ name, topicId: ZERO_UUID, partitionIndexes })),
  };
}

/** A commit to a topic of the same name that was deleted since. */
function isOfAnother(commit: OffsetCommitValue, topicId: string): boolean {
  return topicId !== ZERO_UUID && commit.topicId !== ZERO_UUID && commit.topicId !== topicId;
}

function found(partitionIndex: number, commit: OffsetCommitValue): ResponsePartition {
  return {
    partitionIndex,
    committedOffset: commit.offset,
    committedLeaderEpoch: commit.leaderEpoch,
    metadata: commit.metadata,
    errorCode: ERROR.NONE,
  };
}

function notFound(partitionIndex: number, errorCode: number): ResponsePartition {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}

function failedTopic(topic: RequestTopic, errorCode: number): ResponseTopic {
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitionIndexes.map((index) => notFound(index, errorCode)),
  };
}
