// OffsetCommit: which of its offsets are taken, and the records they become.
// Pure.
import { ZERO_UUID } from '../base/uuid.ts';
import type { Decision, Question, ShardEnvironment, TopicView } from '../coordinator/shard.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/apis/offset-commit.ts';
import { ERROR } from '../protocol/errors.ts';
import type { Group, PartitionCheck } from './group.ts';
import type { GroupConfig } from './group-config.ts';
import { type GroupRecord, recordBytes } from './group-records.ts';
import type { GroupStore } from './group-store.ts';

/** Since this version topics are named by their ids. */
const TOPIC_ID_VERSION = 10;
/** Since this version a group that is not there is called so; before, its generation is the one that is wrong. */
const GROUP_ID_NOT_FOUND_VERSION = 9;
/** The request says nothing of a retention of its own; the record nothing of a time when it expires. */
const NONE_GIVEN = -1;

/** Of a UTF-16 unit. */
const UTF8_BYTES_MAX = 3;
/** More than all that has a fixed length in key and value of a commit. */
const RECORD_FIXED_BYTES = 100;

type RequestTopic = OffsetCommitRequest['topics'][number];
type RequestPartition = RequestTopic['partitions'][number];
type ResponseTopic = OffsetCommitResponse['topics'][number];

/** Partitions of a topic that exist. */
interface KnownTopic {
  readonly view: TopicView;
  readonly topic: RequestTopic;
  readonly partitions: readonly RequestPartition[];
}

export class OffsetCommit {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #groups: GroupStore;
  readonly #noteCommit: (group: Group, memberId: string) => void;

  /** `noteCommit` hears of each commit that a group allows: its member lives. */
  constructor(
    environment: ShardEnvironment,
    config: GroupConfig,
    groups: GroupStore,
    noteCommit: (group: Group, memberId: string) => void,
  ) {
    this.#environment = environment;
    this.#config = config;
    this.#groups = groups;
    this.#noteCommit = noteCommit;
  }

  commit(question: Question, request: OffsetCommitRequest): Decision<GroupRecord> {
    const isById = question.apiVersion >= TOPIC_ID_VERSION;
    const known: KnownTopic[] = [];
    const refused: ResponseTopic[] = [];
    for (const topic of request.topics) this.#sort(topic, isById, known, refused);
    const records: GroupRecord[] = [];
    // A commit of nothing that exists is answered without a look at the group.
    const errorCode = known.length === 0 ? ERROR.NONE : this.#check(question, request, known);
    const nowMs = this.#environment.wallMs();
    const expireTimestamp = expiry(nowMs, request.retentionTimeMs);
    const taken: ResponseTopic[] = [];
    for (const { view, topic, partitions } of known) {
      const answers: ResponseTopic['partitions'] = [];
      for (const partition of partitions) {
        let code = errorCode !== ERROR.NONE ? errorCode : this.#checkMetadata(partition);
        if (code === ERROR.NONE) {
          const record = commitRecord(request.groupId, view, partition, nowMs, expireTimestamp);
          if (this.#fits(request.groupId, view.name, partition, record)) records.push(record);
          else code = ERROR.UNKNOWN_SERVER_ERROR;
        }
        answers.push({ partitionIndex: partition.partitionIndex, errorCode: code });
      }
      taken.push({ name: topic.name, topicId: topic.topicId, partitions: answers });
    }
    const topics = refused.length === 0 ? taken : merged(refused, taken, isById);
    const body: OffsetCommitResponse = { throttleTimeMs: 0, topics };
    return { records, answers: [{ token: question.token, body }], isDivisible: true };
  }

  #checkGroup(question: Question, request: OffsetCommitRequest): number | PartitionCheck {
    const group = this.#groups.get(request.groupId);
    const generation = request.generationIdOrMemberEpoch;
    if (group !== undefined) {
      const check = group.checkOffsetCommit(request.memberId, request.groupInstanceId, generation, question.apiVersion);
      if (check === ERROR.NONE) this.#noteCommit(group, request.memberId);
      return check;
    }
    // From an administrator, or a consumer that is its own group: the group comes to be with its first offset.
    if (generation < 0) return ERROR.NONE;
    return question.apiVersion >= GROUP_ID_NOT_FOUND_VERSION ? ERROR.GROUP_ID_NOT_FOUND : ERROR.ILLEGAL_GENERATION;
  }

  /** An error code for all partitions: one that fails its check fails the others with it. */
  #check(question: Question, request: OffsetCommitRequest, known: readonly KnownTopic[]): number {
    const check = this.#checkGroup(question, request);
    if (typeof check === 'number') return check;
    for (const { view, partitions } of known) {
      for (const partition of partitions) {
        if (this.#checkMetadata(partition) !== ERROR.NONE) continue;
        const error = check(view.name, view.topicId, partition.partitionIndex);
        if (error !== ERROR.NONE) return error;
      }
    }
    return ERROR.NONE;
  }

  /** What exists goes to `known`, what does not is answered in `refused`. */
  #sort(topic: RequestTopic, isById: boolean, known: KnownTopic[], refused: ResponseTopic[]): void {
    const view = isById ? this.#environment.topics.byId(topic.topicId) : this.#environment.topics.byName(topic.name);
    if (view === null) {
      refused.push(refusedTopic(topic, topic.partitions, isById ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION));
      return;
    }
    const exists = ({ partitionIndex }: RequestPartition): boolean => partitionIndex >= 0 && partitionIndex < view.partitionCount;
    const partitions = topic.partitions.every(exists) ? topic.partitions : topic.partitions.filter(exists);
    if (partitions.length > 0) known.push({ view, topic, partitions });
    if (partitions.length === topic.partitions.length) return;
    const missing = topic.partitions.filter((partition) => !exists(partition));
    refused.push(refusedTopic(topic, missing, ERROR.UNKNOWN_TOPIC_OR_PARTITION));
  }

  #checkMetadata({ committedMetadata }: RequestPartition): number {
    const isTooLarge = committedMetadata !== null && committedMetadata.length > this.#config.offsetMetadataBytesMax;
    return isTooLarge ? ERROR.OFFSET_METADATA_TOO_LARGE : ERROR.NONE;
  }

  /** Only where records may be very small can a commit be too large for one: its bytes are counted where its characters might be too many. */
  #fits(groupId: string, topicName: string, { committedMetadata }: RequestPartition, record: GroupRecord): boolean {
    const lengths = groupId.length + topicName.length + (committedMetadata?.length ?? 0);
    const { recordBytesMax } = this.#environment;
    return RECORD_FIXED_BYTES + lengths * UTF8_BYTES_MAX <= recordBytesMax || recordBytes(record) <= recordBytesMax;
  }
}

function expiry(nowMs: number, retentionTimeMs: number): number {
  return retentionTimeMs === NONE_GIVEN ? NONE_GIVEN : Math.min(nowMs + retentionTimeMs, Number.MAX_SAFE_INTEGER);
}

/** A record that says when it expires has an old version, which knows neither leader epochs nor topic ids. */
function commitRecord(
  group: string,
  view: TopicView,
  partition: RequestPartition,
  commitTimestamp: number,
  expireTimestamp: number,
): GroupRecord {
  const isExpiring = expireTimestamp !== NONE_GIVEN;
  return {
    type: 'OffsetCommit',
    key: { group, topic: view.name, partition: partition.partitionIndex },
    value: {
      offset: partition.committedOffset,
      leaderEpoch: isExpiring ? -1 : partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      commitTimestamp,
      expireTimestamp,
      topicId: isExpiring ? ZERO_UUID : view.topicId,
    },
  };
}

function refusedTopic(topic: RequestTopic, partitions: readonly RequestPartition[], errorCode: number): ResponseTopic {
  return { name: topic.name, topicId: topic.topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) };
}

/** One entry a topic, the refused first: in the order of Apache Kafka. */
function merged(refused: readonly ResponseTopic[], taken: readonly ResponseTopic[], isById: boolean): ResponseTopic[] {
  const topics = new Map<string, ResponseTopic>();
  for (const topic of [...refused, ...taken]) {
    const name = isById ? topic.topicId : topic.name;
    const known = topics.get(name);
    topics.set(name, known === undefined ? topic : { ...known, partitions: known.partitions.concat(topic.partitions) });
  }
  return [...topics.values()];
}
