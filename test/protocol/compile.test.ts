// What a table's options mean on the wire.
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../src/base/assert.ts';
import { ByteReader, DecodeError } from '../../src/base/byte-reader.ts';
import { ByteWriter } from '../../src/base/byte-writer.ts';
import { describeConfigsRequest } from '../../src/protocol/apis/describe-configs.ts';
import { type FetchRequest, fetchRequest } from '../../src/protocol/apis/fetch.ts';
import { metadataRequest } from '../../src/protocol/apis/metadata.ts';
import { produceRequest } from '../../src/protocol/apis/produce.ts';
import { codec, encodeMessage } from '../../src/protocol/compile.ts';
import {
  array,
  bytes,
  data,
  int16,
  int32,
  int64,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  records,
  response,
  string,
  struct,
  type Table,
} from '../../src/protocol/schema.ts';

const hex = <T extends Table>(table: T, version: number, message: MessageOf<T>): string =>
  Buffer.from(encodeMessage(table, version, message)).toString('hex');
const decode = <T extends Table>(table: T, version: number, text: string): MessageOf<T> =>
  codec(table, version).decode(new ByteReader(Buffer.from(text.replaceAll(' ', ''), 'hex')));

const example = data({
  name: 'Example',
  versions: [0, 2],
  flexibleSince: 1,
  fields: {
    id: int16(),
    added: int32({ since: 1, default: -1 }),
    dropped: string({ until: 0, ignorable: true }),
    name: nullableString({ nullableSince: 1 }),
    list: nullableArray(int16(), { nullableSince: 2 }),
    place: nullableStruct({ x: int16() }, { nullableSince: 2, since: 2, ignorable: true }),
    note: string({ since: 1, tag: 1, ignorable: true }),
    pair: struct({ a: int16({ default: 7 }), b: array(string()) }, { since: 1, tag: 0 }),
  },
});
const plain: MessageOf<typeof example> = {
  id: 1,
  added: -1,
  dropped: '',
  name: 'n',
  list: [2],
  place: null,
  note: '',
  pair: { a: 7, b: [] },
};

describe('versions', () => {
  it('have lengths of fixed size until they are flexible, then varints and tags', () => {
    expect(hex(example, 0, { ...plain, dropped: 'd' })).toBe('0001' + '000164' + '00016e' + '00000001' + '0002');
    expect(hex(example, 1, plain)).toBe('0001' + 'ffffffff' + '026e' + '02' + '0002' + '00');
    expect(hex(example, 2, { ...plain, name: null, list: null, place: { x: 5 } })).toBe(
      '0001' + 'ffffffff' + '00' + '00' + '01' + '0005' + '00' + '00',
    );
    expect(hex(example, 2, { ...plain, place: null })).toBe('0001' + 'ffffffff' + '026e' + '02' + '0002' + 'ff' + '00');
  });

  it('give defaults to what they lack, new ones each time', () => {
    const first = decode(example, 0, '0001 0000 0000 00000000');
    expect(first).toEqual({ ...plain, name: '', list: [] });
    first.pair.b.push('changed');
    expect(decode(example, 0, '0001 0000 0000 00000000').pair.b).toEqual([]);
  });

  it('drop what is ignorable and refuse what is not', () => {
    expect(hex(example, 0, { ...plain, note: 'lost', place: { x: 1 } })).toBe(hex(example, 0, plain));
    expect(hex(example, 1, { ...plain, dropped: 'lost' })).toBe(hex(example, 1, plain));
    expect(() => hex(example, 0, { ...plain, added: 5 })).toThrow(/Example data version 0: added is not in this version/);
    expect(() => hex(example, 0, { ...plain, pair: { a: 8, b: [] } })).toThrow(AssertionError);
    expect(() => hex(example, 0, { ...plain, pair: { a: 7, b: ['x'] } })).toThrow(AssertionError);
  });

  it('refuse null before they know it', () => {
    expect(() => hex(example, 0, { ...plain, name: null })).toThrow(/name may not be null in this version/);
    expect(() => hex(example, 1, { ...plain, list: null })).toThrow(/list may not be null in this version/);
    expect(() => decode(example, 0, '0001 0000 ffff 00000000')).toThrow(DecodeError);
    expect(() => decode(example, 1, '0001 ffffffff 01 00 00')).toThrow(DecodeError);
    expect(() =>
      hex(metadataRequest, 0, {
        topics: null,
        allowAutoTopicCreation: true,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      }),
    ).toThrow(AssertionError);
  });

  it('that a table lacks are our mistake', () => {
    expect(() => codec(example, 3)).toThrow(/Example has versions 0 to 2, not 3/);
    expect(() => codec(produceRequest, 2)).toThrow(AssertionError);
  });

  it('are compiled once', () => {
    expect(codec(example, 1)).toBe(codec(example, 1));
    expect(codec(example, 1)).not.toBe(codec(example, 2));
  });
});

describe('tags', () => {
  it('are sent in order of their numbers, and only where they differ from the default', () => {
    expect(hex(example, 1, { ...plain, note: 'x', pair: { a: 7, b: ['y'] } })).toBe(
      '0001ffffffff026e020002' + '02' + '00' + '06' + '0007' + '02' + '0279' + '00' + '01' + '02' + '0278',
    );
  });

  it('are read in any order, and those of the future are skipped', () => {
    const known = '0001 ffffffff 026e 02 0002';
    expect(decode(example, 1, `${known} 03 01 02 0278 05 03 aabbcc 00 04 0009 01 00`)).toEqual({
      ...plain,
      note: 'x',
      pair: { a: 9, b: [] },
    });
    expect(decode(example, 1, `${known} 01 ffffffff0f 00`)).toEqual(plain);
  });

  it('that are not as long as they say are refused', () => {
    const known = '0001 ffffffff 026e 02 0002';
    expect(() => decode(example, 1, `${known} 01 01 03 0278 00`)).toThrow(/tagged field 1 ends/);
    expect(() => decode(example, 1, `${known} 01 01 01 0278 00`)).toThrow(/tagged field 1 ends/);
    expect(() => decode(example, 1, `${known} 01 09 7f 00`)).toThrow(DecodeError);
    const bytes = Buffer.from(`ff00ff${known} 01 01 01 0278 00`.replaceAll(' ', ''), 'hex');
    expect(() => codec(example, 1).decode(new ByteReader(bytes, 3))).toThrow('tagged field 1 ends at byte 16, not at 15 as it says');
    const wide = data({ name: 'Wide', versions: [0, 0], fields: { id: int16(), place: int64() } });
    const beyond = Buffer.from('ff00ff 0001 7fffffffffffffff'.replaceAll(' ', ''), 'hex');
    expect(() => codec(wide, 0).decode(new ByteReader(beyond, 3))).toThrow('beyond 2^53 at byte 2');
    expect(() => decode(example, 1, `${known} ffffffff0f`)).toThrow(DecodeError);
  });
});

describe('lies about lengths', () => {
  it('cost nothing', () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1000; i++) {
      expect(() => decode(example, 0, '0001 0000 0000 7fffffff')).toThrow(DecodeError);
      expect(() => decode(example, 2, '0001 ffffffff 01 ffffffff0f')).toThrow(DecodeError);
      expect(() => decode(describeConfigsRequest, 4, 'ffffffff0f 00 00')).toThrow(DecodeError);
      expect(() => decode(produceRequest, 9, '00 0001 00000000 ffffffff0f')).toThrow(DecodeError);
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
    expect(() => decode(example, 0, '0001 0000 0000 fffffffe')).toThrow(DecodeError);
    expect(() => decode(example, 0, '0001 0000 0000 ffffffff')).toThrow(DecodeError);
  });
});

describe('record batches', () => {
  const frame = Buffer.from('0000 ffff 00000064 02 026f 02 00000003 05 aabbccdd 00 00 00'.replaceAll(' ', ''), 'hex');

  it('are told by where they lie', () => {
    const message = codec(produceRequest, 9).decode(new ByteReader(Buffer.concat([Buffer.alloc(9), frame]), 10));
    const range = message.topicData[0]?.partitionData[0]?.records;
    expect(range).toEqual({ position: 9 + 17, length: 4 });
  });

  it('are a gap for their owner to fill', () => {
    const table = data({ name: 'Gap', versions: [0, 0], fields: { id: int16(), records: records() } });
    const range = { position: -1, length: 3 };
    const message = { id: 1, records: range };
    const { size, encode } = codec(table, 0);
    expect(size(message)).toBe(9);
    const target = Buffer.alloc(20).fill(0xee);
    encode(message, new ByteWriter(target, 5));
    expect(range).toEqual({ position: 11, length: 3 });
    expect(target.toString('hex', 5, 15)).toBe('000100000003eeeeeeee');
  });

  it.each([['fffffffe'], ['00000001'], ['ffffffff']])('of length %s are refused where there are none', (length) => {
    const table = data({ name: 'Pieces', versions: [0, 0], fields: { records: records() } });
    const copied = data({ name: 'Copies', versions: [0, 0], fields: { records: bytes() } });
    expect(() => decode(table, 0, length)).toThrow(DecodeError);
    expect(() => decode(copied, 0, length)).toThrow(DecodeError);
  });
});

it('a response says as much of a long text as a string holds; elsewhere that is our mistake', () => {
  const fields = { text: nullableString(), after: int16() };
  const answer = response({ name: 'Long', apiKey: 0, versions: [0, 1], flexibleSince: 1, fields });
  for (const version of [0, 1]) {
    const read = codec(answer, version).decode(new ByteReader(encodeMessage(answer, version, { text: '나'.repeat(12_000), after: 5 })));
    expect(read).toEqual({ text: '나'.repeat(10_922), after: 5 });
  }
  const stored = data({ name: 'Long', versions: [0, 0], fields });
  expect(() => encodeMessage(stored, 0, { text: 'a'.repeat(40_000), after: 5 })).toThrow(AssertionError);
});

it('one type serves every version', () => {
  const message: FetchRequest = codec(fetchRequest, 4).decode(
    new ByteReader(
      encodeMessage(fetchRequest, 4, {
        ...decode(fetchRequest, 12, 'ffffffff 00000000 00000000 00000000 00 00000000 ffffffff 01 01 01 00'),
        maxWaitMs: 9,
      }),
    ),
  );
  expect(message).toMatchObject({
    maxWaitMs: 9,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    rackId: '',
    forgottenTopicsData: [],
  });
});
