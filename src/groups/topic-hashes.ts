// What a group remembers of the topics it subscribes to: a hash, which tells a change of their partitions, ids or racks apart from none.
// Kept in ConsumerGroupMetadata, and the same as Apache Kafka 4.3 computes.
// Pure. Source: KIP-1101.
import { writeUuid } from '../base/byte-text.ts';
import { UUID_BYTES } from '../base/uuid.ts';
import { xxh3 } from '../base/xxh3.ts';
import type { TopicsView, TopicView } from '../coordinator/shard.ts';

/** How the bytes below are laid out. */
const LAYOUT_VERSION = 0;

/** Of no topic. */
export const NO_TOPICS_HASH = 0n;

export class TopicHashes {
  readonly #topics: TopicsView;
  readonly #known = new Map<string, { readonly topic: TopicView; readonly hash: bigint }>();

  constructor(topics: TopicsView) {
    this.#topics = topics;
  }

  /** Of those of the names that are topics. */
  hashOf(names: Iterable<string>): bigint {
    const hashes: [name: string, hash: bigint][] = [];
    for (const name of names) {
      const topic = this.#topics.byName(name);
      if (topic === null) this.#known.delete(name);
      else hashes.push([name, this.#hashOfTopic(topic)]);
    }
    if (hashes.length === 0) return NO_TOPICS_HASH;
    hashes.sort(([a], [b]) => (a < b ? -1 : 1));
    const bytes = new DataView(new ArrayBuffer(hashes.length * 8));
    for (const [index, [, hash]] of hashes.entries()) bytes.setBigInt64(index * 8, hash, true);
    return xxh3(new Uint8Array(bytes.buffer));
  }

  #hashOfTopic(topic: TopicView): bigint {
    const known = this.#known.get(topic.name);
    if (known !== undefined && isSame(known.topic, topic)) return known.hash;
    const hash = topicHash(topic);
    this.#known.set(topic.name, { topic, hash });
    return hash;
  }
}

function isSame(a: TopicView, b: TopicView): boolean {
  if (a === b) return true;
  if (a.topicId !== b.topicId || a.partitionCount !== b.partitionCount) return false;
  if (a.racks === b.racks) return true;
  return a.racks !== null && b.racks !== null && `${a.racks.map(String).join('\n')}` === `${b.racks.map(String).join('\n')}`;
}

/** Strings are UTF-16, behind them their length; numbers are little endian, as is each half of the id. */
export function topicHash({ topicId, name, partitionCount, racks }: TopicView): bigint {
  const sorted = Array.from({ length: partitionCount }, (_, partition) => [...(racks?.[partition] ?? [])].sort());
  const rackBytes = sorted.reduce((sum, each) => each.reduce((bytes, rack) => bytes + 4 + stringBytes(rack), sum), 0);
  const bytes = new DataView(new ArrayBuffer(1 + UUID_BYTES + stringBytes(name) + 4 + 4 * partitionCount + rackBytes));
  bytes.setUint8(0, LAYOUT_VERSION);
  const id = new Uint8Array(UUID_BYTES);
  writeUuid(topicId, id, 0);
  for (let i = 0; i < UUID_BYTES; i++) bytes.setUint8(1 + i, id[i < 8 ? 7 - i : 23 - i] as number);
  let position = putString(bytes, 1 + UUID_BYTES, name);
  position = putInt(bytes, position, partitionCount);
  for (const [partition, rackNames] of sorted.entries()) {
    position = putInt(bytes, position, partition);
    for (const rack of rackNames) position = putString(bytes, putInt(bytes, position, rack.length), rack);
  }
  return xxh3(new Uint8Array(bytes.buffer));
}

function stringBytes(text: string): number {
  return 2 * text.length + 4;
}

function putString(bytes: DataView, position: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes.setUint16(position + 2 * i, text.charCodeAt(i), true);
  return putInt(bytes, position + 2 * text.length, text.length);
}

function putInt(bytes: DataView, position: number, value: number): number {
  bytes.setInt32(position, value, true);
  return position + 4;
}
