// The codecs: round trips with and without native libraries, frames of other writers, bad input and bombs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CompressionError,
  compress,
  compressionByName,
  compressionName,
  decompress,
} from '../../../src/protocol/records/compression/index.ts';
import { loadNative } from '../../../src/protocol/records/compression/native.ts';
import { encodeSnappyBlock } from '../../../src/protocol/records/compression/snappy-block.ts';
import { xxHash32 } from '../../../src/protocol/records/compression/xxhash32.ts';
import { compressibleBytes, ferryLines, withoutNative } from './generators.ts';

const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;
const LIMIT = 1 << 20;
const golden = (name: string): Uint8Array => readFileSync(`${import.meta.dirname}/../../golden/records/${name}`);

/** What decompressing comes to with native libraries, and without where that differs: `ok`, or why not. */
function outcome(type: number, bytes: Uint8Array, limitBytes = LIMIT): string {
  const native = outcomeHere(type, bytes, limitBytes);
  const portable = withoutNative(() => outcomeHere(type, bytes, limitBytes));
  return native === portable ? native : `${native}, but ${portable} without native libraries`;
}

/** The two may judge damage differently, as long as they say one of these. */
function expectDocumented(type: number, bytes: Uint8Array, limitBytes: number): void {
  expect(['ok', 'corrupt', 'too-large']).toContain(outcomeHere(type, bytes, limitBytes));
  expect(['ok', 'corrupt', 'too-large']).toContain(withoutNative(() => outcomeHere(type, bytes, limitBytes)));
}

/** Anything but a CompressionError fails the test. */
function outcomeHere(type: number, bytes: Uint8Array, limitBytes: number): string {
  try {
    expect(decompress(type, bytes, limitBytes).length).toBeLessThanOrEqual(limitBytes);
    return 'ok';
  } catch (error) {
    if (error instanceof CompressionError) return error.failure;
    throw error;
  }
}

/** Bytes that no codec makes smaller. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 0x41c64e6d) + 12345;
    return state >>> 16;
  });
}

const SAMPLES: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['one byte', Uint8Array.of(7)],
  ['twelve bytes', new Uint8Array(12)],
  ['text', ferryLines()],
  ['zeros', new Uint8Array(300_000)],
  ['noise', noise(200_000)],
  ['exactly one lz4 block', ferryLines().subarray(0, 65_536)],
  ['one lz4 block and a byte', ferryLines().subarray(0, 65_537)],
  ['shared memory', new Uint8Array(new SharedArrayBuffer(5000)).fill(3)],
];

for (const type of [0, GZIP, SNAPPY, LZ4, ZSTD]) {
  describe(compressionName(type), () => {
    for (const [what, bytes] of SAMPLES) {
      it(`gives back ${what}, with native libraries and without`, () => {
        const native = compress(type, bytes);
        const portable = withoutNative(() => compress(type, bytes));
        for (const compressed of [native, portable, Uint8Array.from([0, ...native]).subarray(1)]) {
          expect(Buffer.compare(decompress(type, compressed, LIMIT), bytes)).toBe(0);
          expect(Buffer.compare(decompress(type, compressed, bytes.length), bytes)).toBe(0);
        }
        const shared = new Uint8Array(new SharedArrayBuffer(native.length));
        shared.set(native);
        expect(Buffer.compare(decompress(type, shared, LIMIT), bytes)).toBe(0);
      });
    }

    it('gives back anything', () => {
      fc.assert(
        fc.property(compressibleBytes, fc.boolean(), (bytes, isNative) => {
          const compressed = isNative ? compress(type, bytes) : withoutNative(() => compress(type, bytes));
          expect(Buffer.compare(decompress(type, compressed, bytes.length), bytes)).toBe(0);
        }),
        { numRuns: 150 },
      );
    });

    it('refuses to make more than the limit', () => {
      for (const bytes of [ferryLines(), noise(100_000), new Uint8Array(500_000)]) {
        const compressed = compress(type, bytes);
        expect(outcome(type, compressed, bytes.length)).toBe('ok');
        for (const limitBytes of [bytes.length - 1, 65_536, 1, 0]) expect(outcome(type, compressed, limitBytes)).toBe('too-large');
      }
    });

    if (type === 0) return;

    it('makes text smaller', () => {
      expect(compress(type, ferryLines()).length).toBeLessThan(ferryLines().length / 3);
      expect(withoutNative(() => compress(type, ferryLines()).length)).toBeLessThan(ferryLines().length / 3);
    });

    it('refuses whatever is cut short', () => {
      const compressed = compress(type, ferryLines().subarray(0, 3000));
      for (let length = 0; length < compressed.length; length++) {
        // A framed snappy stream has no end mark: cut between chunks, it is a shorter one.
        const isWholeChunks = type === SNAPPY && length === 16;
        if (!isWholeChunks) expect(outcome(type, compressed.subarray(0, length)), `${length} bytes`).toBe('corrupt');
      }
    });

    it('survives bytes changed anywhere', () => {
      const compressed = compress(type, ferryLines().subarray(0, 20_000));
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 }), (changes) => {
          const changed = compressed.slice();
          for (const [at, byte] of changes) changed[at % changed.length] = byte;
          expectDocumented(type, changed, 40_000);
        }),
        { numRuns: 500 },
      );
    });

    it('survives bytes of anything', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          expectDocumented(type, bytes, LIMIT);
        }),
      );
    });
  });
}

describe('codec names', () => {
  it('are those of compression.type', () => {
    expect([0, 1, 2, 3, 4, 5].map(compressionName)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd', 'unknown(5)']);
    expect(['none', 'gzip', 'snappy', 'lz4', 'zstd', 'brotli'].map(compressionByName)).toEqual([0, 1, 2, 3, 4, -1]);
    for (const type of [5, 6, 7, -1]) expect(outcome(type, new Uint8Array(3))).toBe('unknown');
  });
});

describe('gzip and zstd', () => {
  it('are read in several members', () => {
    const [a, b] = [Buffer.from('one shore '), Buffer.from('and the other')];
    expect(Buffer.from(decompress(GZIP, Buffer.concat([gzipSync(a), gzipSync(b)]))).toString()).toBe('one shore and the other');
    expect(Buffer.from(decompress(ZSTD, Buffer.concat([zstdCompressSync(a), zstdCompressSync(b)]))).toString()).toBe(
      'one shore and the other',
    );
  });

  it('do not inflate a bomb', () => {
    const zeros = new Uint8Array(200_000_000);
    const bombs = [compress(GZIP, zeros), compress(ZSTD, zeros)] as const;
    expect(bombs[1].length).toBeLessThan(20_000);
    const before = process.memoryUsage().arrayBuffers;
    expect(outcome(GZIP, bombs[0])).toBe('too-large');
    expect(outcome(ZSTD, bombs[1])).toBe('too-large');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });
});

describe('xxhash', () => {
  it('is that of the specification', () => {
    const hash = (text: string): number => xxHash32(new TextEncoder().encode(`.${text}`), 1, text.length + 1);
    expect(hash('')).toBe(0x02cc5d05);
    expect(hash('abc')).toBe(0x32d153ff);
    expect(hash('Nobody inspects the spammish repetition')).toBe(0xe2293b2f);
  });
});

describe('lz4 frames', () => {
  it('are written as Java writes them: independent blocks of 64 KiB, a header checksum only', () => {
    for (const frame of [compress(LZ4, ferryLines()), withoutNative(() => compress(LZ4, ferryLines()))]) {
      expect(Buffer.from(frame.subarray(0, 7)).toString('hex')).toBe('04224d18604082');
      expect([...frame.subarray(-4)]).toEqual([0, 0, 0, 0]);
    }
    expect(Buffer.from(compress(LZ4, new Uint8Array(0))).toString('hex')).toBe('04224d1860408200000000');
  });

  it('are read by the native library as by us', () => {
    const require = createRequire(import.meta.url);
    const native: { decompressFrameSync(frame: Buffer): Buffer } | null = loadNative('lz4-napi', 'compressSync') && require('lz4-napi');
    if (native === null) return;
    for (const bytes of [ferryLines(), noise(70_000), new Uint8Array(300_000)]) {
      for (const frame of [compress(LZ4, bytes), withoutNative(() => compress(LZ4, bytes))]) {
        expect(Buffer.compare(native.decompressFrameSync(Buffer.from(frame)), bytes)).toBe(0);
      }
    }
  });

  for (const name of ['cli-block-checksums', 'cli-large-blocks', 'cli-linked-content-size']) {
    it(`are read with flags that Kafka's clients leave out: ${name}`, () => {
      expect(Buffer.compare(decompress(LZ4, golden(`${name}.lz4`)), ferryLines())).toBe(0);
    });
  }

  it('are refused where a checksum does not match', () => {
    const frame = golden('cli-block-checksums.lz4').slice();
    const blockBytes = Buffer.from(frame).readUInt32LE(7);
    const changed = (at: number): Uint8Array => Uint8Array.from(frame, (byte, i) => (i === at ? byte ^ 0x10 : byte));
    expect(outcome(LZ4, changed(6))).toBe('corrupt'); // The header's.
    expect(outcome(LZ4, changed(11 + blockBytes))).toBe('corrupt'); // The first block's.
    expect(outcome(LZ4, changed(frame.length - 1))).toBe('corrupt'); // The content's.
    expect(outcome(LZ4, changed(20))).toBe('corrupt'); // A literal.
    expect(outcome(LZ4, frame)).toBe('ok');
  });

  it('do not believe the content size', () => {
    const frame = golden('cli-linked-content-size.lz4').slice();
    frame.fill(0xff, 6, 14);
    frame[14] = xxHash32(frame, 4, 14) >>> 8;
    expect(Buffer.compare(decompress(LZ4, frame), ferryLines())).toBe(0);
  });

  it('are bounded block by block', () => {
    const zeros = compress(LZ4, new Uint8Array(50_000_000));
    expect(zeros.length).toBeLessThan(300_000);
    const before = process.memoryUsage().arrayBuffers;
    expect(outcome(LZ4, zeros)).toBe('too-large');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    // One block that says it is of 64 KiB at most and makes 16 MB: literal "a", then a repeat of 255 × 65,536 from 1 back.
    const block = [0x1f, 0x61, 1, 0, ...new Array<number>(65_000).fill(255), 0, 0x50, 0, 0, 0, 0, 0];
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const frame = Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, Buffer.from(block), Buffer.alloc(4)]);
    expect(outcome(LZ4, frame, 100_000_000)).toBe('corrupt');
  });
});

describe('snappy', () => {
  const XERIAL = Buffer.from('82534e41505059000000000100000001', 'hex');
  const chunk = (bytes: Uint8Array): Buffer => {
    const size = Buffer.alloc(4);
    size.writeInt32BE(bytes.length);
    return Buffer.concat([size, bytes]);
  };

  it('is written in chunks of 32 KiB as Java frames them', () => {
    const written = Buffer.from(compress(SNAPPY, ferryLines()));
    expect(written.subarray(0, 16).equals(XERIAL)).toBe(true);
    const sizes: number[] = [];
    for (let at = 16; at < written.length; at += 4 + written.readInt32BE(at)) {
      const block = written.subarray(at + 4, at + 4 + written.readInt32BE(at));
      sizes.push(decompress(SNAPPY, block).length); // Each chunk is raw snappy by itself.
    }
    expect(sizes).toEqual([32_768, 32_768, 32_768, 32_768, ferryLines().length - 4 * 32_768]);
  });

  it('is read raw, and with headers where streams were joined', () => {
    const text = Buffer.from('one shore and the other');
    const raw = encodeSnappyBlock(text);
    expect(Buffer.from(decompress(SNAPPY, raw)).toString()).toBe(text.toString());
    const joined = Buffer.concat([XERIAL, chunk(raw), XERIAL, chunk(raw), chunk(raw)]);
    expect(Buffer.from(decompress(SNAPPY, joined)).toString()).toBe(text.toString().repeat(3));
    expect(outcome(SNAPPY, XERIAL)).toBe('ok'); // Java's empty stream.
    expect(outcome(SNAPPY, Buffer.concat([XERIAL, Buffer.from([0xff, 0xff, 0xff, 0xff])]))).toBe('corrupt');
  });

  it('is understood in every form of literal and copy', () => {
    const decoded = (...bytes: number[]): string => Buffer.from(decompress(SNAPPY, Uint8Array.from(bytes))).toString();
    expect(decoded(9, 0x08, 97, 98, 99, 0x09, 3)).toBe('abcabcabc'); // A copy with one byte of distance: 6 from 3 back.
    expect(decoded(5, 0x00, 97, 0x0e, 1, 0)).toBe('aaaaa'); // Two bytes of distance: 4 from 1 back.
    expect(decoded(5, 0x00, 97, 0x0f, 1, 0, 0, 0)).toBe('aaaaa'); // Four.
    expect(decoded(3, 0xf0, 2, 97, 98, 99)).toBe('abc'); // A literal whose length takes one byte more,
    expect(decoded(3, 0xfc, 2, 0, 0, 0, 97, 98, 99)).toBe('abc'); // and four.
  });

  it('is read by the native library as by us', () => {
    const native = loadNative('snappy', 'uncompressSync');
    if (native === null) return;
    for (const bytes of [ferryLines(), noise(100_000), new Uint8Array(300_000)]) {
      expect(Buffer.compare(native(encodeSnappyBlock(bytes)), bytes)).toBe(0);
    }
  });

  it('reserves nothing for a length that its bytes cannot make', () => {
    expect(outcome(SNAPPY, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 97), 2 ** 31)).toBe('corrupt');
    expect(outcome(SNAPPY, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x0f), 2 ** 31)).toBe('corrupt');
    expect(outcome(SNAPPY, Uint8Array.of(2, 0x00, 97))).toBe('corrupt'); // Shorter than announced.
    expect(outcome(SNAPPY, Uint8Array.of(1, 0x04, 97, 98))).toBe('corrupt'); // Longer.
    expect(outcome(SNAPPY, Uint8Array.of(4, 0x0d, 1))).toBe('corrupt'); // A copy with nothing before it.
  });
});
