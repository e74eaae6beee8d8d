// What the coordinator reads of the consumers' embedded protocol: the topics of a subscription. They stand at its start in every version.
// Pure. Source: the protocol guide, "Consumer embedded protocol".
import { ByteReader, DecodeError } from '../base/byte-reader.ts';

/** A length. */
const STRING_BYTES_MIN = 2;

/** `protocolType` of consumers; groups of others (Connect) keep their metadata to themselves. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/** All topics that the subscriptions name; null where one of them cannot be read. */
export function subscribedTopics(subscriptions: readonly Uint8Array[]): ReadonlySet<string> | null {
  const topics = new Set<string>();
  try {
    for (const bytes of subscriptions) {
      const reader = new ByteReader(bytes);
      reader.int16();
      const count = reader.count(reader.int32(), STRING_BYTES_MIN);
      for (let i = 0; i < count; i++) topics.add(reader.string());
      const userDataBytes = reader.int32();
      if (userDataBytes > 0) reader.take(userDataBytes);
    }
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
  return topics;
}
