// Gives the codec of a table at a version: size, encode and decode, compiled to straight code at first use and kept.
// Invariant: encode writes exactly size() bytes; decode allocates no more than a constant times the bytes it was given.
// Pure. The code itself is written by codec-source.ts. Decoding with closures over the fields took 250 and 490 ns for a produce and a
// fetch of one partition where this takes 120 and 130 (bench/micro/codec.bench.ts).
import { assert, unreachable } from '../base/assert.ts';
import { readInt16, readInt32, readInt64, writeInt16, writeInt32 } from '../base/big-endian.ts';
import { type ByteReader, DecodeError, safeInt64 } from '../base/byte-reader.ts';
import { rememberedUuid, writeUuid } from '../base/byte-text.ts';
import {
  ByteWriter,
  compactStringBytes,
  fittingText,
  stringBytes,
  uvarintBytes,
  writeRoundedInt64,
  writeSafeInt64,
} from '../base/byte-writer.ts';
import { codecSource } from './codec-source.ts';
import type { MessageOf, Table } from './schema.ts';

export interface Codec<T> {
  readonly isFlexible: boolean;
  /** Bytes that encode will write. Throws AssertionError where the version cannot carry a value that the table does not call ignorable. */
  size(message: T): number;
  /** Writes a message that size has passed, at the writer's position. Text in responses is cut to what a string holds. */
  encode(message: T, writer: ByteWriter): void;
  /** Reads from the reader's position and leaves it behind the message. Throws DecodeError. Unknown tagged fields are skipped. */
  decode(reader: ByteReader): T;
}

/** What generated code may call. */
const helpers = {
  NO_BYTES: new Uint8Array(0),
  compactStringBytes,
  failTag,
  fittingText,
  listFor,
  readInt16,
  readInt32,
  readInt64,
  refuse: unreachable,
  rememberedUuid,
  safeInt64,
  stringBytes,
  uvarintBytes,
  writeInt16,
  writeInt32,
  writeRoundedInt64,
  writeSafeInt64,
  writeUuid,
};

/**
 * Lists up to this length get their room at once. One that grows by `push` has room for 17 after the first: 176 bytes, where a list of one
 * takes 56 (V8 14.6). From some ten million on, an array that is made with a length is a hash table.
 */
const LIST_ROOM_MAX = 1024;

const compiled = new WeakMap<Table, Codec<unknown>[]>();

/** The codec of a table at one of its versions. Throws AssertionError at any other. */
export function codec<T extends Table>(table: T, version: number): Codec<MessageOf<T>> {
  const found = compiled.get(table)?.[version];
  return (found ?? compile(table, version)) as Codec<MessageOf<T>>;
}

function compile(table: Table, version: number): Codec<unknown> {
  const [first, last] = table.versions;
  assert(version >= first && version <= last, `${table.name} has versions ${first} to ${last}, not ${version}`);
  const versions = compiled.get(table) ?? [];
  compiled.set(table, versions);
  const source = codecSource(table, version);
  const made = new Function(...Object.keys(helpers), source)(...Object.values(helpers)) as Codec<unknown>;
  versions[version] = made;
  return made;
}

/** The message as bytes of its own. */
export function encodeMessage<T extends Table>(table: T, version: number, message: MessageOf<T>): Uint8Array {
  const { size, encode } = codec(table, version);
  const writer = new ByteWriter(Buffer.allocUnsafe(size(message)));
  encode(message, writer);
  assert(writer.position === writer.bytes.length, `${table.name} took ${writer.position} bytes, ${writer.bytes.length} were reserved`);
  return writer.bytes;
}

/** For `count` elements, as many as their sender says: where that is much, it grows as they come. */
function listFor(count: number): unknown[] {
  return count === 0 || count > LIST_ROOM_MAX ? [] : new Array(count);
}

function failTag(tag: number, end: number, { position, begin }: ByteReader): never {
  throw new DecodeError(`tagged field ${tag} ends at byte ${position - begin}, not at ${end - begin} as it says`);
}
