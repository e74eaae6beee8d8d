// Administrators' calls of real clients over real sockets, at 0, 1 and 2 workers: kafkajs and @platformatic/kafka ask a node alone about its
// directories, its quorum, its producers, and for changes that it can make.
// With NARU_TEST_BOOTSTRAP=host:port the same tests run against another broker (Apache Kafka), to check the tests themselves.
import {
  Admin,
  Connection,
  describeProducersV0,
  describeQuorumV2,
  describeUserScramCredentialsV0,
  listTransactionsV2,
  Producer,
  stringSerializers,
  unregisterBrokerV0,
} from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokerProcess } from '../support/broker-process.ts';
import { workerCounts } from '../support/target.ts';

const { Kafka, logLevel } = kafkajs;
const bootstrap = process.env.NARU_TEST_BOOTSTRAP;
const VALUE = 'x'.repeat(1000);

for (const workers of workerCounts(0, 1, 2)) {
  describe(`at ${workers} workers`, () => {
    const topic = `administered-${process.pid}-${workers}`;
    let broker: BrokerProcess | null = null;
    let address = bootstrap ?? '';
    let kafkajsAdmin: ReturnType<InstanceType<typeof Kafka>['admin']>;
    let admin: Admin;
    let connection: Connection;

    beforeAll(async () => {
      if (bootstrap === undefined) {
        broker = await BrokerProcess.start({ workers });
        address = broker.address;
      }
      kafkajsAdmin = new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING }).admin();
      await kafkajsAdmin.connect();
      await kafkajsAdmin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1 }], waitForLeaders: true });
      admin = new Admin({ clientId: 'platformatic', bootstrapBrokers: [address] });
      connection = new Connection('platformatic');
      const [host, port] = address.split(':');
      await connection.connect(host as string, Number(port));
      const producer = new Producer({
        clientId: 'platformatic',
        bootstrapBrokers: [address],
        serializers: stringSerializers,
        idempotent: true,
      });
      for (let count = 0; count < 3; count++) await producer.send({ acks: -1, messages: [{ topic, value: VALUE, partition: 1 }] });
      await producer.close();
    });
    afterAll(async () => {
      await kafkajsAdmin?.disconnect();
      await admin?.close();
      await connection?.close();
      const exit = await broker?.stop();
      await broker?.dispose();
      if (exit !== undefined) expect(exit).toEqual({ code: 0, signal: null });
    });

    it('a directory is as large as what was written into it', async () => {
      const [described] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0, 1] }] });
      const [directory] = described?.results ?? [];
      const partitions = directory?.topics[0]?.partitions ?? [];
      const sizes = new Map(partitions.map(({ partitionIndex, partitionSize }) => [partitionIndex, Number(partitionSize)]));
      expect(sizes.get(0)).toBe(0);
      expect(sizes.get(1)).toBeGreaterThan(3 * VALUE.length);
      expect(sizes.get(1)).toBeLessThan(4 * VALUE.length);
    });

    it('a producer with an id is among the active ones of its partition', async () => {
      const { topics } = await describeProducersV0.api.async(connection, [{ name: topic, partitionIndexes: [0, 1] }]);
      const [none, one] = topics[0]?.partitions ?? [];
      expect([none?.errorCode, none?.activeProducers]).toEqual([0, []]);
      expect(one?.activeProducers).toMatchObject([{ producerEpoch: 0, lastSequence: 2, currentTxnStartOffset: -1n }]);
    });

    it('the quorum is this node', async () => {
      const quorum = await describeQuorumV2.api.async(connection, [
        { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] },
      ]);
      const [partition] = quorum.topics[0]?.partitions ?? [];
      expect(partition).toMatchObject({ errorCode: 0, leaderId: 1, currentVoters: [{ replicaId: 1 }], observers: [] });
      expect(quorum.nodes).toMatchObject([{ nodeId: 1, listeners: [] }]); // Nobody listens for other controllers.
    });

    it('partitions stay where they are', async () => {
      const topics = [{ topic, partitionAssignment: [{ partition: 0, replicas: [1] }] }];
      expect(await kafkajsAdmin.alterPartitionReassignments({ topics })).toBeUndefined();
      expect(await kafkajsAdmin.listPartitionReassignments({})).toEqual({ topics: [] });
      const elsewhere = [{ topic, partitionAssignment: [{ partition: 0, replicas: [2] }] }];
      await expect(kafkajsAdmin.alterPartitionReassignments({ topics: elsewhere })).rejects.toThrow();
    });

    it('there are no access rules, credentials, quotas or transactions', async () => {
      const resource = {
        resourceType: 2,
        resourceName: topic,
        resourcePatternType: 3,
        principal: 'User:a',
        host: '*',
        operation: 3,
        permissionType: 3,
      };
      await expect(kafkajsAdmin.describeAcls(resource)).rejects.toThrow(/security/i);
      await expect(kafkajsAdmin.createAcls({ acl: [resource] })).rejects.toThrow(/security/i);
      expect(await admin.describeClientQuotas({ components: [], strict: false })).toEqual([]);
      expect((await listTransactionsV2.api.async(connection, ['Ongoing'], [], 0n, null)).transactionStates).toEqual([]);
      await expect(describeUserScramCredentialsV0.api.async(connection, [{ name: 'a' }])).rejects.toThrow();
    });

    it('a broker that there is not cannot leave', async () => {
      await expect(unregisterBrokerV0.api.async(connection, 99)).rejects.toThrow();
    });
  });
}
