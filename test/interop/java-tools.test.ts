// Apache Kafka's own command line tools, which are its Java clients: topics, producers, consumers, offsets. Each run is a JVM.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { advertisedRanges } from '../../src/broker/handler-table.ts';
import { type ProgramOptions, type ProgramResult, runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { kafkaTools, TOOL_ENVIRONMENT } from './toolchains.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
/** A refusal that comes after this long was none: the client waited. */
const AT_ONCE_MS = 10_000;

describeSubjects("Kafka's tools", { tool: kafkaTools }, (subject, program) => {
  /** Runs a tool with whatever exit code. */
  async function run(tool: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult & { tookMs: number }> {
    const startedMs = performance.now();
    const result = await runProgram(program(), ['run', tool, ...args], { environment: TOOL_ENVIRONMENT, ...options });
    return { ...result, tookMs: performance.now() - startedMs };
  }

  /** Runs a tool that takes --bootstrap-server and must succeed without a complaint; gives its lines. */
  async function lines(tool: string, args: readonly string[], options: ProgramOptions = {}): Promise<string[]> {
    const result = await run(tool, ['--bootstrap-server', subject.address, ...args], options);
    expect(result.code, result.story).toBe(0);
    expect(result.err, result.story).not.toMatch(/exception|error|WARN/i);
    return result.out.split('\n').filter((line) => line !== '');
  }

  async function createTopic(label: string, partitions: number): Promise<string> {
    const topic = subject.newTopic(label);
    expect(await lines('topics', ['--create', '--topic', topic, '--partitions', String(partitions)])).toEqual([`Created topic ${topic}.`]);
    return topic;
  }

  /** Offset by partition; a partition that has none for this time is left out, as the tool does. */
  async function offsets(topic: string, time: number | string): Promise<Record<string, number>> {
    const found = await lines('get-offsets', ['--topic', topic, '--time', String(time)]);
    return Object.fromEntries(found.map((line) => [line.split(':')[1], Number(line.split(':')[2])]));
  }

  async function consume(topic: string, offset: string, count: number, isolation = 'read_uncommitted'): Promise<string[]> {
    const from = ['--topic', topic, '--partition', '0', '--offset', offset, '--isolation-level', isolation];
    const bounds = ['--max-messages', String(count), '--timeout-ms', '20000'];
    const print = ['print.offset=true', 'print.timestamp=true'].flatMap((property) => ['--formatter-property', property]);
    const result = await run('console-consumer', ['--bootstrap-server', subject.address, ...from, ...bounds, ...print]);
    expect(result.code, result.story).toBe(0);
    expect(result.err, result.story).toBe(`Processed a total of ${count} messages\n`);
    return result.out.trimEnd().split('\n');
  }

  test('topics: create, list, describe, delete', async () => {
    const topic = subject.newTopic('topics');
    const create = ['--create', '--topic', topic, '--partitions', '3', '--replication-factor', '1', '--config', 'segment.bytes=1048576'];
    await lines('topics', create);
    expect(await lines('topics', ['--list'])).toContain(topic);
    const [head, ...partitions] = await lines('topics', ['--describe', '--topic', topic]);
    expect(head).toMatch(/\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: (.*,)?segment\.bytes=1048576/);
    expect(partitions.map((line) => line.trim())).toEqual(
      [0, 1, 2].map((partition) => expect.stringMatching(`^Topic: ${topic}\tPartition: ${partition}\tLeader: 1\tReplicas: 1\tIsr: 1\t`)),
    );
    const again = await run('topics', ['--bootstrap-server', subject.address, ...create]);
    expect(again.story).toContain(`Topic '${topic}' already exists`);
    expect(again.code).toBe(1);
    await lines('topics', ['--delete', '--topic', topic]);
    expect(await lines('topics', ['--list'])).not.toContain(topic);
  });

  test('topics: more partitions; delete-records: fewer records', async () => {
    const topic = await createTopic('bounds', 2);
    await lines('topics', ['--alter', '--topic', topic, '--partitions', '4']);
    const [head] = await lines('topics', ['--describe', '--topic', topic]);
    expect(head).toMatch(/\tPartitionCount: 4\t/);
    const fewer = await run('topics', ['--bootstrap-server', subject.address, '--alter', '--topic', topic, '--partitions', '3']);
    expect(fewer.story).toContain(`The topic ${topic} currently has 4 partition(s); 3 would not be an increase.`);
    expect(fewer.code).toBe(1);
    const properties = ['--command-property', 'acks=all'];
    const load = ['--topic', topic, '--num-records', '4000', '--record-size', '50', '--throughput', '-1', ...properties];
    await lines('producer-perf', load);
    const ends = await offsets(topic, -1);
    expect(Object.values(ends).reduce((sum, end) => sum + end)).toBe(4000);
    const middle = Math.floor((ends[0] ?? 0) / 2);
    const partitions = [
      { topic, partition: 0, offset: middle },
      { topic, partition: 1, offset: -1 },
      { topic, partition: 2, offset: (ends[2] ?? 0) + 1 },
    ];
    const folder = mkdtempSync(join(tmpdir(), 'naru-offsets-'));
    const file = join(folder, 'offsets.json');
    writeFileSync(file, JSON.stringify({ partitions, version: 1 }));
    const deletion = await run('delete-records', ['--bootstrap-server', subject.address, '--offset-json-file', file]);
    rmSync(folder, { recursive: true });
    expect(deletion.out, deletion.story).toContain(`partition: ${topic}-0\tlow_watermark: ${middle}`);
    expect(deletion.out, deletion.story).toContain(`partition: ${topic}-1\tlow_watermark: ${ends[1]}`);
    expect(deletion.out, deletion.story).toMatch(new RegExp(`partition: ${topic}-2\\terror: .*OffsetOutOfRange`));
    expect(await offsets(topic, -2)).toEqual({ 0: middle, 1: ends[1], 2: 0, 3: 0 });
  });

  test.each(CODECS)('producer-perf with codec %s', async (codec) => {
    const topic = await createTopic(`perf-${codec}`, 3);
    const properties = ['--command-property', 'acks=all', `compression.type=${codec}`, 'linger.ms=5'];
    const args = ['--topic', topic, '--num-records', '20000', '--record-size', '200', '--throughput', '-1', ...properties];
    expect(await lines('producer-perf', args)).toContainEqual(expect.stringMatching(/^20000 records sent, /));
    const ends = Object.values(await offsets(topic, -1));
    expect(ends).toHaveLength(3);
    expect(ends.reduce((sum, end) => sum + end)).toBe(20_000);
  });

  test('verifiable-producer with acks=all, read by console-consumer from any offset', async () => {
    const topic = await createTopic('verifiable', 1);
    const sent = await lines('verifiable-producer', ['--topic', topic, '--max-messages', '1000', '--acks', '-1', '--value-prefix', '7']);
    // Lines of JSON, as the tool's documentation has them.
    const events = sent.map((line) => JSON.parse(line) as { name: string; offset?: number; value?: string; sent?: number; acked?: number });
    const acknowledged = events.filter((event) => event.name === 'producer_send_success');
    expect(acknowledged.map((event) => event.offset)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(events.at(-1)).toMatchObject({ name: 'tool_data', sent: 1000, acked: 1000 });
    const expected = acknowledged.map((event) => expect.stringMatching(`^CreateTime:\\d+\tOffset:${event.offset}\t${event.value}$`));
    expect(await consume(topic, 'earliest', 1000)).toEqual(expected);
    expect(await consume(topic, '417', 583)).toEqual(expected.slice(417));
    expect(await consume(topic, '999', 1, 'read_committed')).toEqual(expected.slice(999));
  });

  test('console-producer, which is idempotent, into a topic that is made for it', async () => {
    const topic = subject.newTopic('console');
    const values = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    const result = await run('console-producer', ['--bootstrap-server', subject.address, '--topic', topic], {
      input: `${values.join('\n')}\n`,
    });
    expect(result.code, result.story).toBe(0);
    const found = await consume(topic, 'earliest', 100);
    expect(found.map((line) => line.split('\t').at(-1))).toEqual(values);
  });

  test('get-offsets by name and by time', async () => {
    const topic = await createTopic('offsets', 2);
    const timestampBefore = Date.now();
    const properties = ['--topic', topic, '--reader-property', 'parse.key=true'];
    const input = Array.from({ length: 50 }, (_, index) => `${index}\tvalue ${index}\n`).join('');
    const result = await run('console-producer', ['--bootstrap-server', subject.address, ...properties], { input });
    expect(result.code, result.story).toBe(0);
    const ends = await offsets(topic, 'latest');
    expect((ends[0] ?? 0) + (ends[1] ?? 0)).toBe(50);
    expect(await offsets(topic, -1)).toEqual(ends);
    expect(await offsets(topic, -2)).toEqual({ 0: 0, 1: 0 });
    expect(await offsets(topic, -4)).toEqual({ 0: 0, 1: 0 });
    // Nothing stands on another tier, nothing is about to go there.
    expect(await offsets(topic, -5)).toEqual({});
    expect(await offsets(topic, -6)).toEqual({});
    expect(await offsets(topic, timestampBefore)).toEqual({ 0: 0, 1: 0 });
    expect(await offsets(topic, Date.now() + 1000)).toEqual({});
    const largest = await offsets(topic, 'max-timestamp');
    for (const partition of [0, 1]) {
      expect(largest[partition]).toBeGreaterThanOrEqual(0);
      expect(largest[partition]).toBeLessThan(ends[partition] ?? 0);
    }
  });

  test('broker-api-versions shows what the handler table promises', async (context) => {
    context.skip(!subject.isNaru, 'the other broker has a table of its own');
    const shown = (await lines('broker-api-versions', [])).flatMap((line) => {
      const found = /^\t\w+\((\d+)\): (\d+)(?: to (\d+))? \[usable: (\d+)]/.exec(line);
      return found === null ? [] : [{ apiKey: Number(found[1]), minVersion: Number(found[2]), maxVersion: Number(found[3] ?? found[2]) }];
    });
    expect(shown).toEqual(advertisedRanges);
  });

  test('e2e-latency ends well, its commit included', async () => {
    const topic = await createTopic('latency', 1);
    const args = ['--num-records', '200', '--producer-acks', 'all', '--record-size', '100'];
    const result = await run('e2e-latency', ['--bootstrap-server', subject.address, '--topic', topic, ...args]);
    expect(result.out, result.story).toMatch(/^Avg latency: [\d.]+ ms$/m);
    expect(result.out, result.story).toMatch(/^Percentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+$/m);
    expect(result.code, result.story).toBe(0);
  });

  test('a transactional producer is refused at once', async (context) => {
    context.skip(!subject.isNaru, 'the other broker has transactions');
    const topic = await createTopic('transactions', 1);
    const args = ['--topic', topic, '--num-records', '10', '--record-size', '100', '--throughput', '-1', '--transactional-id', topic];
    const result = await run('producer-perf', ['--bootstrap-server', subject.address, ...args]);
    expect(result.code, result.story).toBe(1);
    // Fatal to the client, which would ask for ever after a coordinator that is only not there yet.
    expect(result.story).toContain('TransactionalIdAuthorizationException');
    expect(result.tookMs).toBeLessThan(AT_ONCE_MS);
  });

  test('log-dirs, metadata-quorum, features: what a node says of itself', async () => {
    const topic = await createTopic('described', 2);
    await lines('verifiable-producer', ['--topic', topic, '--max-messages', '100', '--acks', '-1']);
    const described = await lines('org.apache.kafka.tools.LogDirsCommand', ['--describe', '--topic-list', topic]);
    const told = JSON.parse(described.at(-1) ?? '') as {
      brokers: {
        broker: number;
        logDirs: { error: string | null; partitions: { partition: string; size: number; offsetLag: number }[] }[];
      }[];
    };
    const partitions = told.brokers[0]?.logDirs[0]?.partitions ?? [];
    expect(partitions.map(({ partition }) => partition).sort()).toEqual([`${topic}-0`, `${topic}-1`]);
    expect(partitions.reduce((sum, { size }) => sum + size, 0)).toBeGreaterThan(100);
    expect(partitions.every(({ offsetLag }) => offsetLag === 0)).toBe(true);

    const quorum = (await lines('metadata-quorum', ['describe', '--status'])).join('\n');
    expect(quorum).toMatch(/LeaderId:\s+1\n/);
    expect(quorum).toMatch(/MaxFollowerLag:\s+0\n/);
    expect(quorum).toMatch(/CurrentVoters:\s+\[\{"id": 1/);
    expect((await lines('metadata-quorum', ['describe', '--replication'])).at(-1)).toMatch(/^1\s.*\sLeader\s*$/);

    const features = await lines('features', ['describe']);
    expect(features).toContainEqual(
      expect.stringMatching(/^Feature: group\.version\s+SupportedMinVersion: 0\s.*FinalizedVersionLevel: 1\s/),
    );
    expect(await lines('features', ['downgrade', '--feature', 'share.version=0'])).toEqual(['share.version was downgraded to 0.']);
    expect(await lines('features', ['upgrade', '--feature', 'share.version=1'])).toEqual(['share.version was upgraded to 1.']);
    const refused = await run('features', ['--bootstrap-server', subject.address, 'upgrade', '--feature', 'group.version=7']);
    expect(refused.code).toBe(1);
    expect(refused.story).toContain('Invalid update version 7 for feature group.version. Local controller 1 only supports versions 0-1');
  });

  test('transactions: producers of a partition, and no transaction', async () => {
    const topic = await createTopic('producers', 1);
    const count = ['--num-records', '10', '--record-size', '10', '--throughput', '-1'];
    await lines('producer-perf', ['--topic', topic, ...count, '--command-property', 'acks=all']);
    const [head, producer] = await lines('transactions', ['describe-producers', '--topic', topic, '--partition', '0']);
    expect(head).toMatch(/^ProducerId\s+ProducerEpoch\s+LatestCoordinatorEpoch\s+LastSequence\s/);
    expect(producer).toMatch(/^\d+\s+0\s+-1\s+9\s+\d+\s+None\s*$/);
    expect(await lines('transactions', ['list'])).toEqual([expect.stringMatching(/^TransactionalId\s+Coordinator\s/)]);
  });

  test('leader-election, reassign, acls, configs of users: a cluster of one has little to change', async () => {
    const topic = await createTopic('moved', 1);
    const election = await lines('leader-election', ['--election-type', 'PREFERRED', '--topic', topic, '--partition', '0']);
    expect(election.join('\n')).toMatch(/Valid replica already elected for partitions/);
    expect((await lines('reassign', ['--list'])).join('\n')).toContain('No partition reassignments found.');
    const acls = await run('acls', ['--bootstrap-server', subject.address, '--list']);
    expect(acls.story).toContain('No Authorizer is configured');
    expect(await lines('configs', ['--describe', '--entity-type', 'users'])).toEqual([]);
    const quota = ['--alter', '--entity-type', 'users', '--entity-name', 'a', '--add-config', 'producer_byte_rate=1024'];
    if (!subject.isNaru) return; // Apache Kafka takes quotas, and holds clients to them.
    const altered = await run('configs', ['--bootstrap-server', subject.address, ...quota]);
    expect(altered.code, altered.story).toBe(1);
    expect(altered.story).toContain('The node does not support ALTER_CLIENT_QUOTAS');
  });
});
