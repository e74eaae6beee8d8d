// A broker with little memory and many producers that send more than it holds: consumers, metadata and groups are served meanwhile,
// everything that was sent is acknowledged once and is there, and no connection is lost.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { joinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { syncGroupRequest, syncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const MIB = 1 << 20;
const PRODUCERS = 24;
const PIPELINED = 3;
const VALUE_BYTES = 500_000;
const ROUNDS = 5;
/** Less than a batch: each answer brings one. */
const BATCH_BYTES = 64 * 1024;

function residentBytes(pid: number | undefined): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

describe.each(workerCounts(0, 2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it('producers that flood a small naru.memory.max stop neither consumers nor metadata nor groups', { timeout: 120_000 }, async () => {
    const memoryBytes = 16 * MIB * Math.max(1, workers);
    const broker = await BrokerProcess.start({
      workers,
      overrides: { 'naru.memory.max': String(memoryBytes), 'group.initial.rebalance.delay.ms': '0', 'offsets.topic.num.partitions': '2' },
    });
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic('flood', PRODUCERS);
      await client.createTopic('read', 1);
      for (let i = 0; i < 4; i++) await client.produce('read', 0, labelled('read', i, 1, { valueBytes: VALUE_BYTES }));
      await expect // The first question makes the topic of offsets.
        .poll(async () => (await client.ask(findCoordinatorRequest, findCoordinatorResponse, 3, { key: 'group', keyType: 0 })).errorCode)
        .toBe(0);
      const before = residentBytes(broker.child.pid);

      let isOver = false;
      const acknowledged: number[] = [];
      const flood = Array.from({ length: PRODUCERS }, async (_, partition) => {
        const producer = await WireClient.connect(broker.port);
        const sent: number[] = [];
        let next = 0;
        let count = 0;
        while (!isOver || sent.length > 0) {
          while (!isOver && sent.length < PIPELINED) {
            const batch = labelled(`flood-${partition}`, next++, 1, { valueBytes: VALUE_BYTES });
            sent.push(producer.sendProduce('flood', new Map([[partition, batch]])));
          }
          const [answer] = await producer.receiveProduced(sent.shift() as number);
          expect(answer).toMatchObject({ errorCode: 0, baseOffset: count++ });
        }
        acknowledged[partition] = count;
        producer.close();
      });

      const group = await WireClient.connect(broker.port);
      let mostBytes = before;
      for (let round = 0; round < ROUNDS; round++) {
        const fetched = await client.fetchFrom('read', 0, round % 4, MIB);
        expect(labels(fetched.records)).toContain(`read/${round % 4}`);
        expect((await client.metadata('flood')).topics[0]?.partitions).toHaveLength(PRODUCERS);
        // Too large for the landing buffer: it needs memory of the arena.
        const joined = await group.ask(joinGroupRequest, joinGroupResponse, 3, {
          groupId: `group-${round}`,
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 10_000,
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata: Buffer.alloc(200_000, round) }],
        });
        expect([joined.errorCode, joined.generationId]).toEqual([0, 1]);
        mostBytes = Math.max(mostBytes, residentBytes(broker.child.pid));
      }
      isOver = true;
      await Promise.all(flood);
      // What was offered at once was PRODUCERS × PIPELINED × VALUE_BYTES = 36 MB and would have grown with more of either.
      expect(mostBytes - before).toBeLessThan(memoryBytes + 160 * MIB);
      for (const [partition, count] of acknowledged.entries()) {
        expect(count).toBeGreaterThan(0);
        expect(labels(await client.readAll('flood', partition))).toEqual(range(`flood-${partition}`, 0, count));
      }
      expect(broker.output).not.toContain('memory');
      client.close();
      group.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      await broker.dispose();
    }
  });

  it('produces that each take half of naru.memory.max, all at once, are taken one after the other', { timeout: 120_000 }, async () => {
    const broker = await BrokerProcess.start({
      workers,
      overrides: { 'naru.memory.max': String(16 * MIB * Math.max(1, workers)), 'message.max.bytes': '8000000' },
    });
    try {
      const client = await WireClient.connect(broker.port);
      await client.createTopic('large', 8);
      for (let round = 0; round < 3; round++) {
        const large = await Promise.all(
          Array.from({ length: 8 * Math.max(1, workers) }, async (_, each) => {
            const producer = await WireClient.connect(broker.port);
            const batch = labelled('large', each, 1, { valueBytes: 6_000_000 + 150_000 * (each % 8) });
            const produced = await producer.produce('large', each % 8, batch);
            producer.close();
            return produced.errorCode;
          }),
        );
        expect(new Set(large)).toEqual(new Set([0]));
      }
      expect(await client.offsetAt('large', 0, -1)).toBe(3 * Math.max(1, workers));
      expect(broker.output).not.toContain('memory');
      client.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      await broker.dispose();
    }
  });

  it('a request to a group that could never be handed on beside its own frame is closed, one that can be is answered', async () => {
    const broker = await BrokerProcess.start({
      workers,
      overrides: { 'naru.memory.max': String(16 * MIB * Math.max(1, workers)), 'offsets.topic.num.partitions': '1' },
    });
    try {
      const client = await WireClient.connect(broker.port);
      await expect // The first question makes the topic of offsets.
        .poll(async () => (await client.ask(findCoordinatorRequest, findCoordinatorResponse, 3, { key: 'group', keyType: 0 })).errorCode)
        .toBe(0);
      const sync = async (bytes: number): Promise<number> => {
        const member = await WireClient.connect(broker.port);
        const assignments = [{ memberId: 'member', assignment: Buffer.alloc(bytes) }];
        const wanted = { groupId: 'group', generationId: 1, memberId: 'member', assignments };
        const { errorCode } = await member.ask(syncGroupRequest, syncGroupResponse, 3, wanted);
        member.close();
        return errorCode;
      };
      await expect.poll(() => sync(3 * MIB)).toBe(ERROR.UNKNOWN_MEMBER_ID);
      // A slab of 8 MiB for its frame: there is no other one. None is kept, or the next ones would wait for it.
      for (let i = 0; i < 3; i++) await expect(sync(5 * MIB)).rejects.toThrow('the connection was closed');
      expect(broker.output).toContain('bytes to a coordinator, for which there can never be room beside its frame');
      expect(await sync(3 * MIB)).toBe(ERROR.UNKNOWN_MEMBER_ID);
      client.close();
      expect((await broker.stop()).code).toBe(0);
    } finally {
      await broker.dispose();
    }
  });

  it.each(['on', 'off'])(
    'readers that take nothing keep nothing from those who read, with naru.native=%s',
    { timeout: 60_000 },
    async (native) => {
      const memoryBytes = 64 * MIB;
      const broker = await BrokerProcess.start({
        workers,
        overrides: { 'naru.memory.max': String(memoryBytes), 'naru.native': native, 'naru.connection.stall.ms': '500' },
      });
      const silent: WireClient[] = [];
      try {
        const client = await WireClient.connect(broker.port);
        await client.createTopic('much', 2);
        for (let i = 0; i < 60; i++) await client.produce('much', 0, labelled('much', 10 * i, 10, { valueBytes: 9000 }));
        const before = residentBytes(broker.child.pid);
        const asked = [{ topic: 'much', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10 * MIB }] }];
        for (let i = 0; i < 60; i++) {
          const reader = await WireClient.connect(broker.port);
          reader.raw.socket.pause();
          for (let k = 0; k < 5; k++) reader.sendFetch({ maxWaitMs: 100, minBytes: 1, maxBytes: 50 * MIB, topics: asked });
          silent.push(reader);
        }
        // What they want is 60 × 5 × 5.4 MB = 1.6 GB. Meanwhile others write, ask and are answered: a consumer asks until it has its records.
        let mostBytes = 0;
        const got: string[] = [];
        const wanted = range('much', 0, 600);
        while (got.length < wanted.length) {
          await client.produce('much', 1, labelled('little', got.length, 1, { valueBytes: 100 }));
          const { errorCode, records } = await client.fetchFrom('much', 0, got.length, BATCH_BYTES);
          expect(errorCode).toBe(0);
          got.push(...labels(records).slice(got.length % 10)); // A batch comes whole.
          expect((await client.metadata('much')).topics).toHaveLength(1);
          mostBytes = Math.max(mostBytes, residentBytes(broker.child.pid));
        }
        expect(got).toEqual(wanted);
        expect(mostBytes - before).toBeLessThan(memoryBytes + 100 * MIB);
      } finally {
        for (const reader of silent) reader.close();
        await broker.dispose();
      }
    },
  );
});
