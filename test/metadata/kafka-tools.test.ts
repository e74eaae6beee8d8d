// Apache Kafka's own tools read what we write: dump-log over metadata log, snapshots and bootstrap.checkpoint has no complaint and shows
// every record.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileStorage } from '../../src/log/file-storage.ts';
import { METADATA_DIRECTORY } from '../../src/metadata/bootstrap.ts';
import { allocateProducerIds } from '../../src/metadata/producer-ids.ts';
import { createTopics, deleteTopics } from '../../src/metadata/topics.ts';
import { kafkaTool, kafkaToolMissing } from '../support/kafka-tools.ts';
import { skipSuite } from '../support/skip.ts';
import { format, NODE_ID, TestNode } from './cluster.ts';

interface Line {
  readonly offset: number;
  readonly text: string;
}

describe('dump-log', () => {
  skipSuite(kafkaToolMissing);
  const directory = mkdtempSync(join(tmpdir(), 'naru-metadata-'));
  const output = new Map<string, string>();

  beforeAll(async () => {
    if (kafkaToolMissing !== null) return;
    const storage = new FileStorage();
    format(storage, directory);
    const fresh = join(directory, 'fresh'); // Formatted only: later snapshots take the place of the first one.
    format(storage, fresh);
    for (const seed of [1, 2]) {
      const quorum = { idleIntervalMs: 500, snapshotBytes: 1500 };
      const node = await new TestNode({ storage, logDirectory: directory, seed, quorum }).start();
      await node.advance(1000);
      const topic = { name: `t${seed}`, numPartitions: 2, replicationFactor: 1, assignments: [] };
      const configs = [{ name: 'retention.ms', value: '1000' }];
      await node.submit((image, env) => createTopics(image, { topics: [{ ...topic, configs }], validateOnly: false }, env));
      await node.submit((image) => allocateProducerIds(image, NODE_ID, node.brokerEpoch));
      const gone = { ...topic, name: 'gone', configs: [] };
      await node.submit((image, env) => createTopics(image, { topics: [gone], validateOnly: false }, env));
      await node.submit((image) => deleteTopics(image, { topicNames: ['gone'], topics: [] }));
      node.quorum.stop();
    }
    const metadata = join(directory, METADATA_DIRECTORY);
    const files = readdirSync(metadata).filter((name) => name.endsWith('.log') || name.endsWith('.checkpoint'));
    const first = join(fresh, METADATA_DIRECTORY, '00000000000000000000-0000000000.checkpoint');
    const paths = [join(directory, 'bootstrap.checkpoint'), first, ...files.map((name) => join(metadata, name))];
    const text = execFileSync(kafkaTool, ['run', 'dump-log', '--cluster-metadata-decoder', '--files', paths.join(',')], {
      encoding: 'utf8',
      env: { ...process.env, PEERS_HEAP: '-Xmx128M' },
    });
    for (const part of text.split(/^Dumping /m).slice(1))
      output.set(part.slice(part.lastIndexOf('/', part.indexOf('\n')) + 1, part.indexOf('\n')), part);
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('reads every file without a complaint', () => {
    expect([...output.keys()].filter((name) => name.endsWith('.checkpoint')).length).toBeGreaterThanOrEqual(3);
    for (const [name, text] of output) {
      expect(text, name).not.toMatch(/mismatch|non-consecutive|exception|error|could not|unknown|isvalid: false|skipping/i);
      expect(text, name).toMatch(/isvalid: true/);
    }
  });

  test('sees each record of the log, at consecutive offsets', () => {
    const lines = recordsOf(output.get('00000000000000000000.log') ?? '');
    expect(lines.map((line) => line.offset)).toEqual(lines.map((_, i) => i));
    const types = lines.flatMap(
      (line) => /"type":"(\w+?)(?:_RECORD)?"/.exec(line.text)?.[1] ?? [/(LeaderChange|KRaft\w+)/.exec(line.text)?.[1] ?? '?'],
    );
    expect(types.slice(0, 16)).toEqual([
      ...['LeaderChange', 'KRaftVersion', 'KRaftVoters', 'BEGIN_TRANSACTION'],
      ...Array.from({ length: 6 }, () => 'FEATURE_LEVEL'),
      ...[
        'CONFIG',
        'END_TRANSACTION',
        'REGISTER_CONTROLLER',
        'REGISTER_BROKER',
        'BROKER_REGISTRATION_CHANGE',
        'BROKER_REGISTRATION_CHANGE',
      ],
    ]);
    expect(lines[14]?.text).toMatch(/"version":3,"data":\{"brokerId":1,"brokerEpoch":13,"cordonedLogDirs":\[\]\}/);
    expect(lines[15]?.text).toMatch(/"version":0,"data":\{"brokerId":1,"brokerEpoch":13,"fenced":-1\}/);
    expect(types.filter((type) => type === 'PARTITION_CHANGE')).toHaveLength(2);
    expect(types.filter((type) => type === 'NO_OP').length).toBeGreaterThan(0);
  });

  test('sees the voters in the first snapshot, as Apache Kafka formats it', () => {
    const lines = recordsOf(output.get('00000000000000000000-0000000000.checkpoint') ?? '');
    expect(lines.map((line) => /(Snapshot\w+|KRaft\w+)/.exec(line.text)?.[1])).toEqual([
      'SnapshotHeader',
      'KRaftVersion',
      'KRaftVoters',
      'SnapshotFooter',
    ]);
    expect(lines[2]?.text).toContain(
      '{"version":0,"voters":[{"voterId":1,"voterDirectoryId":"rcLuce-ZQ9O9K3L_zmJGeg","endpoints":[{"name":"CONTROLLER","host":"127.0.0.1","port":29193}],"kRaftVersionFeature":{"minSupportedVersion":0,"maxSupportedVersion":1}}]}',
    );
  });

  test('sees the bootstrap records', () => {
    const lines = recordsOf(output.get('bootstrap.checkpoint') ?? '');
    expect(lines).toHaveLength(8);
    expect(lines.filter((line) => line.text.includes('FEATURE_LEVEL_RECORD'))).toHaveLength(6);
  });
});

function recordsOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\| offset: (\d+) /.exec(line);
    return match === null ? [] : [{ offset: Number(match[1]), text: line }];
  });
}
