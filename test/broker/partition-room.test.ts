// More partitions than there are descriptors for, asked for by a client: they are refused with what fits and how to get more, and what fits
// is made, grows, takes connections, is deleted, and comes through a start.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createPartitionsRequest, createPartitionsResponse } from '../../src/protocol/apis/create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { total } from '../support/metrics-text.ts';
import { Operated } from '../support/operated.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const LIMIT = 1024;
/** More than the descriptors: three each. */
const TOO_MANY = 600;
const OFFLINE = 'naru_log_directories_offline';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function directories(): string {
  const paths = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'naru-test-')));
  for (const path of paths) cleanUps.push(() => rmSync(path, { recursive: true, force: true }));
  return paths.join(',');
}

async function started(workers: number, directory: string, overrides: Record<string, string> = {}): Promise<Operated> {
  const operated = await Operated.start({ workers, directory, overrides, prelude: `ulimit -n ${LIMIT}` });
  cleanUps.push(() => operated.broker.dispose());
  return operated;
}

async function create(client: WireClient, name: string, numPartitions: number, validateOnly = false) {
  const topics = [{ name, numPartitions, replicationFactor: 1 }];
  const answer = await client.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000, validateOnly });
  return answer.topics[0];
}

async function grow(client: WireClient, name: string, count: number, validateOnly = false) {
  const topics = [{ name, count, assignments: null }];
  const answer = await client.ask(createPartitionsRequest, createPartitionsResponse, 3, { topics, timeoutMs: 10_000, validateOnly });
  return answer.results[0];
}

/** How many more fit, by the refusal of too many. */
async function room(client: WireClient): Promise<number> {
  const refused = await create(client, 'refused', TOO_MANY, true);
  expect(refused).toMatchObject({ errorCode: ERROR.POLICY_VIOLATION, numPartitions: -1 });
  return Number(/there is room for (\d+) more/.exec(refused?.errorMessage ?? '')?.[1]);
}

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it('refuses what is beyond the descriptors, and serves all that fits, after a start as well', { timeout: 120_000 }, async () => {
    const directory = directories();
    let operated = await started(workers, directory);
    let client = await WireClient.connect(operated.broker.port);
    expect(await create(client, 'many', TOO_MANY)).toMatchObject({
      errorCode: ERROR.POLICY_VIOLATION,
      errorMessage: expect.stringMatching(
        /^600 partitions are too many for the limit of open files, which is 1024: there is room for \d+ more, of 3 files each\. Raise it with "ulimit -n 65536" .*LimitNOFILE=65536/,
      ),
    });
    expect((await client.metadata('many')).topics[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const fitting = await room(client);
    expect(fitting).toBeGreaterThan(100);
    expect(await create(client, 'one', 1)).toMatchObject({ errorCode: ERROR.NONE });
    expect(await grow(client, 'one', fitting + 1)).toMatchObject({
      errorCode: ERROR.POLICY_VIOLATION,
      errorMessage: expect.stringContaining(`there is room for ${fitting - 1} more`),
    });
    expect(await grow(client, 'one', fitting + 1, true)).toMatchObject({ errorCode: ERROR.POLICY_VIOLATION });
    expect(await grow(client, 'one', fitting)).toMatchObject({ errorCode: ERROR.NONE });
    expect(await room(client)).toBe(0);
    // What the broker makes by itself: a topic that is asked for, that of the groups.
    const asked = { topics: [{ name: 'by-itself' }], allowAutoTopicCreation: true };
    const { topics } = await client.ask(metadataRequest, metadataResponse, 12, asked);
    expect(topics[0]).toMatchObject({ name: 'by-itself', errorCode: ERROR.POLICY_VIOLATION });
    const keys = { keyType: 0, coordinatorKeys: ['group'] };
    const { coordinators } = await client.ask(findCoordinatorRequest, findCoordinatorResponse, 4, keys);
    expect(coordinators[0]?.errorCode).toBe(ERROR.COORDINATOR_NOT_AVAILABLE);
    await expect.poll(() => operated.broker.output).toContain('too many for the limit of open files');

    const others = await Promise.all(Array.from({ length: 40 }, () => WireClient.connect(operated.broker.port)));
    for (const other of others) await other.metadata();
    for (let partition = 0; partition < fitting; partition++) {
      expect(await client.produce('one', partition, labelled('one', 0, 1))).toMatchObject({ errorCode: ERROR.NONE });
    }
    const page = await operated.scrape();
    expect([total(page, OFFLINE), total(page, 'naru_connections_refused_total')]).toEqual([0, 0]);
    for (const each of [client, ...others]) each.close();
    expect((await operated.broker.stop()).code).toBe(0);

    operated = await started(workers, directory);
    client = await WireClient.connect(operated.broker.port);
    expect(labels(await client.readAll('one', fitting - 1))).toEqual(range('one', 0, 1));
    expect(total(await operated.scrape(), OFFLINE)).toBe(0);
    expect(await room(client)).toBeLessThan(5);
    client.close();
  });

  it('counts the files of a deleted topic until they are closed', { timeout: 120_000 }, async () => {
    const operated = await started(workers, directories(), { 'log.segment.delete.delay.ms': '2000' });
    const client = await WireClient.connect(operated.broker.port);
    const fitting = await room(client);
    await client.createTopic('first', fitting);
    await client.ask(deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name: 'first' }], timeoutMs: 10_000 });
    const refused = await create(client, 'second', fitting);
    // Where this process was held up for as long as the files stay, there is room already.
    if (refused?.errorCode !== ERROR.NONE) {
      expect(refused?.errorMessage).toContain(`room for 0 more, of 3 files each, after file.delete.delay.ms for ${fitting} more`);
      await expect.poll(async () => (await create(client, 'second', fitting))?.errorCode, { timeout: 60_000 }).toBe(ERROR.NONE);
    }
    expect(await client.produce('second', fitting - 1, labelled('second', 0, 1))).toMatchObject({ errorCode: ERROR.NONE });
    client.close();
  });

  it('leaves connections what they have, and those that come behind new partitions theirs', { timeout: 120_000 }, async () => {
    const operated = await started(workers, directories());
    const client = await WireClient.connect(operated.broker.port);
    const before = await room(client);
    const crowd = await Promise.all(Array.from({ length: 400 }, () => WireClient.connect(operated.broker.port)));
    for (const each of crowd) await each.metadata();
    await expect.poll(() => room(client)).toBeLessThan(before - 50);
    const beside = await room(client);
    await client.createTopic('beside', beside);
    for (let partition = 0; partition < beside; partition++) {
      expect(await client.produce('beside', partition, labelled('beside', 0, 1))).toMatchObject({ errorCode: ERROR.NONE });
    }
    for (const each of crowd) each.close();
    await expect.poll(() => room(client)).toBeGreaterThan(0);
    const next = await Promise.all(Array.from({ length: 40 }, () => WireClient.connect(operated.broker.port)));
    for (const each of next) await each.metadata();
    expect(total(await operated.scrape(), OFFLINE)).toBe(0);
    for (const each of [client, ...next]) each.close();
  });
});
