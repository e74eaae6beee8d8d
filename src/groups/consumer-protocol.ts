// The consumers' embedded protocol: what a consumer's classic JoinGroup says of its subscription, and what its SyncGroup is answered.
// A version precedes the message; a newer one is read as the newest known, whose fields it starts with.
// Pure. Source: the protocol guide, "Consumer embedded protocol"; KIP-429, KIP-792, KIP-881.
import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { codec } from '../protocol/compile.ts';
import { array, data, type Field, int32, type MessageOf, nullableString, string, type Table } from '../protocol/schema.ts';

const VERSION_MAX = 3;
const VERSION_BYTES = 2;

const nullableBytes: Field<Uint8Array | null> = { kind: 'primitive', primitive: 'bytes', nullableSince: 0, default: null };

export const consumerProtocolSubscription = data({
  name: 'ConsumerProtocolSubscription',
  versions: [0, VERSION_MAX],
  fields: {
    topics: array(string()),
    userData: nullableBytes,
    ownedPartitions: array({ topic: string(), partitions: array(int32()) }, { since: 1, ignorable: true }),
    generationId: int32({ since: 2, ignorable: true, default: -1 }),
    rackId: nullableString({ since: 3, ignorable: true, default: null }),
  },
});
export type ConsumerProtocolSubscription = MessageOf<typeof consumerProtocolSubscription>;

export const consumerProtocolAssignment = data({
  name: 'ConsumerProtocolAssignment',
  versions: [0, VERSION_MAX],
  fields: {
    assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
    userData: nullableBytes,
  },
});
export type ConsumerProtocolAssignment = MessageOf<typeof consumerProtocolAssignment>;

/** Null: not readable. */
export function readSubscription(bytes: Uint8Array): ConsumerProtocolSubscription | null {
  return read(consumerProtocolSubscription, bytes);
}

/** Null: not readable. */
export function readAssignment(bytes: Uint8Array): ConsumerProtocolAssignment | null {
  return read(consumerProtocolAssignment, bytes);
}

/** The version that the bytes say they are in; null where they are too few to say. */
export function embeddedVersion(bytes: Uint8Array): number | null {
  return bytes.length < VERSION_BYTES ? null : new ByteReader(bytes).int16();
}

/** In the version that the member's subscription has, as far as it is known. */
export function writeAssignment(
  assignedPartitions: ConsumerProtocolAssignment['assignedPartitions'],
  subscriptionVersion: number,
): Uint8Array {
  const version = Math.min(Math.max(subscriptionVersion, 0), VERSION_MAX);
  return write(consumerProtocolAssignment, version, { assignedPartitions, userData: null });
}

export function writeSubscription(subscription: ConsumerProtocolSubscription, version: number): Uint8Array {
  return write(consumerProtocolSubscription, version, subscription);
}

function read<T extends Table>(table: T, bytes: Uint8Array): MessageOf<T> | null {
  try {
    const reader = new ByteReader(bytes);
    const version = reader.int16();
    return version < 0 ? null : codec(table, Math.min(version, VERSION_MAX)).decode(reader);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

function write<T extends Table>(table: T, version: number, message: MessageOf<T>): Uint8Array {
  const { size, encode } = codec(table, version);
  const bytes = new Uint8Array(VERSION_BYTES + size(message));
  const writer = new ByteWriter(bytes);
  writer.int16(version);
  encode(message, writer);
  return bytes;
}
