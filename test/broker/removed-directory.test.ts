// The log directory is removed under a broker that serves. Its files would still take all that is written, for nobody: the directory goes
// offline with one line, is not made again, and the process stays up.
import { existsSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled } from '../support/batches.ts';
import { BrokerProcess, freePort } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

const WITHIN_MS = 30_000;
/** Who finds out first: a write, or the pool, which still syncs the names of new logs. */
const CAUSE = /(?:writing into the removed directory|syncing) \S+: ENOENT/;
const TOPICS = ['a', 'b', 'c', 'd'];

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

describe.each([0, 2])('at %i workers', (workers) => {
  it.for(['a topic is made', 'records come'])('goes offline and makes nothing again when %s', async (when) => {
    const http = `http://127.0.0.1:${await freePort()}`;
    const broker = await BrokerProcess.start({ workers, overrides: { 'naru.http.listener': http } });
    cleanUps.push(() => broker.child.kill('SIGKILL'));
    const client = await WireClient.connect(broker.port);
    for (const topic of TOPICS) {
      await client.createTopic(topic);
      expect(await client.produce(topic, 0, labelled(topic, 0, 1))).toMatchObject({ errorCode: ERROR.NONE });
    }

    rmSync(broker.directory, { recursive: true, force: true });
    if (when === 'a topic is made') {
      const topics = [{ name: 'late', numPartitions: 1, replicationFactor: 1 }];
      const answer = await client.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 });
      expect(answer.topics[0]?.errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    }
    for (const topic of TOPICS) {
      const produce = async (): Promise<void> => {
        expect((await client.produce(topic, 0, labelled(topic, 1, 1))).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
      };
      await vi.waitFor(produce, WITHIN_MS);
    }
    expect((await client.fetchFrom('a', 0, 0)).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    const isNotReady = async (): Promise<void> => {
      const ready = await fetch(`${http}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([503, expect.stringMatching(CAUSE)]);
    };
    await vi.waitFor(isNotReady, WITHIN_MS);

    client.close();
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(broker.directory)).toBe(false);
    const troubles = broker.output.split('\n').filter((line) => / (?:WARN|ERROR) /.test(line));
    expect(troubles).toEqual([
      expect.stringMatching(new RegExp(`ERROR .*the log directory failed and is offline .*${CAUSE.source}`)),
      expect.stringMatching(/WARN .*the broker has stopped: the next start checks its logs clean=false/),
    ]);
  });
});
