// Text and UUIDs in and out of bytes: the same as Buffer's own, however often and after whatever came before.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isAscii, rememberedText, rememberedUuid, utf8Bytes, writeText, writeUuid } from '../../src/base/byte-text.ts';

const shared = Buffer.from(new SharedArrayBuffer(1024));

it('reads text as Buffer does, known or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (bytes, at) => {
      shared.set(bytes, at);
      const expected = Buffer.from(bytes).toString('utf8');
      expect(rememberedText(shared, at, bytes.length)).toBe(expected);
      expect(rememberedText(shared, at, bytes.length)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

it('reads ten thousand different names, each as it is', () => {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 10_000; i++) {
      const name = `topic-${i}`;
      shared.write(name, 3);
      expect(rememberedText(shared, 3, name.length)).toBe(name);
    }
  }
});

it('knows equal bytes from text that only looks like them', () => {
  shared.set([0xe9], 0);
  expect(isAscii('é', shared, 0, 1)).toBe(false);
  expect(isAscii('', shared, 0, 0)).toBe(true);
  shared.write('abc', 0);
  expect([isAscii('abc', shared, 0, 3), isAscii('abd', shared, 0, 3), isAscii('abc', shared, 0, 2)]).toEqual([true, false, false]);
});

it('writes text as Buffer does and knows its size', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ maxLength: 80 }));
  fc.assert(
    fc.property(text, (value) => {
      const expected = Buffer.from(value);
      expect(utf8Bytes(value)).toBe(expected.length);
      shared.fill(0xee);
      expect(writeText(value, shared, 5)).toBe(5 + expected.length);
      expect(shared.subarray(5, 5 + expected.length).equals(expected)).toBe(true);
      expect(shared[5 + expected.length]).toBe(0xee);
    }),
    { numRuns: 500 },
  );
});

it('reads and writes UUIDs as base64url', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const uuid = Buffer.from(bytes).toString('base64url');
      shared.set(bytes, 7);
      expect([rememberedUuid(shared, 7), rememberedUuid(shared, 7)]).toEqual([uuid, uuid]);
      shared.fill(0xee);
      writeUuid(uuid, shared, 9);
      expect(new Uint8Array(shared.subarray(8, 26))).toEqual(Uint8Array.from([0xee, ...bytes, 0xee]));
    }),
    { numRuns: 500 },
  );
  expect(() => writeUuid('short', shared, 0)).toThrow(/no UUID/);
});

it('tells apart UUIDs that differ in a single word', () => {
  for (let word = 0; word < 4; word++) {
    const bytes = Buffer.alloc(16, 0x5a);
    for (let i = 0; i < 5_000; i++) {
      bytes.writeUInt32BE(i, word * 4);
      shared.set(bytes, 1);
      expect(rememberedUuid(shared, 1)).toBe(bytes.toString('base64url'));
    }
  }
});
