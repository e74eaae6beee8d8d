// What an operator asks by HTTP, of a broker under load with several workers: whether the page can be parsed, and whether its numbers are
// those of the client that made the load.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { apiVersionsRequest, apiVersionsResponse } from '../../src/protocol/apis/api-versions.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled } from '../support/batches.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { type Family, parseMetrics, total } from '../support/metrics-text.ts';
import { RawClient } from '../support/raw-client.ts';
import { noSmallDisk, SmallDisk } from '../support/small-disk.ts';
import { isForeign } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const PARTITION_COUNT = 4;
const REQUEST_COUNT = 400;
const RECORDS = 3;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

interface Operated {
  readonly broker: BrokerProcess;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
  readonly scrape: () => Promise<Map<string, Family>>;
}

async function operated(workers: number, overrides: Record<string, string> = {}, directory?: string): Promise<Operated> {
  const httpPort = await freePort();
  const broker = await BrokerProcess.start({
    workers,
    overrides: { 'naru.http.listener': `http://127.0.0.1:${httpPort}`, ...overrides },
    ...(directory === undefined ? {} : { directory }),
  });
  cleanUps.unshift(() => broker.dispose());
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${httpPort}${path}`, init);
  const scrape = async (): Promise<Map<string, Family>> => {
    const response = await get('/metrics');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    return parseMetrics(await response.text());
  };
  return { broker, get, scrape };
}

async function untilScraped(scrape: Operated['scrape'], isSo: (page: Map<string, Family>) => boolean): Promise<Map<string, Family>> {
  for (;;) {
    const page = await scrape();
    if (isSo(page)) return page;
    await delay(20); // The test's own time limit ends it.
  }
}

describe.skipIf(isForeign).each([0, 1, 2])('at %i workers', (workers) => {
  test('the numbers of /metrics are those of the client', async () => {
    const { broker, scrape } = await operated(workers);
    const clients = await Promise.all(Array.from({ length: 4 }, () => WireClient.connect(broker.port)));
    const [first] = clients;
    if (first === undefined) throw new Error('no client');
    await first.createTopic('counted', PARTITION_COUNT);
    const before = await scrape();
    expect(total(before, 'naru_request_errors_total')).toBe(0);

    const bytesOf = (which: 'bytesWritten' | 'bytesRead'): number => clients.reduce((sum, { raw }) => sum + raw.socket[which], 0);
    const [writtenBefore, readBefore] = [bytesOf('bytesWritten'), bytesOf('bytesRead')];
    const produceAll = async (client: WireClient, own: number): Promise<void> => {
      for (let each = 0; each < REQUEST_COUNT; each++) {
        const partition = (own + each) % PARTITION_COUNT;
        // Every tenth goes to a partition that is not there.
        const index = each % 10 === 9 ? 99 : partition;
        const records = labelled('counted', 0, RECORDS);
        const { errorCode } = await client.produce('counted', index, records);
        expect(errorCode).toBe(index === partition ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION);
      }
    };
    const pages: Map<string, Family>[] = [];
    let isDone = false;
    const scraping = (async () => {
      while (!isDone) pages.push(await scrape());
    })();
    await Promise.all(clients.map(produceAll));
    isDone = true;
    await scraping;

    const [sentBytes, answeredBytes] = [bytesOf('bytesWritten') - writtenBefore, bytesOf('bytesRead') - readBefore];
    const sentCount = clients.length * REQUEST_COUNT;
    // The last replies may be here before their turn is over, where they are counted.
    const counted = (page: Map<string, Family>): number => total(page, 'naru_request_duration_seconds_count', { api: 'Produce' });
    const after = await untilScraped(scrape, (page) => counted(page) >= sentCount);
    const refusedCount = sentCount / 10;
    const growth = (name: string, labels: Record<string, string> = {}): number => total(after, name, labels) - total(before, name, labels);
    const ofProduce = { api: 'Produce' };
    expect(growth('naru_requests_total', ofProduce)).toBe(sentCount);
    expect(growth('naru_request_duration_seconds_count', ofProduce)).toBe(sentCount);
    expect(growth('naru_request_duration_seconds_sum', ofProduce)).toBeGreaterThan(0);
    expect(growth('naru_request_bytes_total', ofProduce)).toBe(sentBytes);
    expect(growth('naru_response_bytes_total', ofProduce)).toBe(answeredBytes);
    expect(growth('naru_network_received_bytes_total')).toBe(sentBytes);
    expect(growth('naru_network_sent_bytes_total')).toBe(answeredBytes);
    expect(growth('naru_request_errors_total')).toBe(refusedCount);
    expect(total(after, 'naru_request_errors_total', { api: 'Produce', error: 'UNKNOWN_TOPIC_OR_PARTITION' })).toBe(refusedCount);
    const shown = { topic: 'counted' };
    expect(growth('naru_partition_log_end_offset', shown)).toBe((sentCount - refusedCount) * RECORDS);
    expect(growth('naru_partition_high_watermark', shown)).toBe((sentCount - refusedCount) * RECORDS);
    expect(growth('naru_log_written_bytes_total')).toBeGreaterThanOrEqual(growth('naru_topic_log_size_bytes', shown));
    expect(total(after, 'naru_topic_partitions', shown)).toBe(PARTITION_COUNT);
    expect(total(after, 'naru_topic_segments', shown)).toBe(PARTITION_COUNT);
    expect(total(after, 'naru_connections')).toBe(clients.length);
    expect(total(after, 'naru_worker_reports_missing')).toBe(0);
    expect(total(after, 'naru_ring_credits_in_use')).toBe(0);
    expect(total(after, 'naru_fsync_seconds_count')).toBeGreaterThan(0);
    expect(total(after, 'naru_loop_turn_seconds_count')).toBeGreaterThan(0);
    expect(after.get('naru_connections')?.samples).toHaveLength(Math.max(1, workers));
    // What was scraped meanwhile never ran backwards.
    expect(pages.length).toBeGreaterThan(0);
    let last = 0;
    for (const page of pages) {
      const count = total(page, 'naru_requests_total', ofProduce);
      expect(count).toBeGreaterThanOrEqual(last);
      last = count;
    }
    expect(last).toBeLessThanOrEqual(sentCount);

    for (const client of clients) client.close();
    const noise = await RawClient.connect(broker.port);
    noise.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    const closed = await untilScraped(scrape, (page) => total(page, 'naru_connections') === 0);
    expect(total(closed, 'naru_connections_closed_total', { cause: 'peer' })).toBe(clients.length);
    expect(total(closed, 'naru_connections_closed_total', { cause: 'not-kafka' })).toBe(1);
    expect(total(closed, 'naru_connections_accepted_total')).toBe(clients.length + 1);
  });

  test('topics beyond the limit are left out and counted', async () => {
    const { broker, scrape } = await operated(workers, { 'naru.metrics.partitions.max': '3' });
    const client = await WireClient.connect(broker.port);
    for (const name of ['a', 'b', 'c']) await client.createTopic(name, 2);
    client.close();
    const page = await untilScraped(scrape, (each) => total(each, 'naru_partitions') === 6);
    expect(page.get('naru_topic_partitions')?.samples.map(({ labels }) => labels.get('topic'))).toEqual(['a']);
    expect(page.get('naru_partition_high_watermark')?.samples).toHaveLength(2);
    expect([total(page, 'naru_topics'), total(page, 'naru_partitions'), total(page, 'naru_partitions_left_out')]).toEqual([3, 6, 4]);
  });

  test('a partition whose log is still to be made is counted as such', async () => {
    const { broker, scrape } = await operated(workers);
    const client = await WireClient.connect(broker.port);
    await client.createTopic('wide', 200);
    client.close();
    const made = await untilScraped(scrape, (page) => {
      expect(total(page, 'naru_partitions') + total(page, 'naru_partitions_unmade')).toBe(200);
      return total(page, 'naru_partitions') === 200;
    });
    expect(total(made, 'naru_topic_partitions', { topic: 'wide' })).toBe(200);
  });

  test('the port answers what it has, and nothing else', async () => {
    const { broker, get, scrape } = await operated(workers);
    expect(await (await get('/healthz')).text()).toBe('ok\n');
    const ready = await get('/readyz');
    expect([ready.status, await ready.text()]).toEqual([200, 'ready\n']);
    expect((await get('/elsewhere')).status).toBe(404);
    expect((await get('/constructor')).status).toBe(404);
    expect((await get('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    expect(await (await get('/metrics', { method: 'HEAD' })).text()).toBe('');
    expect(total(await scrape(), 'naru_ready')).toBe(1);
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
  });

  test('a failed log directory makes it not ready, and says why', async (context) => {
    context.skip(noSmallDisk !== null, noSmallDisk ?? '');
    const disk = new SmallDisk(128);
    cleanUps.unshift(() => disk.remove());
    const { broker, get, scrape } = await operated(workers, {}, disk.directory('data'));
    const client = await WireClient.connect(broker.port);
    await client.createTopic('t');
    disk.fill();
    let errorCode = 0;
    while (errorCode === 0) errorCode = (await client.produce('t', 0, labelled('t', 0, 50))).errorCode;
    const page = await untilScraped(scrape, (each) => total(each, 'naru_ready') === 0);
    expect(total(page, 'naru_log_directories_offline')).toBe(1);
    expect(total(page, 'naru_request_errors_total', { error: 'KAFKA_STORAGE_ERROR' })).toBeGreaterThan(0);
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/^the log directory \S+ is offline: .*ENOSPC/);
    expect((await get('/healthz')).status).toBe(200);
    client.close();
    await broker.stop('SIGKILL');
  });

  test('slow requests are told from when that is asked for until it is taken back', async () => {
    const { broker } = await operated(workers);
    const client = await WireClient.connect(broker.port);
    await client.createTopic('idle');
    const poll = (maxWaitMs: number) => client.fetchFrom('idle', 0, 0, 1000, maxWaitMs);
    const set = async (operation: number, value: string | null): Promise<void> => {
      const configs = [{ name: 'naru.slow.request.ms', configOperation: operation, value }];
      const resources = [{ resourceType: 4, resourceName: '', configs }];
      const answer = await client.ask(incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, 1, { resources });
      expect(answer.responses[0]?.errorMessage).toBeNull();
    };
    await poll(301);
    await set(0, '300');
    await poll(302);
    await poll(1);
    await set(1, null);
    await poll(303);
    client.close();
    await broker.stop();
    const lines = broker.output.split('\n').filter((line) => line.includes('slow request') && line.includes('api=Fetch'));
    expect(lines).toEqual([expect.stringContaining(' handledMs=')]);
  });

  test('slow requests are told, with where their time went', async () => {
    const { broker } = await operated(workers, { 'naru.slow.request.ms': '250' });
    const client = await WireClient.connect(broker.port);
    await client.createTopic('idle');
    await client.ask(apiVersionsRequest, apiVersionsResponse, 3, { clientSoftwareName: 'naru-test', clientSoftwareVersion: '1.0' });
    // A long poll that finds nothing.
    await client.fetchFrom('idle', 0, 0, 1000, 400);
    client.close();
    await broker.stop();
    const lines = broker.output.split('\n').filter((line) => line.includes('slow request') && line.includes('api=Fetch'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      / clientId=\S* software="?naru-test 1\.0"? .*peer=127\.0\.0\.1:\d+ .*waitedMs=[\d.]+ handledMs=\d{3,}.* queuedMs=[\d.]+ tookMs=\d{3,}/,
    );
  });
});
