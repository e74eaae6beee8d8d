// kill -9 while offsets are committed, again and again on one data directory, also while their shards are loaded: whoever asks from the
// first connection on gets an error or all that was acknowledged, never less. The offsets say whose they are.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import { type OffsetFetchResponse, offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { ERROR, errorName } from '../../src/protocol/errors.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const TOPIC = 'committed';
const PARTITIONS = 5;
const GROUPS = 600;
const COMMITTERS = 6;
/** 1600 commits of five records of 400 bytes, five times: more than twelve segments of 1 MiB hold, so some are rolled. */
const COMMITS_BETWEEN_KILLS = 1600;
const COMMIT_VERSION = 9;
const FETCH_VERSION = 9;
/** Several segments for a shard, several reads for a load, and a recovery point that moves. */
const OVERRIDES = {
  'offsets.topic.num.partitions': '12',
  'offsets.topic.segment.bytes': String(1 << 20),
  'log.flush.offset.checkpoint.interval.ms': '300',
  'naru.writeback.bytes': String(64 * 1024),
};
/** What a coordinator says that cannot answer yet. */
const NOT_YET: ReadonlySet<number> = new Set([ERROR.COORDINATOR_LOAD_IN_PROGRESS, ERROR.COORDINATOR_NOT_AVAILABLE, ERROR.NOT_COORDINATOR]);

type FetchedGroup = OffsetFetchResponse['groups'][number];

const groupName = (index: number): string => `group-${index}`;
const GROUP_IDS = Array.from({ length: GROUPS }, (_, index) => groupName(index));
/** Long, so that the log grows. */
const metadataOf = (index: number, partition: number, offset: number): string =>
  `${groupName(index)}/${partition}/${offset}`.padEnd(300, '.');

/** By group: the offset that was sent last, and the last that was acknowledged; 0: none. */
class Books {
  readonly sent = new Array<number>(GROUPS).fill(0);
  readonly acknowledged = new Array<number>(GROUPS).fill(0);
  /** How many commits were acknowledged in all. */
  commitCount = 0;
}

/** Commits for every COMMITTERS-th group, one after the other, until the broker is gone. Throws where an answer is another error than "not yet". */
async function commitUntilKilled(port: number, lane: number, books: Books): Promise<void> {
  const client = await WireClient.connect(port).catch(() => null);
  for (let index = lane; client !== null; index = index + COMMITTERS < GROUPS ? index + COMMITTERS : lane) {
    const offset = (books.sent[index] ?? 0) + 1;
    books.sent[index] = offset;
    const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
      partitionIndex,
      committedOffset: offset,
      committedMetadata: metadataOf(index, partitionIndex, offset),
    }));
    const commit = { groupId: groupName(index), generationIdOrMemberEpoch: -1, topics: [{ name: TOPIC, partitions }] };
    const answer = await client.ask(offsetCommitRequest, offsetCommitResponse, COMMIT_VERSION, commit).catch(() => null);
    if (answer === null) break;
    const codes = answer.topics.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorCode));
    expect(codes).toHaveLength(PARTITIONS);
    if (codes.every((code) => code === ERROR.NONE)) {
      books.acknowledged[index] = offset;
      books.commitCount++;
    } else for (const code of codes) expect(NOT_YET, errorName(code)).toContain(code);
  }
  client?.close();
}

/** Asks for all groups until each has been answered without an error; every such answer holds what was acknowledged. Null: the broker died. */
async function checkAll(port: number, books: Books): Promise<{ readonly refusals: number } | null> {
  const client = await untilConnected(port);
  const groups = GROUP_IDS.map((groupId) => ({ groupId, topics: null }));
  let refusals = 0;
  try {
    for (;;) {
      const answer = await client.ask(offsetFetchRequest, offsetFetchResponse, FETCH_VERSION, { groups }).catch(() => null);
      if (answer === null) return null;
      expect(answer.groups.map(({ groupId }) => groupId)).toEqual(GROUP_IDS);
      let refused = 0;
      for (const [index, group] of answer.groups.entries()) {
        if (group.errorCode === ERROR.NONE) checkGroup(index, group, books);
        else {
          expect(NOT_YET, errorName(group.errorCode)).toContain(group.errorCode);
          refused++;
        }
      }
      refusals += refused;
      if (refused === 0) return { refusals };
      await delay(1);
    }
  } finally {
    client.close();
  }
}

function checkGroup(index: number, { topics }: FetchedGroup, { sent, acknowledged }: Books): void {
  const least = acknowledged[index] ?? 0;
  const partitions = topics.flatMap((topic) => topic.partitions);
  if (least > 0) expect(partitions.map(({ partitionIndex }) => partitionIndex).sort(), groupName(index)).toEqual([0, 1, 2, 3, 4]);
  for (const { partitionIndex, committedOffset, metadata, errorCode } of partitions) {
    const where = `${groupName(index)}, partition ${partitionIndex}`;
    expect(errorCode, where).toBe(ERROR.NONE);
    expect(committedOffset, where).toBeGreaterThanOrEqual(least);
    expect(committedOffset, where).toBeLessThanOrEqual(sent[index] ?? 0);
    expect(metadata).toBe(metadataOf(index, partitionIndex, committedOffset));
  }
  // A commit is one decision: it is there whole or not at all.
  expect(new Set(partitions.map(({ committedOffset }) => committedOffset)).size).toBeLessThanOrEqual(1);
}

async function untilConnected(port: number): Promise<WireClient> {
  for (;;) {
    try {
      return await WireClient.connect(port);
    } catch {
      await delay(2);
    }
  }
}

const kills = Number(process.env.NARU_TEST_KILLS ?? 5);

it.each([0, 1, 2])(
  `committed offsets outlive ${kills} kills in a row at %i workers`,
  { timeout: 60_000 + kills * 30_000 },
  async (workers) => {
    const books = new Books();
    const port = await freePort();
    let broker = await BrokerProcess.start({ workers, port, overrides: OVERRIDES });
    const { directory } = broker;
    const start = (): Promise<BrokerProcess> => BrokerProcess.launch({ workers, port, directory, overrides: OVERRIDES });
    try {
      const client = await WireClient.connect(port);
      await client.createTopic(TOPIC, PARTITIONS);
      const found = await client.ask(findCoordinatorRequest, findCoordinatorResponse, 4, { keyType: 0, coordinatorKeys: ['group-0'] });
      expect(found.coordinators[0]?.errorCode).toBe(ERROR.NONE);
      client.close();
      for (let kill = 1; kill <= kills; kill++) {
        const committing = Array.from({ length: COMMITTERS }, (_, lane) => commitUntilKilled(port, lane, books));
        // However slow the machine: every group has committed, and segments are rolled.
        const enough = books.commitCount + COMMITS_BETWEEN_KILLS;
        while (books.commitCount < enough) await delay(20);
        await delay(Math.random() * 300);
        await broker.stop('SIGKILL');
        await Promise.all(committing);
        if (kill % 2 === 0) {
          // And once more while it starts, loads, or has just been asked.
          broker = await start();
          const asked = checkAll(port, books);
          await delay(100 + Math.random() * 500);
          await broker.stop('SIGKILL');
          // The connection may be to nobody yet: the next start answers it.
          broker = await start();
          await asked;
        } else broker = await start();
        expect(await checkAll(port, books)).not.toBeNull();
      }
      expect(books.acknowledged.filter((offset) => offset > 0)).toHaveLength(GROUPS);
      const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      const segments = files.filter((name) => name.startsWith('__consumer_offsets-') && name.endsWith('.log'));
      expect(segments.length).toBeGreaterThan(12);
      expect(await broker.stop()).toEqual({ code: 0, signal: null });
      broker = await start();
      expect(await checkAll(port, books)).not.toBeNull();
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${broker.output}`, { cause: error });
    } finally {
      await broker.dispose();
    }
  },
);
