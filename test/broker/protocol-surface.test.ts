// Every API and version that is advertised: a small valid request gets an answer that our codecs read at that very version to its
// last byte, and that says what was asked for. The advertised ranges are Kafka's stable ones.
// With NARU_TEST_BOOTSTRAP=host:port the requests go to another broker.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API, apiName } from '../../src/protocol/api-keys.ts';
import { type ApiVersionsResponse, apiVersionsRequest, apiVersionsResponse } from '../../src/protocol/apis/api-versions.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../../src/protocol/apis/delete-topics.ts';
import { describeClusterRequest, describeClusterResponse } from '../../src/protocol/apis/describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { describeTopicPartitionsRequest, describeTopicPartitionsResponse } from '../../src/protocol/apis/describe-topic-partitions.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/apis/init-producer-id.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../../src/protocol/apis/list-offsets.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from '../../src/protocol/apis/offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { BASE_TIME_MS, labelled, labels, range } from '../support/batches.ts';
import { isForeign, Target, workerCounts } from '../support/target.ts';
import { WireClient } from '../support/wire-client.ts';

const SPEC = process.env.NARU_KAFKA_SPEC ?? join(import.meta.dirname, '../../../shared/kafka-spec');
const rangesFile = join(SPEC, 'api-versions-4.3.tsv');
const SERVED = [
  API.Produce,
  API.Fetch,
  API.ListOffsets,
  API.Metadata,
  API.ApiVersions,
  API.CreateTopics,
  API.DeleteTopics,
  API.InitProducerId,
  API.OffsetForLeaderEpoch,
  API.DescribeConfigs,
  API.DescribeCluster,
  API.DescribeTopicPartitions,
  // Changes of configurations are tested in config-changes.test.ts, at every version.
  API.AlterConfigs,
  API.IncrementalAlterConfigs,
  API.ListConfigResources,
  // What groups are asked is tested in group-answers.test.ts and coordinator-answers.test.ts.
  API.OffsetCommit,
  API.OffsetFetch,
  API.FindCoordinator,
  API.JoinGroup,
  API.Heartbeat,
  API.LeaveGroup,
  API.SyncGroup,
  API.DescribeGroups,
  API.ListGroups,
  API.DeleteGroups,
  API.OffsetDelete,
  API.ConsumerGroupHeartbeat,
  API.ConsumerGroupDescribe,
  // And what a node alone is asked, or of partitions and the records in them, in admin-answers.test.ts.
  API.CreatePartitions,
  API.DeleteRecords,
  API.DescribeAcls,
  API.CreateAcls,
  API.DeleteAcls,
  API.AlterReplicaLogDirs,
  API.DescribeLogDirs,
  API.ElectLeaders,
  API.AlterPartitionReassignments,
  API.UpdateFeatures,
  API.UnregisterBroker,
  API.ListPartitionReassignments,
  API.DescribeClientQuotas,
  API.DescribeUserScramCredentials,
  API.DescribeQuorum,
  API.DescribeProducers,
  API.ListTransactions,
];

/** API key → "first-last" of its stable versions. */
function stableRanges(): Map<number, string> {
  const rows = readFileSync(rangesFile, 'utf8').trim().split('\n').slice(1);
  return new Map(
    rows.flatMap((row) => {
      const [key, , versions = '', , latestUnstable] = row.split('\t');
      const bounds = /^(\d+)(?:-(\d+))?$/.exec(versions);
      if (bounds === null) return [];
      const last = Number(bounds[2] ?? bounds[1]) - (latestUnstable === 'yes' ? 1 : 0);
      return [[Number(key), `${bounds[1]}-${last}`]];
    }),
  );
}

for (const workers of workerCounts(0, 2)) {
  describe(`at ${workers} workers`, () => {
    let target: Target;
    let client: WireClient;
    let advertised: ApiVersionsResponse;
    let topicId: string;
    const topic = `surface-${process.pid}-${workers}`;
    const label = 'surface';

    beforeAll(async () => {
      target = await Target.open(workers);
      client = await WireClient.connect(target.port);
      advertised = await client.ask(apiVersionsRequest, apiVersionsResponse, 0, {});
      topicId = await client.createTopic(topic, 3);
      await client.produce(topic, 1, labelled(label, 0, 10));
    });
    afterAll(async () => {
      client?.close();
      await target?.close();
    });

    /** Every version that both sides know; Produce is advertised from 0 and served from 3. */
    function versionsOf(apiKey: number, first: number, last: number): number[] {
      const found = advertised.apiKeys.find((row) => row.apiKey === apiKey);
      expect(found, apiName(apiKey)).toBeDefined();
      const from = Math.max(first, found?.minVersion ?? 0);
      const to = Math.min(last, found?.maxVersion ?? -1);
      expect(to).toBeGreaterThanOrEqual(from);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    }

    it('advertises the stable ranges of the APIs that are served, and nothing else', (context) => {
      context.skip(isForeign, 'the broker of NARU_TEST_BOOTSTRAP serves other APIs');
      context.skip(!existsSync(rangesFile), `there is no ${rangesFile}`);
      const stable = stableRanges();
      const expected = SERVED.map((key) => [apiName(key), key === API.Produce ? '0-13' : stable.get(key)]);
      expect(advertised.apiKeys.map((row) => [apiName(row.apiKey), `${row.minVersion}-${row.maxVersion}`]).sort()).toEqual(expected.sort());
      const keys = advertised.apiKeys.map((row) => row.apiKey);
      expect(keys, 'by ascending key').toEqual(keys.toSorted((one, other) => one - other));
    });

    it('ApiVersions', async () => {
      for (const version of versionsOf(API.ApiVersions, 0, 4)) {
        const answer = await client.ask(apiVersionsRequest, apiVersionsResponse, version, {
          clientSoftwareName: 'naru-test',
          clientSoftwareVersion: '1.0',
        });
        expect(answer.errorCode).toBe(0);
        expect(answer.apiKeys).toEqual(advertised.apiKeys);
        if (version < 3) continue;
        expect(answer.finalizedFeatures.find((feature) => feature.name === 'metadata.version')?.maxVersionLevel).toBeGreaterThan(0);
        expect(answer.supportedFeatures.some((feature) => feature.minVersion === 0)).toBe(version >= 4);
      }
    });

    it('ApiVersions tells of features as of the last change of the metadata', async () => {
      const ask = () =>
        client.ask(apiVersionsRequest, apiVersionsResponse, 4, { clientSoftwareName: 'naru-test', clientSoftwareVersion: '1.0' });
      const { finalizedFeaturesEpoch: before, ...rest } = await ask();
      await client.createTopic(`${topic}-epoch`, 1);
      const { finalizedFeaturesEpoch: after, ...same } = await ask();
      expect(after).toBeGreaterThan(before);
      expect(same).toEqual(rest);
    });

    it('Metadata', async () => {
      for (const version of versionsOf(API.Metadata, 0, 13)) {
        const answer = await client.ask(metadataRequest, metadataResponse, version, {
          topics: [{ name: topic }],
          allowAutoTopicCreation: version < 4,
        });
        expect(answer.brokers).toHaveLength(1);
        expect(answer.brokers[0]?.port).toBe(target.port);
        expect(answer.topics).toHaveLength(1);
        expect(answer.topics[0]).toMatchObject({ errorCode: 0, name: topic });
        expect(answer.topics[0]?.partitions.map((each) => each.partitionIndex).sort()).toEqual([0, 1, 2]);
        for (const partition of answer.topics[0]?.partitions ?? []) {
          expect(partition).toMatchObject({ errorCode: 0, leaderId: answer.brokers[0]?.nodeId });
          expect(partition.replicaNodes).toEqual([answer.brokers[0]?.nodeId]);
        }
        if (version >= 10) expect(answer.topics[0]?.topicId).toBe(topicId);
        // All topics, in the way of this version; and none.
        const all = await client.ask(metadataRequest, metadataResponse, version, { topics: version === 0 ? [] : null });
        expect(all.topics.map((each) => each.name)).toContain(topic);
        if (version === 0) continue;
        const none = await client.ask(metadataRequest, metadataResponse, version, { topics: [] });
        expect(none.topics).toEqual([]);
        if (version >= 12) {
          const byId = await client.ask(metadataRequest, metadataResponse, version, { topics: [{ topicId, name: null }] });
          expect(byId.topics).toMatchObject([{ errorCode: 0, name: topic, topicId }]);
        }
      }
    });

    it('Produce and Fetch', async () => {
      let next = 0;
      for (const version of versionsOf(API.Produce, 3, 13)) {
        const answer = await client.ask(produceRequest, produceResponse, version, {
          acks: -1,
          timeoutMs: 5000,
          topicData: [
            {
              ...(version >= 13 ? { topicId } : { name: topic }),
              partitionData: [{ index: 0, records: labelled(label, next, 3) }],
            },
          ],
        });
        expect(answer.responses).toHaveLength(1);
        expect(answer.responses[0]?.partitionResponses).toMatchObject([{ index: 0, errorCode: 0, baseOffset: next, logAppendTimeMs: -1 }]);
        if (version >= 5) expect(answer.responses[0]?.partitionResponses[0]?.logStartOffset).toBe(0);
        next += 3;
      }
      for (const version of versionsOf(API.Fetch, 4, 18)) {
        const fetched = await client.fetch(
          {
            maxWaitMs: 100,
            maxBytes: 1 << 20,
            topics: [
              {
                ...(version >= 13 ? { topicId } : { topic }),
                partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }],
              },
            ],
          },
          version,
        );
        expect(fetched.errorCode).toBe(0);
        expect(fetched.partitions).toMatchObject([{ partitionIndex: 0, errorCode: 0, highWatermark: next, lastStableOffset: next }]);
        expect(labels(fetched.partitions[0]?.records ?? [])).toEqual(range(label, 0, next));
      }
    });

    it('ListOffsets', async () => {
      for (const version of versionsOf(API.ListOffsets, 1, 11)) {
        const ask = async (timestamp: number) => {
          const answer = await client.ask(listOffsetsRequest, listOffsetsResponse, version, {
            replicaId: -1,
            topics: [{ name: topic, partitions: [{ partitionIndex: 1, timestamp }] }],
            timeoutMs: 1000,
          });
          return answer.topics[0]?.partitions[0];
        };
        const epoch = version >= 4 ? 0 : -1;
        expect(await ask(-1)).toMatchObject({ errorCode: 0, offset: 10, timestamp: -1, leaderEpoch: epoch });
        expect(await ask(-2)).toMatchObject({ errorCode: 0, offset: 0, timestamp: -1, leaderEpoch: epoch });
        expect(await ask(BASE_TIME_MS + 4)).toMatchObject({ errorCode: 0, offset: 4, timestamp: BASE_TIME_MS + 4 });
        if (version >= 7) expect(await ask(-3)).toMatchObject({ errorCode: 0, offset: 9, timestamp: BASE_TIME_MS + 9 });
        if (version >= 8) expect(await ask(-4)).toMatchObject({ errorCode: 0, offset: 0 });
        if (version >= 9) expect(await ask(-5)).toMatchObject({ errorCode: 0, offset: -1 });
      }
    });

    it('CreateTopics and DeleteTopics', async () => {
      for (const version of versionsOf(API.CreateTopics, 2, 7)) {
        const name = `${topic}-created-${version}`;
        const create = () =>
          client.ask(createTopicsRequest, createTopicsResponse, version, {
            topics: [
              { name, numPartitions: 2, replicationFactor: 1, configs: [{ name: 'segment.bytes', value: '1048576' }] },
              { name: `${name}-b`, numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
            ],
            timeoutMs: 5000,
          });
        const created = (await create()).topics.find((each) => each.name === name);
        expect(created).toMatchObject({ errorCode: 0 });
        if (version >= 5) {
          expect(created).toMatchObject({ numPartitions: 2, replicationFactor: 1 });
          expect(created?.configs?.find((config) => config.name === 'segment.bytes')).toMatchObject({ value: '1048576' });
        }
        expect((await create()).topics.find((each) => each.name === name)).toMatchObject({ errorCode: 36 });
        const metadata = await client.metadata(name);
        expect(metadata.topics[0]?.partitions).toHaveLength(2);
        if (version >= 7) expect(metadata.topics[0]?.topicId).toBe(created?.topicId);
      }
      for (const version of versionsOf(API.DeleteTopics, 1, 6)) {
        const name = `${topic}-deleted-${version}`;
        await client.createTopic(name);
        const remove = () =>
          client.ask(deleteTopicsRequest, deleteTopicsResponse, version, {
            ...(version >= 6 ? { topics: [{ name }] } : { topicNames: [name] }),
            timeoutMs: 5000,
          });
        expect((await remove()).responses).toMatchObject([{ name, errorCode: 0 }]);
        expect((await remove()).responses).toMatchObject([{ name, errorCode: 3 }]);
      }
      const byId = `${topic}-deleted-by-id`;
      const id = await client.createTopic(byId);
      const answer = await client.ask(deleteTopicsRequest, deleteTopicsResponse, 6, { topics: [{ topicId: id }], timeoutMs: 5000 });
      expect(answer.responses).toMatchObject([{ topicId: id, errorCode: 0 }]);
    });

    it('InitProducerId', async () => {
      const seen = new Set([(await client.producerId()).producerId]);
      for (const version of versionsOf(API.InitProducerId, 0, 5)) {
        const answer = await client.ask(initProducerIdRequest, initProducerIdResponse, version, {
          transactionalId: null,
          transactionTimeoutMs: 60_000,
        });
        expect(answer).toMatchObject({ errorCode: 0, producerEpoch: 0 });
        expect(answer.producerId).toBeGreaterThanOrEqual(0);
        expect(seen.has(answer.producerId)).toBe(false);
        seen.add(answer.producerId);
      }
    });

    it('OffsetForLeaderEpoch', async () => {
      for (const version of versionsOf(API.OffsetForLeaderEpoch, 2, 4)) {
        const answer = await client.ask(offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, version, {
          replicaId: -1,
          topics: [{ topic, partitions: [{ partition: 1, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
        });
        expect(answer.topics).toMatchObject([{ topic, partitions: [{ errorCode: 0, partition: 1, leaderEpoch: 0, endOffset: 10 }] }]);
      }
    });

    it('DescribeConfigs', async () => {
      for (const version of versionsOf(API.DescribeConfigs, 1, 4)) {
        const answer = await client.ask(describeConfigsRequest, describeConfigsResponse, version, {
          resources: [
            { resourceType: 2, resourceName: topic, configurationKeys: ['cleanup.policy', 'max.message.bytes'] },
            { resourceType: 4, resourceName: '1', configurationKeys: null },
            { resourceType: 2, resourceName: `${topic}-missing`, configurationKeys: null },
          ],
          includeSynonyms: true,
          ...(version >= 3 ? { includeDocumentation: true } : {}),
        });
        expect(answer.results.map((each) => each.errorCode)).toEqual([0, 0, 3]);
        expect(new Set(answer.results[0]?.configs.map((config) => config.name))).toEqual(new Set(['cleanup.policy', 'max.message.bytes']));
        expect(answer.results[0]?.configs.find((config) => config.name === 'cleanup.policy')).toMatchObject({
          value: 'delete',
          configSource: 5,
          isSensitive: false,
          readOnly: false,
          synonyms: [{ name: 'log.cleanup.policy', value: 'delete', source: 5 }],
        });
        expect(answer.results[1]?.configs.length).toBeGreaterThan(50);
        if (version >= 3) expect(answer.results[0]?.configs[0]?.documentation?.length).toBeGreaterThan(10);
      }
    });

    it('DescribeCluster', async () => {
      for (const version of versionsOf(API.DescribeCluster, 0, 2)) {
        const answer = await client.ask(describeClusterRequest, describeClusterResponse, version, { endpointType: 1 });
        expect(answer).toMatchObject({ errorCode: 0, endpointType: 1, brokers: [{ port: target.port }] });
        expect(answer.clusterId).toHaveLength(22);
      }
    });

    it('DescribeTopicPartitions', async () => {
      const pages: number[] = [];
      for (let cursor: { topicName: string; partitionIndex: number } | null = null; ; ) {
        const answer: Awaited<ReturnType<typeof page>> = await page(cursor);
        pages.push(...(answer.topics[0]?.partitions.map((partition) => partition.partitionIndex) ?? []));
        expect(answer.topics).toMatchObject([{ errorCode: 0, name: topic, topicId }]);
        cursor = answer.nextCursor;
        if (cursor === null) break;
      }
      expect(pages).toEqual([0, 1, 2]);

      function page(cursor: { topicName: string; partitionIndex: number } | null) {
        return client.ask(describeTopicPartitionsRequest, describeTopicPartitionsResponse, 0, {
          topics: [{ name: topic }],
          responsePartitionLimit: 2,
          cursor,
        });
      }
    });
  });
}
