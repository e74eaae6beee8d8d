// The protocol's primitive types against their definitions, and every lie about a length.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../src/base/assert.ts';
import { ByteReader, DecodeError } from '../../src/base/byte-reader.ts';
import { ByteWriter, compactStringBytes, fittingText, stringBytes, uvarintBytes } from '../../src/base/byte-writer.ts';

/** Written to shared memory by `write`: the bytes, in hexadecimal. */
function written(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(Buffer.from(new SharedArrayBuffer(100_000)));
  write(writer);
  return writer.bytes.toString('hex', 0, writer.position);
}

const reader = (hex: string): ByteReader => new ByteReader(Buffer.from(hex, 'hex'));

describe('numbers', () => {
  it.each([
    ['int8', -2, 'fe'],
    ['int16', -2, 'fffe'],
    ['uint16', 0xfffe, 'fffe'],
    ['int32', -2, 'fffffffe'],
    ['uint32', 0xfffffffe, 'fffffffe'],
    ['int64', -2, 'fffffffffffffffe'],
    ['int64', Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    ['int64', -Number.MAX_SAFE_INTEGER, 'ffe0000000000001'],
    ['int64', 2 ** 32, '0000000100000000'],
    ['int64Rounded', 2 ** 63, '7fffffffffffffff'],
    ['int64Rounded', -(2 ** 63), '8000000000000000'],
    ['float64', -0.5, 'bfe0000000000000'],
    ['uvarint', 0, '00'],
    ['uvarint', 127, '7f'],
    ['uvarint', 128, '8001'],
    ['uvarint', 300, 'ac02'],
    ['uvarint', 0xffffffff, 'ffffffff0f'],
  ] as const)('%s %d is %s', (type, value, hex) => {
    expect(written((writer) => writer[type](value))).toBe(hex);
    expect(reader(hex)[type]()).toBe(value);
  });

  it('keeps every digit of an opaque int64', () => {
    expect(written((writer) => writer.int64Opaque(2n ** 63n - 1n))).toBe('7fffffffffffffff');
    expect(reader('8000000000000001').int64Opaque()).toBe(-(2n ** 63n) + 1n);
  });

  it('agrees with bigint on every safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const hex = BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0');
        expect(written((writer) => writer.int64(value))).toBe(hex);
        expect([reader(hex).int64(), reader(hex).int64Rounded()]).toEqual([value, value]);
      }),
    );
  });

  it('tells the size of a varint', () => {
    for (let bits = 0; bits < 32; bits++) {
      for (const value of [2 ** bits - 1, 2 ** bits]) {
        expect(uvarintBytes(value), `${value}`).toBe(written((writer) => writer.uvarint(value)).length / 2);
      }
    }
  });

  it.each([['0020000000000000'], ['7fffffffffffffff'], ['8000000000000000'], ['ffe0000000000000']])('refuses the int64 %s', (hex) => {
    expect(() => reader(hex).int64()).toThrow(DecodeError);
    expect(reader(hex).int64Rounded()).toBe(Number(BigInt.asIntN(64, BigInt(`0x${hex}`))));
  });

  it('does not write what an int64 cannot hold', () => {
    expect(() => written((writer) => writer.int64(2 ** 53))).toThrow(AssertionError);
    expect(() => written((writer) => writer.int64(0.5))).toThrow(AssertionError);
  });

  it.each([['ffffffffff'], ['ffffffff1f'], ['8080808080'], ['80'], ['']])('refuses the varint %s', (hex) => {
    expect(() => reader(hex).uvarint()).toThrow(DecodeError);
  });
});

describe('text', () => {
  it.each([
    ['string', 'naru', '00046e617275'],
    ['string', '', '0000'],
    ['compactString', 'naru', '056e617275'],
    ['compactString', '나루', '07eb8298eba3a8'],
    ['nullableString', null, 'ffff'],
    ['compactNullableString', null, '00'],
    ['compactNullableString', '', '01'],
  ] as const)('%s %j is %s', (type, value, hex) => {
    expect(written((writer) => (value === null ? writer[type as 'nullableString'](value) : writer[type](value)))).toBe(hex);
    expect(reader(hex)[type]()).toBe(value);
  });

  it.each([
    ['string', 'ffff'],
    ['string', 'fffe'],
    ['string', '000261'],
    ['nullableString', 'fffe'],
    ['compactString', '00'],
    ['compactString', '0361'],
    ['compactNullableString', 'ffffffff0f61'],
  ] as const)('refuses the %s %s', (type, hex) => {
    expect(() => reader(hex)[type]()).toThrow(DecodeError);
  });

  it('stops at 32767 bytes', () => {
    const longest = 'a'.repeat(32767);
    const frame = written((writer) => writer.compactString(longest));
    expect(reader(frame).compactString()).toBe(longest);
    expect(() => written((writer) => writer.compactString(`${longest}a`))).toThrow(AssertionError);
    expect(() => written((writer) => writer.string(`${longest}a`))).toThrow(AssertionError);
    expect(() => reader(`818002${'61'.repeat(32768)}`).compactString()).toThrow(DecodeError);
  });

  it('refuses noise that would be too long as text', () => {
    expect(reader(`2aaa${'ff'.repeat(10922)}`).string()).toBe('\ufffd'.repeat(10922));
    expect(() => reader(`2aab${'ff'.repeat(10923)}`).string()).toThrow(DecodeError);
  });

  it('cuts what does not fit behind a whole character', () => {
    expect(fittingText('short')).toBe('short');
    expect(fittingText('a'.repeat(32768))).toBe('a'.repeat(32767));
    expect(fittingText('나'.repeat(20_000))).toBe('나'.repeat(10922));
    expect(fittingText('나'.repeat(10922))).toBe('나'.repeat(10922));
  });

  it('tells its size', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
        expect(stringBytes(value)).toBe(written((writer) => writer.string(value)).length / 2);
        expect(compactStringBytes(value)).toBe(written((writer) => writer.compactString(value)).length / 2);
      }),
    );
  });
});

describe('limits', () => {
  it('sees nothing behind its limit, though there are bytes', () => {
    const within = new ByteReader(Buffer.from('0102030405060708', 'hex'), 2, 4);
    expect(within.int16()).toBe(0x0304);
    for (const type of ['int8', 'bool', 'int16', 'int32', 'int64', 'float64', 'uvarint', 'uuid', 'int64Opaque'] as const) {
      expect(() => within[type](), type).toThrow(DecodeError);
    }
    expect(() => within.take(-1)).toThrow(DecodeError);
    expect(within.remaining).toBe(0);
  });

  it('believes a count only when the bytes can hold it', () => {
    const four = (): ByteReader => reader('00000000');
    expect(four().count(4, 1)).toBe(4);
    for (const [count, elementBytes] of [
      [5, 1],
      [2, 3],
      [-1, 1],
      [2 ** 31 - 1, 4],
    ] as const) {
      expect(() => four().count(count, elementBytes)).toThrow(DecodeError);
    }
  });

  it('skips tags of any kind and refuses those that are too long', () => {
    const known = reader('0205021122ff7f01aa55');
    known.skipTags();
    expect(known.int8()).toBe(0x55);
    expect(() => reader('01050311').skipTags()).toThrow(DecodeError);
    expect(() => reader('ffffffff0f').skipTags()).toThrow(DecodeError);
  });

  it('tells where, counted from where it began and not from where its bytes lie in memory', () => {
    const memory = Buffer.alloc(1000);
    const at = (hex: string): ByteReader => {
      const bytes = Buffer.from(hex, 'hex');
      bytes.copy(memory, 900);
      return new ByteReader(memory).reset(memory, 900, 900 + bytes.length);
    };
    expect(() => at('00000000').int64()).toThrow('8 bytes wanted at byte 0, 4 left');
    expect(() => at('fffe').string()).toThrow('a string of length -2 before byte 2');
    expect(() => at('000000000fff').count(7, 1)).toThrow('an array of 7 elements before byte 0, 6 bytes left');
    expect(() => at('ffffffffff').uvarint()).toThrow('a varint that does not end at byte 5');
    const second = at('007fffffffffffffff');
    second.int8();
    expect(() => second.int64()).toThrow('beyond 2^53 at byte 1');
  });

  it('hands out copies that outlive the frame', () => {
    const frame = Buffer.from('0102', 'hex');
    const copy = new ByteReader(frame).copyBytes(2);
    frame.fill(0);
    expect([...copy]).toEqual([1, 2]);
    expect(() => reader('01').copyBytes(2)).toThrow(DecodeError);
    expect(() => reader('01').copyBytes(-1)).toThrow(DecodeError);
  });
});
