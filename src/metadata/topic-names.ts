// Which names a topic may have.
// Pure.
import type { ClusterImage } from './image.ts';

/** 255 characters of a file name, less a partition number: Kafka's limit. */
const TOPIC_NAME_LENGTH_MAX = 249;
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';
export const CONSUMER_OFFSETS_TOPIC = '__consumer_offsets';
export const TRANSACTION_STATE_TOPIC = '__transaction_state';
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state';
/** Topics of coordinators: clients read them, and only the broker writes to them. */
export const INTERNAL_TOPICS: ReadonlySet<string> = new Set([CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, SHARE_GROUP_STATE_TOPIC]);

/** Null for a good name; else what is wrong with it, in Kafka's words. */
export function topicNameFault(name: string): string | null {
  const reason = nameFault(name);
  return reason === null ? null : `Topic name is invalid: ${reason}`;
}

/** The fault of a new topic's name beside the topics that are there: metrics could not tell it from another's. */
export function topicCollisionFault(name: string, image: ClusterImage): string | null {
  if (!/[._]/.test(name)) return null;
  const other = image.topicColliding(name);
  return other === null ? null : `Topic '${name}' collides with existing topic: ${other}`;
}

function nameFault(name: string): string | null {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > TOPIC_NAME_LENGTH_MAX) {
    return `the length of '${name}' is longer than the max allowed length ${TOPIC_NAME_LENGTH_MAX}`;
  }
  if (/^[A-Za-z0-9._-]+$/.test(name)) return null;
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
}
