// A disk that fills up under a broker that serves, whichever log meets it first, the metadata log included: the log directory goes offline,
// everything that needs it is refused with KAFKA_STORAGE_ERROR, and the process stays up. After a start with room, what was acknowledged is there, and all of it works.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/apis/init-producer-id.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { labelled, labels, range } from '../support/batches.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { noSmallDisk, SmallDisk } from '../support/small-disk.ts';
import { WireClient } from '../support/wire-client.ts';

const PAGES = 128;
const IDLE_INTERVAL_MS = 20;
const MANY_IDLE_INTERVALS = 20;
const OFFLINE = /log directory failed and is offline.*ENOSPC/g;
const OFFLINE_WITHIN_MS = 60_000;

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function errorOfCreation(client: WireClient, name: string, numPartitions = 1): Promise<number | undefined> {
  const topics = [{ name, numPartitions, replicationFactor: 1 }];
  return (await client.ask(createTopicsRequest, createTopicsResponse, 7, { topics, timeoutMs: 10_000 })).topics[0]?.errorCode;
}

async function errorOfDeletion(client: WireClient, name: string): Promise<number | undefined> {
  return (await client.ask(deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ name }], timeoutMs: 10_000 })).responses[0]
    ?.errorCode;
}

describe.each([0, 2])('at %i workers', (workers) => {
  it.for([
    'a topic is made',
    'a topic of more partitions than the metadata log has room for is made',
    'nobody asks for anything',
    'records come',
  ])('goes offline and stays up when the disk is full and %s', async (when, context) => {
    context.skip(noSmallDisk !== null, noSmallDisk ?? '');
    const disk = new SmallDisk(PAGES);
    cleanUps.push(() => disk.remove());
    const directory = disk.directory('data');
    const metadataLog = join(directory, '__cluster_metadata-0', '00000000000000000000.log');
    const overrides = { 'metadata.max.idle.interval.ms': String(IDLE_INTERVAL_MS) };
    const broker = await BrokerProcess.start({ workers, directory, overrides });
    cleanUps.unshift(() => broker.child.kill('SIGKILL'));
    const client = await WireClient.connect(broker.port);
    for (let i = 0; i < 4; i++) await client.createTopic(`kept-${i}`);
    for (let i = 0; i < 4; i++) {
      expect(await client.produce(`kept-${i}`, 0, labelled(`kept-${i}`, 0, 3))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    }

    disk.fill();
    let isHalfMade = false;
    if (when === 'a topic is made') {
      // Of the cluster it is, as for Apache Kafka, where its metadata found room: that was committed before a broker tried to make its
      // partition. Idle records may have taken the room.
      isHalfMade = (await errorOfCreation(client, 'half-made')) === ERROR.NONE;
      if (isHalfMade) {
        const answer = await client.produce('half-made', 0, labelled('half-made', 0, 1));
        expect(answer).toMatchObject({ errorCode: ERROR.KAFKA_STORAGE_ERROR });
      }
      if (isHalfMade) expect((await client.fetchFrom('half-made', 0, 0)).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    } else if (when === 'nobody asks for anything') {
      await vi.waitFor(() => expect(broker.output).toMatch(OFFLINE), OFFLINE_WITHIN_MS);
    } else if (when !== 'records come') {
      expect(await errorOfCreation(client, 'too-large', 200)).toBe(ERROR.KAFKA_STORAGE_ERROR);
    } else {
      const batch = labelled('too-much', 0, 10, { valueBytes: 1000 });
      expect(await client.produce('kept-0', 0, batch)).toMatchObject({ errorCode: ERROR.KAFKA_STORAGE_ERROR });
    }
    for (let i = 0; i < 4; i++) {
      expect(await client.produce(`kept-${i}`, 0, labelled(`kept-${i}`, 3, 1))).toMatchObject({ errorCode: ERROR.KAFKA_STORAGE_ERROR });
      expect((await client.fetchFrom(`kept-${i}`, 0, 0)).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    }
    // As Apache Kafka tells of a partition whose directory failed: nobody leads it.
    const offline = { errorCode: ERROR.LEADER_NOT_AVAILABLE, leaderId: -1, replicaNodes: [1], isrNodes: [1], offlineReplicas: [1] };
    expect((await client.metadata('kept-0')).topics[0]).toMatchObject({ errorCode: ERROR.NONE, partitions: [offline] });
    expect(await errorOfCreation(client, 'refused')).toBe(ERROR.KAFKA_STORAGE_ERROR);
    expect(await errorOfDeletion(client, 'kept-0')).toBe(ERROR.KAFKA_STORAGE_ERROR);
    const { errorCode } = await client.ask(initProducerIdRequest, initProducerIdResponse, 4, {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
    });
    expect(errorCode).toBe(ERROR.COORDINATOR_LOAD_IN_PROGRESS);
    // The controller writes nothing on its own account either.
    const sizeBytes = statSync(metadataLog).size;
    await delay(IDLE_INTERVAL_MS * MANY_IDLE_INTERVALS);
    expect(statSync(metadataLog).size).toBe(sizeBytes);
    expect((await client.metadata('refused')).topics[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    client.close();
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
    expect(broker.output.match(OFFLINE)).toHaveLength(1);
    expect(existsSync(join(directory, '.kafka_cleanshutdown'))).toBe(false);

    disk.resize(PAGES * 2);
    const next = await BrokerProcess.start({ workers, directory });
    cleanUps.unshift(() => next.child.kill('SIGKILL'));
    const reader = await WireClient.connect(next.port);
    for (let i = 0; i < 4; i++) expect(labels(await reader.readAll(`kept-${i}`))).toEqual(range(`kept-${i}`, 0, 3));
    expect(await errorOfDeletion(reader, 'kept-0')).toBe(ERROR.NONE);
    expect(await errorOfCreation(reader, 'refused')).toBe(ERROR.NONE);
    expect((await reader.metadata('too-large')).topics[0]?.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    if (isHalfMade) {
      expect(await reader.produce('half-made', 0, labelled('half-made', 0, 2))).toMatchObject({ errorCode: 0, baseOffset: 0 });
      expect(labels(await reader.readAll('half-made'))).toEqual(range('half-made', 0, 2));
    }
    reader.close();
    expect(await next.stop()).toEqual({ code: 0, signal: null });
    expect(readdirSync(directory)).toContain('.kafka_cleanshutdown');
  });
});
