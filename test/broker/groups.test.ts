// Groups of real consumers over real sockets at 0, 1 and 2 workers: members join, one leaves, one is killed, one comes back; every record
// is processed, and committed offsets outlive a restart and a kill -9.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { BrokerProcess, type BrokerProcessOptions } from '../support/broker-process.ts';
import { Crowd, type Member } from '../support/group/crowd.ts';
import type { MemberOptions } from '../support/group/member.ts';
import { kcatMissing } from '../support/kcat.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const PARTITIONS = 6;
const OVERRIDES = {
  'offsets.topic.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '20',
  'group.min.session.timeout.ms': '100',
  'group.consumer.min.session.timeout.ms': '100',
  'group.consumer.session.timeout.ms': '1500',
  'group.consumer.min.heartbeat.interval.ms': '50',
  'group.consumer.heartbeat.interval.ms': '100',
  'group.consumer.assignment.interval.ms': '0',
};
const SESSION_MS = 1500;
/** All of them at once, a broker of its own for each that restarts: on a busy machine that takes its time. */
const TIMEOUT_MS = 180_000;
const CLIENTS = ['kafkajs', 'platformatic', 'platformatic-consumer', 'kcat'] as const;

describe.each(workerCounts(0, 1, 2))('at %i workers', (workers) => {
  let broker: BrokerProcess;
  const start = (more: Partial<BrokerProcessOptions> = {}): Promise<BrokerProcess> =>
    BrokerProcess.start({ workers, overrides: OVERRIDES, ...more });

  skipSuite(isForeign ? foreignReason : null);
  beforeAll(async () => {
    if (!isForeign) broker = await start();
  });
  afterAll(async () => {
    if (isForeign) return;
    const exit = await broker.stop();
    await broker.dispose();
    expect(exit, broker.output).toEqual({ code: 0, signal: null });
  });

  async function crowdOf(client: MemberOptions['client'], name: string, of = broker): Promise<Crowd> {
    const topic = `${name}-${workers}`;
    const wire = await WireClient.connect(of.port);
    await wire.createTopic(topic, PARTITIONS);
    wire.close();
    const timing = { sessionTimeoutMs: SESSION_MS, heartbeatMs: 100 };
    return new Crowd(of.port, PARTITIONS, { client, topic, groupId: `group-${topic}`, ...timing });
  }

  async function committed(crowd: Crowd): Promise<number[]> {
    const wire = await WireClient.connect(crowd.port);
    const partitionIndexes = Array.from({ length: PARTITIONS }, (_, i) => i);
    for (;;) {
      const answer = await wire.ask(offsetFetchRequest, offsetFetchResponse, 8, {
        groups: [{ groupId: crowd.groupId, topics: [{ name: crowd.topic, partitionIndexes }] }],
      });
      const [group] = answer.groups;
      if (group?.errorCode === 0) {
        wire.close();
        return (group.topics[0]?.partitions ?? []).map(({ committedOffset }) => committedOffset);
      }
      // Being loaded, after a start.
      expect(group?.errorCode).toBe(14);
    }
  }

  it.concurrent.for(CLIENTS)(
    '%s shares, loses and regains members without losing a record',
    { timeout: TIMEOUT_MS },
    async (client, context) => {
      context.skip(client === 'kcat' && kcatMissing !== null, kcatMissing ?? '');
      const crowd = await crowdOf(client, `shared-${client}`);
      const members: Member[] = [];
      try {
        crowd.produce();
        const [first, second, third] = [crowd.member(), crowd.member(), crowd.member({ instanceId: 'static', isMortal: true })] as const;
        members.push(first, second, third);
        await crowd.isSharedBy(first, second, third);
        // As long as nobody comes or goes, each record is processed once.
        const from = [...crowd.ends];
        await crowd.goesOn(5);
        const counts = crowd.seen.flatMap((each, partition) => each.slice(from[partition]));
        expect(counts.length).toBeGreaterThanOrEqual(5 * PARTITIONS);
        expect(new Set(counts)).toEqual(new Set([1]));
        // A kcat that is told to end drops the record that it waits for, and commits it all the same: it goes where none comes.
        const isQuiet = client === 'kcat';
        if (isQuiet) await crowd.quiet();
        if (isQuiet) await crowd.isProcessed();
        await second.end();
        if (isQuiet) crowd.produce();
        await crowd.isSharedBy(first, third);
        await third.end();
        const back = crowd.member({ instanceId: 'static' });
        members.push(back);
        await crowd.isSharedBy(first, back);
        await crowd.quiet();
        await crowd.isProcessed();
        expect(crowd.strangers).toEqual([]);
        await first.end();
        await back.end();
        expect(await committed(crowd)).toEqual(crowd.ends);
      } finally {
        await crowd.quiet();
        for (const member of members) await member.end();
      }
    },
  );

  it.concurrent.for(CLIENTS)(
    'what %s committed outlives a restart and a kill -9, and its group goes on behind it',
    { timeout: TIMEOUT_MS },
    async (client, context) => {
      context.skip(client === 'kcat' && kcatMissing !== null, kcatMissing ?? '');
      let own = await start();
      try {
        const crowd = await crowdOf(client, `durable-${client}`, own);
        crowd.produce();
        const before = crowd.member();
        await crowd.isSharedBy(before);
        await crowd.quiet();
        await crowd.isProcessed();
        await before.end();
        const offsets = await committed(crowd);
        expect(offsets).toEqual(crowd.ends);
        for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
          await own.stop(signal);
          const { directory, port } = own;
          own = await start({ directory, port });
          expect(await committed(crowd), signal).toEqual(offsets);
        }
        const seen = crowd.seen.map((counts) => counts.length);
        crowd.produce();
        const after = crowd.member();
        await crowd.isSharedBy(after);
        await crowd.quiet();
        await crowd.isProcessed();
        for (const [partition, counts] of crowd.seen.entries()) {
          expect(counts.slice(0, seen[partition])).toEqual(new Array(seen[partition]).fill(1));
          expect(counts.length).toBeGreaterThan(seen[partition] as number);
        }
        await after.end();
      } finally {
        await own.dispose();
      }
    },
  );
});
