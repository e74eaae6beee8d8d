// The price of looking at record batches: checksums by size and implementation, header accessors, checks, records, codecs.
// Run: node bench/micro/records.bench.ts [--short]. Ratios between rows hold; absolute figures drift.
import { Bench } from 'tinybench';
import { readInt64 } from '../../src/base/big-endian.ts';
import { crc32cImplementation, crc32cJavaScript, nativeCrc32cImplementations } from '../../src/base/crc32c.ts';
import {
  BASE_TIMESTAMP_AT,
  checkBatch,
  checkBatchFrame,
  readMaxTimestamp,
  readProducerId,
  readRecordCount,
  writeBaseOffset,
  writeLeaderEpoch,
} from '../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { compress, compressionName, decompress } from '../../src/protocol/records/compression/index.ts';
import { encodeLz4Block, lz4BlockBound } from '../../src/protocol/records/compression/lz4-block.ts';
import { loadNative } from '../../src/protocol/records/compression/native.ts';
import { BoundedOutput } from '../../src/protocol/records/compression/output.ts';
import { decodeSnappyBlock, encodeSnappyBlock } from '../../src/protocol/records/compression/snappy-block.ts';
import { openRecords, validateRecords } from '../../src/protocol/records/records.ts';

const bench = new Bench(process.argv.includes('--short') ? { time: 5, warmupTime: 5 } : { time: 200, warmupTime: 50 });
const slab = Buffer.from(new SharedArrayBuffer(2 << 20));
for (let i = 0; i < slab.length; i++) slab[i] = i * 31 + (i >> 8);

let sink = 0; // What is computed must be used, or it is not computed.

const implementations = nativeCrc32cImplementations();
for (const size of [56, 120, 248, 1024, 1 << 20]) {
  bench.add(`crc32c ${size} B, javascript`, () => {
    sink ^= crc32cJavaScript(slab, 3, 3 + size);
  });
  for (const { name, checksum } of implementations) {
    bench.add(`crc32c ${size} B, ${name}, with the view`, () => {
      sink ^= checksum(slab.subarray(3, 3 + size));
    });
  }
}

const value = Buffer.from('value of a hundred bytes, '.repeat(4)).subarray(0, 100);
const builder = new BatchBuilder({ producerId: 12, producerEpoch: 0, baseSequence: 0 });
for (let i = 0; i < 100; i++) builder.append({ key: value.subarray(0, 8), value, timestampMs: 1_700_000_000_000 + i });
const AT = 1001;
const batch = builder.build();
slab.set(batch, AT);
const view = new DataView(slab.buffer);

bench.add('header: int64 by bytes', () => {
  sink ^= readInt64(slab, AT + BASE_TIMESTAMP_AT);
});
bench.add('header: int64 by a kept DataView', () => {
  sink ^= view.getInt32(AT + BASE_TIMESTAMP_AT) * 2 ** 32 + view.getUint32(AT + BASE_TIMESTAMP_AT + 4);
});
bench.add('header: int64 by Buffer, as bigint', () => {
  sink ^= Number(slab.readBigInt64BE(AT + BASE_TIMESTAMP_AT));
});
bench.add('header: three fields read, two written', () => {
  writeBaseOffset(slab, AT, 1 << 20);
  writeLeaderEpoch(slab, AT, 4);
  sink ^= readMaxTimestamp(slab, AT) ^ readProducerId(slab, AT) ^ readRecordCount(slab, AT);
});
bench.add('check: frame alone', () => {
  sink ^= checkBatchFrame(slab, AT, slab.length - AT);
});
bench.add(`check: all of ${batch.length} B`, () => {
  sink ^= checkBatch(slab, AT, slab.length - AT);
});
bench.add('records: a cursor over 100', () => {
  const cursor = openRecords(slab, AT);
  while (cursor.next()) sink ^= cursor.valuePosition;
});
bench.add('records: 100 validated', () => {
  sink ^= validateRecords(slab, AT).check;
});
bench.add('records: a batch of 100 built', () => {
  const fresh = new BatchBuilder();
  for (let i = 0; i < 100; i++) fresh.append({ value, timestampMs: i });
  sink ^= fresh.build().length;
});

const words = ['naru', 'ferry', 'landing', 'shore', 'river', 'tide', 'boatman', 'toll'];
const text = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `${words[(i * i + (i >> 3)) % 8]} ${i % 613} `).join('')).subarray(
  0,
  1 << 18,
);
for (const type of [1, 2, 3, 4]) {
  const compressed = compress(type, text);
  bench.add(`codec: 256 KiB to ${compressed.length} by ${compressionName(type)}`, () => {
    sink ^= compress(type, text).length;
  });
  bench.add(`codec: and back, by ${compressionName(type)}`, () => {
    sink ^= decompress(type, compressed).length;
  });
}
const snappyRaw = encodeSnappyBlock(text);
bench.add('codec: raw snappy and back, by our own decoder', () => {
  const output = new BoundedOutput('snappy', text.length, text.length);
  decodeSnappyBlock(snappyRaw, 0, snappyRaw.length, output);
  sink ^= output.position;
});
const blockTarget = new Uint8Array(lz4BlockBound(text.length));
bench.add('codec: an lz4 block, by our own encoder', () => {
  sink ^= encodeLz4Block(text, 0, text.length, blockTarget, 0);
});
bench.add('codec: raw snappy, by our own encoder', () => {
  sink ^= encodeSnappyBlock(text).length;
});
const lz4Native = loadNative('lz4-napi', 'uncompressSync');
const lz4Block = loadNative('lz4-napi', 'compressSync')?.(text);
if (lz4Native && lz4Block) {
  bench.add("codec: an lz4 block and back, by the library's own decoder", () => {
    sink ^= lz4Native(lz4Block).length;
  });
}

await bench.run();
console.log(`crc32c by ${crc32cImplementation()}; Node ${process.version}; ${process.arch}`);
for (const task of bench.tasks) {
  const { result } = task;
  if (result.state !== 'completed') throw new Error(`${task.name} ended as ${result.state}`);
  const ns = result.latency.p50 * 1e6;
  console.log(`${ns < 10_000 ? `${ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} µs`}`.padStart(12), task.name);
}
if (sink === 0.5) console.log(sink);
