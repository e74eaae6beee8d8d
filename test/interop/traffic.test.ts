// Known traffic of real clients, and what /metrics says of it: requests, bytes, errors, connections and records are exactly those that the
// clients count by themselves. franz-go counts in its hooks, Apache Kafka's producer in its own metrics.
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { apiName } from '../../src/protocol/api-keys.ts';
import { freePort } from '../support/broker-process.ts';
import { type Family, parseMetrics, total } from '../support/metrics-text.ts';
import { runProgram } from './run-program.ts';
import { describeSubjects, type Subject } from './subject.ts';
import { goClient, kafkaTools, TOOL_ENVIRONMENT } from './toolchains.ts';

type Page = ReadonlyMap<string, Family>;

/** What the program in go/ prints; by API key. */
interface Counted {
  readonly Requests: Readonly<Record<string, number>>;
  readonly Written: Readonly<Record<string, number>>;
  readonly Read: Readonly<Record<string, number>>;
  readonly Connections: number;
  readonly Records: number;
  readonly Errors: Readonly<Record<string, number>>;
}

const httpPort = await freePort();
const url = `http://127.0.0.1:${httpPort}`;
const needs = { isNaruOnly: true, overrides: { 'naru.http.listener': url } } as const;

async function scrape(): Promise<Map<string, Family>> {
  return parseMetrics(await (await fetch(`${url}/metrics`)).text());
}

/** The page once nobody is connected any more: then all that was sent is counted. */
async function scrapeWhenAlone(): Promise<Map<string, Family>> {
  for (;;) {
    const page = await scrape();
    if (total(page, 'naru_connections') === 0) return page;
    await delay(50); // The test's own time limit ends it.
  }
}

function labelValues(page: Page, name: string, label: string): string[] {
  return [...new Set((page.get(name)?.samples ?? []).map(({ labels }) => labels.get(label) ?? ''))].sort();
}

describeSubjects('metrics of franz-go', { tool: goClient, ...needs }, (subject, program) => {
  let before: Map<string, Family>;
  beforeEach(async () => {
    before = await scrapeWhenAlone();
  });

  test.each([1, 2])('are what it counts itself, run %i', async () => {
    const prefix = subject.newTopic('traffic');
    const result = await runProgram(program(), [subject.address, 'count', prefix]);
    expect(result.code, result.story).toBe(0);
    const counted = JSON.parse(result.out) as Counted;
    const after = await scrapeWhenAlone();
    const growth = (name: string, labels: Record<string, string> = {}): number => total(after, name, labels) - total(before, name, labels);
    const apis = labelValues(after, 'naru_requests_total', 'api');
    const byApi = (name: string): Record<string, number> =>
      Object.fromEntries(apis.map((api) => [api, growth(name, { api })] as const).filter(([, count]) => count > 0));
    const sum = (all: Readonly<Record<string, number>>): number => Object.values(all).reduce((one, other) => one + other, 0);
    expect(byApi('naru_requests_total')).toEqual(byName(counted.Requests));
    expect(byApi('naru_request_duration_seconds_count')).toEqual(byName(counted.Requests));
    expect(byApi('naru_request_bytes_total')).toEqual(byName(counted.Written));
    expect(byApi('naru_response_bytes_total')).toEqual(byName(counted.Read));
    expect(growth('naru_network_received_bytes_total')).toBe(sum(counted.Written));
    expect(growth('naru_network_sent_bytes_total')).toBe(sum(counted.Read));
    expect(growth('naru_connections_accepted_total')).toBe(counted.Connections);
    expect(growth('naru_connections_closed_total')).toBe(counted.Connections);
    const errors = labelValues(after, 'naru_request_errors_total', 'api').flatMap((api) =>
      labelValues(after, 'naru_request_errors_total', 'error').map((error) => [
        `${api} ${error}`,
        growth('naru_request_errors_total', { api, error }),
      ]),
    );
    expect(Object.fromEntries(errors.filter(([, count]) => count !== 0))).toEqual(counted.Errors);
    expect(total(after, 'naru_partition_log_end_offset', { topic: `${prefix}-counted` })).toBe(counted.Records);
  });
});

function byName(all: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(all).map(([key, count]) => [apiName(Number(key)), count]));
}

describeSubjects("metrics of Apache Kafka's producer", { tool: kafkaTools, ...needs }, (subject: Subject, program) => {
  test('are what it counts itself', async () => {
    const topic = subject.newTopic('traffic');
    const environment = TOOL_ENVIRONMENT;
    const create = ['run', 'topics', '--bootstrap-server', subject.address, '--create', '--topic', topic, '--partitions', '3'];
    const created = await runProgram(program(), create, { environment });
    expect(created.code, created.story).toBe(0);
    const before = await scrapeWhenAlone();
    const load = ['--topic', topic, '--num-records', '5000', '--record-size', '300', '--throughput', '-1', '--print-metrics'];
    const result = await runProgram(program(), ['run', 'producer-perf', '--bootstrap-server', subject.address, ...load], { environment });
    expect(result.code, result.story).toBe(0);
    const own = (name: string): number =>
      Number(new RegExp(`^producer-metrics:${name}:\\{client-id=[^}]*\\} *: *([\\d.]+)`, 'm').exec(result.out)?.[1]);
    const after = await scrapeWhenAlone();
    const growth = (name: string): number => total(after, name) - total(before, name);
    expect(own('record-send-total'), result.out).toBe(5000);
    expect(total(after, 'naru_partition_log_end_offset', { topic })).toBe(own('record-send-total'));
    expect(growth('naru_requests_total')).toBe(own('request-total'));
    expect(growth('naru_request_bytes_total')).toBe(own('outgoing-byte-total'));
    expect(growth('naru_response_bytes_total')).toBe(own('incoming-byte-total'));
    expect(growth('naru_connections_accepted_total')).toBe(own('connection-creation-total'));
    expect(growth('naru_request_errors_total')).toBe(0);
  });
});
