// Apache Kafka's own tools in consumer groups: console-consumer, verifiable-consumer, consumer-perf of both protocols, and what `groups`
// shows, sets and deletes. Each run is a JVM.
import { expect, test } from 'vitest';
import { labelled, range } from '../support/batches.ts';
import { WireClient } from '../support/wire-client.ts';
import { type ProgramResult, runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { kafkaTools, TOOL_ENVIRONMENT } from './toolchains.ts';

const PROTOCOLS = ['classic', 'consumer'] as const;
const PARTITIONS = 3;
const RECORDS = 100;
/** What a client wants to know of itself before it waits for records. */
const CONSUMER_TIMEOUT_MS = '20000';

describeSubjects("Kafka's tools in groups", { tool: kafkaTools }, (subject, program) => {
  async function run(tool: string, ...args: readonly string[]): Promise<ProgramResult> {
    const server = ['--bootstrap-server', subject.address];
    return runProgram(program(), ['run', tool, ...server, ...args], { environment: TOOL_ENVIRONMENT, timeoutMs: 120_000 });
  }

  async function succeed(tool: string, ...args: readonly string[]): Promise<string> {
    const result = await run(tool, ...args);
    expect(result.code, result.story).toBe(0);
    return result.out;
  }

  /** A topic with `RECORDS` records in each of its partitions, `<topic>/<partition>/<offset>`. */
  async function filledTopic(label: string): Promise<string> {
    const topic = subject.newTopic(label);
    const client = await WireClient.connect(Number(subject.address.split(':').at(-1)));
    await client.createTopic(topic, PARTITIONS);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(await client.produce(topic, partition, labelled(`${topic}/${partition}`, 0, RECORDS))).toMatchObject({ errorCode: 0 });
    }
    client.close();
    return topic;
  }

  function allOf(topic: string): string[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => range(`${topic}/${partition}`, 0, RECORDS)).flat();
  }

  /** The table that `groups` prints, by the heads of its columns. */
  async function table(...args: readonly string[]): Promise<Record<string, string>[]> {
    const [head, ...lines] = (await succeed('groups', ...args))
      .split('\n')
      .filter((line) => line.trim() !== '' && !/has no active members|Consumer group/.test(line));
    const names = (head ?? '').trim().split(/\s{2,}|\s(?=[A-Z])/);
    return lines.map((line) => {
      const cells = line.trim().split(/\s+/);
      return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
    });
  }

  async function committed(group: string): Promise<Record<string, string>> {
    const rows = await table('--describe', '--group', group);
    return Object.fromEntries(rows.map((row) => [row.PARTITION ?? '', row['CURRENT-OFFSET'] ?? '']));
  }

  for (const protocol of PROTOCOLS) {
    test(`console-consumer goes on where its group stopped, ${protocol} protocol`, async () => {
      const topic = await filledTopic(`console-${protocol}`);
      const consume = async (count: number): Promise<string[]> => {
        const how = ['--group', `of-${topic}`, '--from-beginning', '--timeout-ms', CONSUMER_TIMEOUT_MS];
        const result = await run(
          'console-consumer',
          ...['--topic', topic, ...how, '--max-messages', String(count), '--command-property', `group.protocol=${protocol}`],
        );
        expect(result.code, result.story).toBe(0);
        // Before it, in the classic protocol, a line that praises the other one.
        expect(result.err, result.story).toMatch(
          new RegExp(`^(The consumer rebalance protocol .*\n)?Processed a total of ${count} messages\n$`),
        );
        return result.out.trimEnd().split('\n');
      };
      const all = allOf(topic);
      const first = await consume(170);
      const rest = await consume(all.length - 170);
      expect([...first, ...rest].sort()).toEqual(all.sort());
      const end = String(RECORDS);
      expect(await committed(`of-${topic}`)).toEqual({ 0: end, 1: end, 2: end });
    });

    test(`verifiable-consumer commits what it has seen, ${protocol} protocol`, async () => {
      const topic = await filledTopic(`verifiable-${protocol}`);
      const total = PARTITIONS * RECORDS;
      const out = await succeed(
        'verifiable-consumer',
        ...['--topic', topic, '--group-id', `of-${topic}`, '--max-messages', String(total), '--group-protocol', protocol],
      );
      // Lines of JSON, as the tool's documentation has them.
      const events = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { name: string; success?: boolean; count?: number; partitions?: unknown[] });
      expect(events.find(({ name }) => name === 'partitions_assigned')?.partitions).toHaveLength(PARTITIONS);
      const consumed = events.filter(({ name }) => name === 'records_consumed');
      expect(consumed.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(total);
      const commits = events.filter(({ name }) => name === 'offsets_committed');
      expect(commits.length).toBeGreaterThan(0);
      for (const commit of commits) expect(commit.success, out).toBe(true);
      expect(events.map(({ name }) => name)).toContain('shutdown_complete');
      const end = String(RECORDS);
      expect(await committed(`of-${topic}`)).toEqual({ 0: end, 1: end, 2: end });
    });

    test(`consumer-perf reads a backlog, ${protocol} protocol`, async () => {
      const topic = await filledTopic(`perf-${protocol}`);
      const out = await succeed(
        'consumer-perf',
        ...['--topic', topic, '--num-records', String(PARTITIONS * RECORDS), '--command-property', `group.protocol=${protocol}`],
      );
      const [, figures] = out.trim().split('\n');
      expect(figures?.split(', ')[4], out).toBe(String(PARTITIONS * RECORDS));
    });
  }

  test('groups: list, describe, reset offsets, delete', async () => {
    const topic = await filledTopic('admin');
    const group = `of-${topic}`;
    await succeed(
      'console-consumer',
      ...['--topic', topic, '--group', group, '--from-beginning', '--max-messages', '300', '--timeout-ms', CONSUMER_TIMEOUT_MS],
    );
    expect((await succeed('groups', '--list')).split('\n')).toContain(group);
    expect(await table('--list', '--state', 'Empty')).toContainEqual(expect.objectContaining({ GROUP: group, STATE: 'Empty' }));
    const rows = await table('--describe', '--group', group);
    expect(rows.map((row) => [row.TOPIC, row.PARTITION, row['CURRENT-OFFSET'], row['LOG-END-OFFSET'], row.LAG]).sort()).toEqual(
      [0, 1, 2].map((partition) => [topic, String(partition), '100', '100', '0']),
    );
    await succeed('groups', '--group', group, '--reset-offsets', '--to-offset', '40', '--topic', topic, '--execute');
    expect(await committed(group)).toEqual({ 0: '40', 1: '40', 2: '40' });
    await succeed('groups', '--group', group, '--reset-offsets', '--to-latest', '--topic', `${topic}:1`, '--execute');
    expect(await committed(group)).toEqual({ 0: '40', 1: '100', 2: '40' });
    await succeed('groups', '--group', group, '--delete-offsets', '--topic', `${topic}:2`);
    expect(await committed(group)).toEqual({ 0: '40', 1: '100' });
    await succeed('groups', '--group', group, '--delete');
    expect((await succeed('groups', '--list')).split('\n')).not.toContain(group);
    const gone = await run('groups', '--describe', '--group', group);
    expect(gone.story).toMatch(/does not exist|not found/);
  });
});
