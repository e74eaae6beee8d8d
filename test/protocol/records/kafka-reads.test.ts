// Apache Kafka's own dump-log reads the batches that we build.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../../src/protocol/records/batch-builder.ts';
import { compressionName } from '../../../src/protocol/records/compression/index.ts';
import { buildControlBatch, CONTROL_TYPE } from '../../../src/protocol/records/control.ts';
import { kafkaTool, kafkaToolMissing } from '../../support/kafka-tools.ts';
import { skipSuite } from '../../support/skip.ts';
import { ferryLines, withoutNative } from './generators.ts';

const TYPES = [0, 1, 2, 3, 4];
const RECORD_COUNT = 40;

/** Headers, nulls, empty fields, falling timestamps and a value of several lz4 blocks. */
function segment(compression: number, isTransactional: boolean): Uint8Array {
  const producer = { producerId: 4000, producerEpoch: 3, isTransactional, leaderEpoch: 1 };
  const data = new BatchBuilder({ compression, baseOffset: 0, baseSequence: 0, ...producer });
  for (let i = 0; i < RECORD_COUNT; i++) {
    data.append({
      key: i % 3 === 0 ? null : Buffer.from(`key-${i}`),
      value: i === 7 ? ferryLines() : i % 5 === 0 ? null : Buffer.from(`value-${i}`),
      headers: i % 2 === 0 ? [] : [{ key: 'ufer', value: Buffer.from('흐') }],
      timestampMs: 1_700_000_000_000 - i * 100_000,
    });
  }
  if (!isTransactional) return data.build();
  const marker = buildControlBatch({ ...producer, baseOffset: RECORD_COUNT }, 1_700_000_000_001, [
    { type: CONTROL_TYPE.COMMIT, value: Uint8Array.of(0, 0, 0, 0, 0, 9) }, // Version 0, coordinator epoch 9.
  ]);
  return Buffer.concat([data.build(), marker]);
}

describe('dump-log reads what we build', () => {
  skipSuite(kafkaToolMissing);
  it('in every codec, every record', () => {
    const folder = mkdtempSync(join(tmpdir(), 'naru-records-'));
    try {
      const files = [...TYPES, ...TYPES].map((type, i) => {
        const isNative = i < TYPES.length;
        const directory = join(folder, `${compressionName(type)}-${isNative ? 'native' : 'portable'}-0`);
        mkdirSync(directory);
        const file = join(directory, '00000000000000000000.log');
        writeFileSync(file, isNative ? segment(type, true) : withoutNative(() => segment(type, false)));
        return file;
      });
      const said = execFileSync(kafkaTool, ['run', 'dump-log', '--files', files.join(','), '--deep-iteration', '--print-data-log'], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      expect(said).not.toMatch(/mismatch|non-consecutive|invalid|exception|isvalid: false/i);
      const parts = said.split('Dumping ').slice(1);
      expect(parts).toHaveLength(files.length);
      parts.forEach((part, i) => {
        const type = TYPES[i % TYPES.length] as number;
        const isTransactional = i < TYPES.length;
        expect(part).toContain(
          `baseOffset: 0 lastOffset: ${RECORD_COUNT - 1} count: ${RECORD_COUNT} baseSequence: 0 lastSequence: ${RECORD_COUNT - 1}`,
        );
        expect(part).toContain('producerId: 4000 producerEpoch: 3 partitionLeaderEpoch: 1');
        expect(part).toContain(`isTransactional: ${isTransactional} isControl: false`);
        expect(part).toContain(`compresscodec: ${compressionName(type)}`);
        for (let record = 0; record < RECORD_COUNT; record++) {
          const line = part.split('\n').find((text) => text.startsWith(`| offset: ${record} `)) ?? '';
          expect(line).toContain(`CreateTime: ${1_700_000_000_000 - record * 100_000} `);
          expect(line.includes('headerKeys: [ufer]')).toBe(record % 2 === 1);
          if (record % 3 !== 0) expect(line).toContain(`key: key-${record}`);
          if (record % 5 !== 0 && record !== 7) expect(line).toMatch(new RegExp(`payload: value-${record}$`));
        }
        expect(part).toContain('payload: line 0 of 0 over the ferry landing');
        expect(part).toContain(`line ${3499 % 97} of 3499 over the ferry landing`);
        if (isTransactional) expect(part).toContain('endTxnMarker: COMMIT coordinatorEpoch: 9');
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
