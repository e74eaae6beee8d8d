// Metadata records in their frames: each type and version comes back as it was, Kafka's own bytes stay the same, strangers are refused.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/base/byte-reader.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
  newestRecordVersion,
} from '../../src/metadata/metadata-records.ts';
import * as tables from '../../src/metadata/record-tables.ts';
import { batchSizeBytes, isControl } from '../../src/protocol/records/batch.ts';
import { openRecords } from '../../src/protocol/records/records.ts';
import { arbitraryMessage } from '../protocol/arbitrary.ts';

const everyVersion = Object.values(tables).flatMap((table) =>
  Array.from({ length: table.versions[1] + 1 }, (_, version) => ({ name: `${table.name} v${version}`, table, version })),
);

it.each(everyVersion)('$name comes back as it was', ({ table, version }) => {
  fc.assert(
    fc.property(arbitraryMessage(table, version), (fields) => {
      const record = { type: table.name, ...fields } as MetadataRecord;
      const value = encodeMetadataRecord(record, version);
      expect([value[0], value[1], value[2]]).toEqual([1, table.apiKey, version]);
      expect(decodeMetadataRecord(value)).toEqual(record);
    }),
    { numRuns: 20 },
  );
});

it('is written at its newest version where none is named', () => {
  const topic: MetadataRecord = { type: 'TopicRecord', name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
  expect(Buffer.from(encodeMetadataRecord(topic)).toString('hex')).toBe('010200076f72646572730000000000000000000000000000000100');
  expect([newestRecordVersion('TopicRecord'), newestRecordVersion('RegisterBrokerRecord'), newestRecordVersion('PartitionRecord')]).toEqual(
    [0, 4, 2],
  );
});

describe('what Kafka wrote', () => {
  const log = readFileSync(join(import.meta.dirname, '../golden/records/kraft-first-batches.bin'));

  it('is read and written as the same bytes', () => {
    const seen: string[] = [];
    for (let position = 0; position < log.length; position += batchSizeBytes(log, position)) {
      if (isControl(log, position)) continue;
      const cursor = openRecords(log, position);
      while (cursor.next()) {
        const value = cursor.copyValue() ?? expect.fail('a record without a value');
        const record = decodeMetadataRecord(value);
        seen.push(record.type === 'FeatureLevelRecord' ? `${record.name} ${record.featureLevel}` : record.type);
        expect(Buffer.from(encodeMetadataRecord(record, value[2])).equals(value)).toBe(true);
      }
    }
    expect(seen).toContain('metadata.version 30');
    expect(seen.length).toBeGreaterThanOrEqual(6);
  });
});

it.each([
  ['an unknown frame version', '02020001'],
  ['an unknown type', '015500'],
  ['an unknown version', '010201'],
  ['bytes behind it', '01140000ff'],
  ['nothing at all', ''],
  ['its end missing', '01020007'],
])('a record with %s is refused', (_what, hex) => {
  expect(() => decodeMetadataRecord(Buffer.from(hex, 'hex'))).toThrow(DecodeError);
});
