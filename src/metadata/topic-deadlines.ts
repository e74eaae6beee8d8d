// CreateTopics, CreatePartitions and DeleteTopics whose time is over before they begin: a timeout of zero or less. Apache Kafka lets its controller look at
// such a request too late, always, and answers REQUEST_TIMED_OUT for all of it, faulty parts included. What needs no look from the
// controller is answered as ever.
// Pure. A timeout above zero is not watched: the controller answers in the turn after its log is synced.
import { ZERO_UUID } from '../base/uuid.ts';
import { ERROR } from '../protocol/errors.ts';
import type { CreatedPartitions, CreatePartitionsInput } from './partitions.ts';
import { CLUSTER_METADATA_TOPIC } from './topic-names.ts';
import { type CreatedTopic, type CreateTopicsInput, type DeletedTopic, type DeleteTopicsInput, duplicatesOf, refused } from './topics.ts';

/** The answer to a CreateTopics that comes too late; null where it is to be decided on. */
export function createdTooLate(request: CreateTopicsInput, timeoutMs: number): CreatedTopic[] | null {
  if (timeoutMs > 0) return null;
  const names = request.topics.map((topic) => topic.name);
  const duplicates = duplicatesOf(names);
  if (names.every((name) => duplicates.has(name) || name === CLUSTER_METADATA_TOPIC)) return null;
  return names.map((name) => refused(name, [ERROR.REQUEST_TIMED_OUT, null]));
}

/** The answer to a CreatePartitions that comes too late; null where it is to be decided on. */
export function grownTooLate(request: CreatePartitionsInput, timeoutMs: number): CreatedPartitions[] | null {
  if (timeoutMs > 0) return null;
  const names = request.topics.map((topic) => topic.name);
  if (names.every((name) => duplicatesOf(names).has(name))) return null;
  return names.map((name) => ({ name, errorCode: ERROR.REQUEST_TIMED_OUT, errorMessage: null }));
}

/** The answer to a DeleteTopics that comes too late; null where it is to be decided on. */
export function deletedTooLate(request: DeleteTopicsInput, timeoutMs: number): DeletedTopic[] | null {
  if (timeoutMs > 0) return null;
  const topics = [...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID })), ...request.topics];
  // A name or an id that stands twice, both at once and neither are faults of their own.
  const keys = topics
    .filter(({ name, topicId }) => (name === null) !== (topicId === ZERO_UUID))
    .map(({ name, topicId }) => name ?? topicId);
  if (duplicatesOf(keys).size === new Set(keys).size) return null;
  return topics.map(({ name, topicId }) => ({ name, topicId, errorCode: ERROR.REQUEST_TIMED_OUT, errorMessage: null }));
}
