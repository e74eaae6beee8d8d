// Another process appends to the metadata log of a broker that serves, as a combined node of Apache Kafka does before it meets the directory's
// lock: the directory goes offline before anything is written over, and the next start reads both.
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { FileStorage } from '../../src/log/file-storage.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log.ts';
import { METADATA_DIRECTORY } from '../../src/metadata/bootstrap.ts';
import { MetadataLog } from '../../src/metadata/metadata-log.ts';
import { encodeRecordBatch } from '../../src/metadata/record-batch.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { isForeign } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function createTopic(client: WireClient, name: string): Promise<number | undefined> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1 }];
  const answer = await client.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 });
  return answer.topics[0]?.errorCode;
}

it.skipIf(isForeign)('a metadata log that another process has appended to is written no further', async () => {
  const http = `http://127.0.0.1:${await freePort()}`;
  // Without idle records nothing is written while the other process has the log open.
  const overrides = { 'naru.http.listener': http, 'metadata.max.idle.interval.ms': '0' };
  const broker = await BrokerProcess.start({ workers: 1, overrides });
  cleanUps.push(() => broker.dispose());
  const client = await WireClient.connect(broker.port);
  expect(await createTopic(client, 'kept')).toBe(ERROR.NONE);

  const directory = `${broker.directory}/${METADATA_DIRECTORY}`;
  const nowMs = Date.now();
  const other = MetadataLog.open({ storage: new FileStorage(), directory, config: DEFAULT_LOG_CONFIG, nowMs });
  const place = { baseOffset: other.logEndOffset, leaderEpoch: other.lastEpoch + 1, timestampMs: nowMs };
  other.append(encodeRecordBatch([{ type: 'NoOpRecord' }], place), nowMs);
  other.close({ clean: false });
  const path = `${directory}/00000000000000000000.log`;
  const left = readFileSync(path);

  expect(await createTopic(client, 'late')).toBe(ERROR.KAFKA_STORAGE_ERROR);
  expect(await createTopic(client, 'later')).toBe(ERROR.KAFKA_STORAGE_ERROR);
  const ready = await fetch(`${http}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('another process has written to the metadata log')]);
  client.close();
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
  expect(readFileSync(path).equals(left)).toBe(true);
  expect(broker.output.split('\n').filter((line) => / ERROR /.test(line))).toEqual([
    expect.stringMatching(/the log directory failed and is offline .*another process has written to the metadata log/),
  ]);

  const next = await BrokerProcess.start({ workers: 1, directory: broker.directory });
  cleanUps.unshift(() => next.stop());
  const again = await WireClient.connect(next.port);
  expect(await createTopic(again, 'kept')).toBe(ERROR.TOPIC_ALREADY_EXISTS);
  expect(await createTopic(again, 'late')).toBe(ERROR.NONE);
  again.close();
});
