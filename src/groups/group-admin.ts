// What administrators ask: ListGroups, DescribeGroups, DeleteGroups, OffsetDelete.
// Pure. Not here: which operations the asker is allowed (the broker adds them).

import type { Decision, Question, ShardEnvironment } from '../coordinator/shard.ts';
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../protocol/apis/delete-groups.ts';
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../protocol/apis/describe-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../protocol/apis/list-groups.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../protocol/apis/offset-delete.ts';
import { UNREQUESTED_OPERATIONS } from '../protocol/authorized-operations.ts';
import { ERROR } from '../protocol/errors.ts';
import { ClassicGroup } from './classic-group.ts';
import { NO_BYTES } from './classic-member.ts';
import type { Group } from './group.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupStore } from './group-store.ts';
import { addOffsetTombstones, offsetTombstone } from './offset-expiry.ts';
import type { OffsetStore } from './offset-store.ts';

/** Since this version a group that is not there is an error; before, it is dead. */
const GROUP_ID_NOT_FOUND_VERSION = 6;

type DescribedGroup = DescribeGroupsResponse['groups'][number];
type DeletedTopic = OffsetDeleteResponse['topics'][number];

export class GroupAdmin {
  readonly #environment: ShardEnvironment;
  readonly #groups: GroupStore;
  readonly #offsets: OffsetStore;

  constructor(environment: ShardEnvironment, groups: GroupStore, offsets: OffsetStore) {
    this.#environment = environment;
    this.#groups = groups;
    this.#offsets = offsets;
  }

  list({ statesFilter, typesFilter }: ListGroupsRequest): ListGroupsResponse {
    const states = new Set(statesFilter.map((state) => state.toLowerCase().trim()));
    const types = new Set(typesFilter.map((type) => type.toLowerCase()));
    const groups: ListGroupsResponse['groups'] = [];
    for (const group of this.#groups.values()) {
      if (states.size > 0 && !states.has(group.stateName.toLowerCase())) continue;
      if (types.size > 0 && !types.has(group.type)) continue;
      groups.push({
        groupId: group.groupId,
        protocolType: group.protocolTypeName,
        groupState: group.stateName,
        groupType: group.type,
      });
    }
    return { throttleTimeMs: 0, errorCode: ERROR.NONE, groups };
  }

  describe({ apiVersion }: Question, request: DescribeGroupsRequest): DescribeGroupsResponse {
    return { throttleTimeMs: 0, groups: request.groups.map((groupId) => this.#describe(groupId, apiVersion)) };
  }

  #describe(groupId: string, apiVersion: number): DescribedGroup {
    const group = this.#groups.get(groupId);
    if (!(group instanceof ClassicGroup)) {
      const reason = group === undefined ? 'not found' : 'is not a classic group';
      const isError = apiVersion >= GROUP_ID_NOT_FOUND_VERSION;
      return {
        errorCode: isError ? ERROR.GROUP_ID_NOT_FOUND : ERROR.NONE,
        errorMessage: isError ? `Group ${groupId} ${reason}.` : null,
        groupId,
        groupState: 'Dead',
        protocolType: '',
        protocolData: '',
        members: [],
        authorizedOperations: UNREQUESTED_OPERATIONS,
      };
    }
    // During a round there is no protocol, and so nothing that was said under it; assignments are those of the last generation.
    const isStable = group.state === 'Stable';
    return {
      errorCode: ERROR.NONE,
      errorMessage: null,
      groupId,
      groupState: group.state,
      protocolType: group.protocolTypeName,
      protocolData: isStable ? (group.protocolName ?? '') : '',
      members: Array.from(group.members.values(), (member) => ({
        memberId: member.memberId,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? member.metadata(group.protocolName) : NO_BYTES,
        memberAssignment: member.assignment,
      })),
      authorizedOperations: UNREQUESTED_OPERATIONS,
    };
  }

  /** A result for each name, those that are said twice too. */
  delete(question: Question, request: DeleteGroupsRequest): Decision<GroupRecord> {
    const records: GroupRecord[] = [];
    const results: DeleteGroupsResponse['results'] = [];
    const seen = new Set<string>();
    for (const groupId of request.groupsNames) {
      const group = this.#groups.get(groupId);
      const errorCode = group === undefined ? ERROR.GROUP_ID_NOT_FOUND : group.checkDelete();
      if (group !== undefined && errorCode === ERROR.NONE && !seen.has(groupId)) {
        seen.add(groupId);
        addOffsetTombstones(groupId, this.#offsets.ofGroup(groupId), records);
        for (const record of group.tombstones()) records.push(record);
      }
      results.push({ groupId, errorCode, errorMessage: null });
    }
    const body: DeleteGroupsResponse = { throttleTimeMs: 0, results };
    return { records, answers: [{ token: question.token, body }], isDivisible: true };
  }

  deleteOffsets(question: Question, request: OffsetDeleteRequest): Decision<GroupRecord> {
    const answered = (errorCode: number, topics: DeletedTopic[], records: GroupRecord[]): Decision<GroupRecord> => ({
      records,
      answers: [{ token: question.token, body: { errorCode, throttleTimeMs: 0, topics } satisfies OffsetDeleteResponse }],
      isDivisible: true,
    });
    if (request.groupId === '') return answered(ERROR.INVALID_GROUP_ID, [], []);
    const group = this.#groups.get(request.groupId);
    if (group === undefined) return answered(ERROR.GROUP_ID_NOT_FOUND, [], []);
    const errorCode = group.checkOffsetDelete();
    if (errorCode !== ERROR.NONE) return answered(errorCode, [], []);
    const records: GroupRecord[] = [];
    const refused: DeletedTopic[] = [];
    const deleted: DeletedTopic[] = [];
    for (const topic of request.topics) this.#deleteTopic(group, topic, records, refused, deleted);
    return answered(ERROR.NONE, merged(refused, deleted), records);
  }

  #deleteTopic(
    group: Group,
    { name, partitions }: OffsetDeleteRequest['topics'][number],
    records: GroupRecord[],
    refused: DeletedTopic[],
    deleted: DeletedTopic[],
  ): void {
    const count = this.#environment.topics.byName(name)?.partitionCount ?? 0;
    const exists = ({ partitionIndex }: { partitionIndex: number }): boolean => partitionIndex >= 0 && partitionIndex < count;
    const missing = count === 0 ? partitions : partitions.filter((partition) => !exists(partition));
    if (count === 0 || missing.length > 0) refused.push({ name, partitions: withError(missing, ERROR.UNKNOWN_TOPIC_OR_PARTITION) });
    const found = partitions.filter(exists);
    if (found.length === 0) return;
    if (group.isSubscribedTo(name)) {
      deleted.push({ name, partitions: withError(found, ERROR.GROUP_SUBSCRIBED_TO_TOPIC) });
      return;
    }
    const offsets = this.#offsets.ofGroup(group.groupId)?.get(name);
    for (const { partitionIndex } of found) {
      if (offsets?.has(partitionIndex)) records.push(offsetTombstone(group.groupId, name, partitionIndex));
    }
    deleted.push({ name, partitions: withError(found, ERROR.NONE) });
  }
}

function withError(partitions: readonly { readonly partitionIndex: number }[], errorCode: number): DeletedTopic['partitions'] {
  return partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }));
}

/** One entry a topic, the refused first: in the order of Apache Kafka. */
function merged(refused: readonly DeletedTopic[], deleted: readonly DeletedTopic[]): DeletedTopic[] {
  const topics = new Map<string, DeletedTopic>();
  for (const topic of [...refused, ...deleted]) {
    const known = topics.get(topic.name);
    topics.set(topic.name, known === undefined ? topic : { ...known, partitions: known.partitions.concat(topic.partitions) });
  }
  return [...topics.values()];
}
