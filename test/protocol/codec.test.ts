// Every table at every version: what is written is read back, in exactly the size that was told; what is cut off or changed is
// refused by DecodeError alone, and never makes more objects than its bytes can pay for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, DecodeError } from '../../src/base/byte-reader.ts';
import { ByteWriter } from '../../src/base/byte-writer.ts';
import { type Codec, codec } from '../../src/protocol/compile.ts';
import type { Table } from '../../src/protocol/schema.ts';
import { allTables, specName } from '../../tools/schema-parity.ts';
import { arbitraryMessage } from './arbitrary.ts';

const everyCodec = allTables().flatMap((table) =>
  Array.from({ length: table.versions[1] - table.versions[0] + 1 }, (_, i) => {
    const version = table.versions[0] + i;
    return {
      name: `${specName(table)} v${version}`,
      table,
      version,
      codec: codec<Table>(table, version) as Codec<Record<string, unknown>>,
    };
  }),
);

/** In shared memory, with bytes in front and behind that nobody may touch. */
function encode(of: Codec<Record<string, unknown>>, message: Record<string, unknown>): Buffer {
  const size = of.size(message);
  const around = Buffer.from(new SharedArrayBuffer(size + 16)).fill(0xee);
  const writer = new ByteWriter(around, 8);
  of.encode(message, writer);
  expect(writer.position).toBe(8 + size);
  expect([around.readBigUInt64LE(0), around.readBigUInt64LE(8 + size)]).toEqual([0xeeee_eeee_eeee_eeeen, 0xeeee_eeee_eeee_eeeen]);
  return around.subarray(8, 8 + size);
}

/** Ranges of record batches replaced by the bytes that they point at. */
function resolved(value: unknown, frame: Buffer): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, frame));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if ('position' in value && 'length' in value)
    return new Uint8Array(frame.subarray(Number(value.position), Number(value.position) + Number(value.length)));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolved(inner, frame)]));
}

/** Objects, array elements and characters that a decoded message holds. */
function weight(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return 1 + value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + weight(item), 1);
  if (typeof value === 'object' && value !== null) return Object.values(value).reduce((sum: number, item) => sum + weight(item), 1);
  return 1;
}

/** Decodes what may be broken: null where it was refused, and no other way out. */
function decodeHostile(of: Codec<Record<string, unknown>>, frame: Buffer): Record<string, unknown> | null {
  const reader = new ByteReader(frame);
  try {
    const message = of.decode(reader);
    expect(reader.position).toBeLessThanOrEqual(frame.length);
    return message;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return null;
  }
}

describe.each(everyCodec)('$name', ({ table, version, codec: of }) => {
  const messages = arbitraryMessage(table, version);

  it('reads back what it wrote, in the size that it told', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const frame = encode(of, message);
        const reader = new ByteReader(frame);
        expect(resolved(of.decode(reader), frame)).toEqual(message);
        expect(reader.remaining).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it('refuses every beginning of a message', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, seed) => {
        const frame = encode(of, message);
        for (let i = 0; i < 8 && frame.length > 0; i++) {
          const reader = new ByteReader(frame, 0, (seed + i * 7) % frame.length);
          expect(() => of.decode(reader)).toThrow(DecodeError);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('survives changed bytes and noise', () => {
    // The heaviest element for its bytes: a few defaults around one or two bytes.
    const weightMax = (frame: Buffer): number => 100 + 50 * frame.length;
    const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(messages, changes, (message, bytes) => {
        const frame = encode(of, message);
        for (const [at, byte] of bytes) if (frame.length > 0) frame[at % frame.length] = byte;
        expect(weight(decodeHostile(of, frame))).toBeLessThanOrEqual(weightMax(frame));
      }),
      { numRuns: 40 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(weight(decodeHostile(of, Buffer.from(noise)))).toBeLessThanOrEqual(weightMax(Buffer.from(noise)));
      }),
      { numRuns: 40 },
    );
  });
});
