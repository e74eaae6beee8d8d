// A directory that a newer version has had: what is of a kind that this one does not know refuses the start, with one line that names it, and no
// record is changed, so that the newer version can go on.
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { encodeMetadataRecord, type MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { batchPositions, lastOffset, readLeaderEpoch } from '../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const METADATA_LOG = join('__cluster_metadata-0', '00000000000000000000.log');
/** A frame of version 1, then type and version of the record, both varints; no fields. */
const UNKNOWN_TYPE = Uint8Array.of(1, 0x7f, 0);
const TOPIC_RECORD_OF_VERSION_9 = Uint8Array.of(1, 2, 9);

const base = mkdtempSync(join(tmpdir(), 'naru-newer-'));
const left = join(base, 'left');
const tried = join(base, 'tried');

beforeAll(async () => {
  const broker = await BrokerProcess.start({ workers: 1, directory: left });
  const client = await WireClient.connect(broker.port);
  await client.createTopic('kept');
  expect(await client.produce('kept', 0, labelled('kept', 0, 3))).toMatchObject({ errorCode: 0 });
  client.close();
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
});

afterEach(() => rmSync(tried, { recursive: true, force: true }));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function feature(name: string, featureLevel: number): Uint8Array {
  return encodeMetadataRecord({ type: 'FeatureLevelRecord', name, featureLevel } satisfies MetadataRecord);
}

function appendMetadata(value: Uint8Array): void {
  const path = join(tried, METADATA_LOG);
  const log = readFileSync(path);
  const last = [...batchPositions(log)].at(-1) ?? 0;
  const place = { baseOffset: lastOffset(log, last) + 1, leaderEpoch: readLeaderEpoch(log, last) };
  appendFileSync(path, new BatchBuilder(place).append({ value, timestampMs: Date.now() }).build());
}

/**
 * Every file but what is made anew from a log when it is opened, and but the lock and the mark of a clean stop: whoever has tried to start has
 * taken that, and the next start looks at the logs.
 */
function contents(): Map<string, string> {
  const isMade = (name: string): boolean => /^\.|\.(index|timeindex|snapshot)$/.test(name);
  const files = readdirSync(tried, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !isMade(entry.name));
  return new Map(files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path, readFileSync(path, 'latin1')]));
}

it.each([
  ['a record of an unknown type', UNKNOWN_TYPE, 'metadata record of unknown type 127'],
  ['a known record in an unknown version', TOPIC_RECORD_OF_VERSION_9, 'TopicRecord with unknown version 9'],
  [
    'a metadata.version that was raised',
    feature('metadata.version', 31),
    'metadata.version is at level 31; this version of Naru can work with 7 to 30',
  ],
  [
    'a metadata.version of before 3.3',
    feature('metadata.version', 6),
    'metadata.version is at level 6; this version of Naru can work with 7 to 30',
  ],
  [
    'another feature that was raised',
    feature('group.version', 2),
    'group.version is at level 2; this version of Naru can work with 0 to 1',
  ],
  ['a feature that is new', feature('new.version', 1), 'the feature new.version is at level 1, and is unknown to this version of Naru'],
])('a start on %s is refused, and changes no record', async (_what, value, reason) => {
  cpSync(left, tried, { recursive: true });
  appendMetadata(value);
  const before = contents();
  for (let start = 0; start < 2; start++) {
    const broker = await BrokerProcess.launch({ workers: 1, directory: tried });
    expect(await broker.exit).toEqual({ code: 1, signal: null });
    expect(broker.failureLines).toHaveLength(1);
    expect(broker.failureLines[0]).toContain(reason);
    expect(contents()).toEqual(before);
  }
});

it('a start on the same directory without it finds everything', async () => {
  cpSync(left, tried, { recursive: true });
  appendMetadata(feature('group.version', 1));
  const broker = await BrokerProcess.start({ workers: 1, directory: tried });
  const client = await WireClient.connect(broker.port);
  expect(labels(await client.readAll('kept'))).toEqual(range('kept', 0, 3));
  client.close();
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
});
