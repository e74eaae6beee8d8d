// A log in which another broker ended transactions, and left one open: whoever reads committed records alone is told what to leave out,
// wherever it begins, and is given nothing behind the start of what is still open.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileStorage } from '../../src/log/file-storage.ts';
import { DEFAULT_LOG_CONFIG, Log } from '../../src/log/log.ts';
import { buildControlBatch, CONTROL_TYPE } from '../../src/protocol/records/control.ts';
import { labelled } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { type PartitionFetched, WireClient } from '../support/wire-client.ts';

const TOPIC = 'transactions';

describe.each([0, 2])('committed records alone, %i workers', (workers) => {
  let directory = '';
  let broker: BrokerProcess | null = null;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'naru-aborted-'));
  });
  afterEach(async () => {
    await broker?.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  async function startOn(): Promise<WireClient> {
    broker = await BrokerProcess.start({ workers, directory });
    return WireClient.connect(broker.port);
  }

  /** 0-9 of producer 7, aborted by the marker at 10, then 11, plain; with `isLastOpen` 12-16 of producer 8 and 17, plain. */
  function writeLog(topicId: string, isLastOpen: boolean): void {
    const log = Log.open({
      storage: new FileStorage(),
      directory: join(directory, `${TOPIC}-0`),
      topicId,
      config: DEFAULT_LOG_CONFIG,
      nowMs: Date.now(),
      cleanShutdown: false,
      recoveryPoint: 0,
      logStartOffset: 0,
    });
    const abort = { type: CONTROL_TYPE.ABORT, value: new Uint8Array(6) };
    const batches = [
      labelled('aborted', 0, 10, { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
      buildControlBatch({ producerId: 7, producerEpoch: 0, isTransactional: true }, Date.now(), [abort]),
      labelled('plain', 0, 1),
      ...(isLastOpen ? [labelled('open', 0, 5, { producerId: 8, producerEpoch: 0, baseSequence: 0, isTransactional: true })] : []),
      ...(isLastOpen ? [labelled('plain', 1, 1)] : []),
    ];
    for (const batch of batches) log.stageOwn(batch, 0, batch.length, 0, Date.now());
    log.writeStaged();
    log.close({ clean: false });
  }

  async function fetched(client: WireClient, fetchOffset: number, isolationLevel = 1): Promise<PartitionFetched | undefined> {
    const topics = [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }];
    return (await client.fetch({ isolationLevel, maxWaitMs: 0, topics })).partitions[0];
  }

  const offsetsOf = (part: PartitionFetched | undefined): number[] | undefined => part?.records.map(({ offset }) => offset);

  async function moved(isLastOpen: boolean): Promise<WireClient> {
    const first = await startOn();
    const topicId = await first.createTopic(TOPIC);
    first.close();
    await broker?.stop('SIGKILL');
    writeLog(topicId, isLastOpen);
    return startOn();
  }

  test('are told which to leave out, from any offset that they reach to', async () => {
    const client = await moved(false);
    const aborted = [{ producerId: 7, firstOffset: 0 }];
    // Twice: what a fetch near the tail teaches the worker must not make the next one forget them.
    for (let round = 0; round < 2; round++) {
      expect(await fetched(client, 0)).toMatchObject({ lastStableOffset: 12, abortedTransactions: aborted });
      expect(await fetched(client, 10)).toMatchObject({ lastStableOffset: 12, abortedTransactions: aborted });
      const behind = await fetched(client, 11);
      expect([behind?.abortedTransactions, offsetsOf(behind)]).toEqual([[], [11]]);
      expect((await fetched(client, 0, 0))?.abortedTransactions).toBeNull();
    }
    await client.produce(TOPIC, 0, labelled('ours', 0, 2));
    expect(await fetched(client, 0)).toMatchObject({ lastStableOffset: 14, abortedTransactions: aborted });
    expect(offsetsOf(await fetched(client, 12))).toEqual([12, 13]);
    client.close();
    expect(await broker?.stop()).toEqual({ code: 0, signal: null });
    const again = await startOn();
    expect(await fetched(again, 3)).toMatchObject({ lastStableOffset: 14, abortedTransactions: aborted });
    again.close();
  });

  test('end where a transaction is open that nobody ends', async () => {
    const client = await moved(true);
    const part = await fetched(client, 0);
    expect(part).toMatchObject({ highWatermark: 18, lastStableOffset: 12 });
    expect(offsetsOf(part)?.at(-1)).toBe(11);
    expect(offsetsOf(await fetched(client, 12))).toEqual([]);
    expect(offsetsOf(await fetched(client, 12, 0))).toEqual([12, 13, 14, 15, 16, 17]);
    client.close();
  });
});
