// What the admin client of KafkaJS can ask a fresh broker: ask-kafkajs.ts HOST:PORT. A block for each call: "$ NAME", then a line for each part of
// the answer, or the error with what it says of each topic, partition or group.
import kafkajs from 'kafkajs';

const TOPIC = 'asked';
const ABSENT = 'absent';
const GROUP = 'asked-group';
const RECORDS = 10;
/** Of the first record; the others follow a millisecond apart. */
const FIRST_TIMESTAMP = 1_600_000_000_000;
const TOPIC_TYPE = kafkajs.ConfigResourceTypes.TOPIC;
const BROKER_TYPE = kafkajs.ConfigResourceTypes.BROKER;
const ANY_ACL = {
  resourceType: kafkajs.AclResourceTypes.ANY,
  resourcePatternType: kafkajs.ResourcePatternTypes.ANY,
  operation: kafkajs.AclOperationTypes.ANY,
  permissionType: kafkajs.AclPermissionTypes.ANY,
};

/** One line, the same for the same contents: keys sorted, and what stands in a list of objects, in whatever order it came. */
function text(value: unknown): string {
  if (Array.isArray(value)) {
    const parts = value.map(text);
    return `[${(typeof value[0] === 'object' ? parts.sort() : parts).join(', ')}]`;
  }
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (value === null || typeof value !== 'object') return String(value);
  const fields = Object.entries(value).map(([key, each]) => `${key}: ${text(each)}`);
  return `{${fields.sort().join(', ')}}`;
}

function linesOf(answer: unknown): string[] {
  if (answer instanceof Error) {
    const { errors = [] } = answer as { errors?: Error[] };
    const { groups = [] } = answer as { groups?: { groupId: string; error?: { type: string } }[] };
    const { partitions = [] } = answer as { partitions?: { partition: number; error?: { type: string } }[] };
    return [
      `${answer.name}: ${answer.message}`.replaceAll('\n', ' '),
      ...errors.flatMap((error) => linesOf(error).map((line) => `${text((error as { topic?: string }).topic)}: ${line}`)),
      ...groups.map(({ groupId, error }) => `${groupId}: ${error?.type}`),
      ...partitions.map(({ partition, error }) => `${partition}: ${error?.type}`),
    ];
  }
  if (Array.isArray(answer)) return answer.map(text).sort();
  if (answer !== null && typeof answer === 'object')
    return Object.entries(answer)
      .map(([key, value]) => `${key}: ${text(value)}`)
      .sort();
  return [text(answer)];
}

async function ask(name: string, call: () => Promise<unknown>): Promise<void> {
  const answer = await call().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  console.log(`$ ${name}`);
  for (const line of linesOf(answer)) console.log(`  ${line}`);
}

const [address = ''] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ clientId: 'asks', brokers: [address], logLevel: kafkajs.logLevel.NOTHING });
const admin = kafka.admin({ retry: { retries: 1 } });
await admin.connect();

const asked = { topic: TOPIC, numPartitions: 2, replicationFactor: 1, configEntries: [{ name: 'segment.bytes', value: '1048576' }] };
await ask('createTopics, validated only', () => admin.createTopics({ validateOnly: true, topics: [asked] }));
await ask('createTopics', () => admin.createTopics({ waitForLeaders: true, topics: [asked] }));
await ask('createTopics, there already', () => admin.createTopics({ topics: [asked] }));
const refused = [
  { topic: 'wide', replicationFactor: 3 },
  { topic: 'bad name' },
  { topic: 'configured', configEntries: [{ name: 'retention.ms', value: 'soon' }] },
];
await ask('createTopics, refused', () => admin.createTopics({ topics: refused }));
await ask('listTopics', () => admin.listTopics());
await ask('fetchTopicMetadata', () => admin.fetchTopicMetadata({ topics: [TOPIC] }));
await ask('fetchTopicMetadata, absent', () => admin.fetchTopicMetadata({ topics: [ABSENT] }));
await ask('createPartitions', () => admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 3 }] }));
await ask('createPartitions, fewer', () => admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 1 }] }));
await ask('createPartitions, absent', () => admin.createPartitions({ topicPartitions: [{ topic: ABSENT, count: 2 }] }));
await ask('describeCluster', () => admin.describeCluster());

const producer = kafka.producer();
await producer.connect();
for (let index = 0; index < RECORDS; index++) {
  await producer.send({ topic: TOPIC, messages: [{ value: 'value', partition: 0, timestamp: String(FIRST_TIMESTAMP + index) }] });
}
await producer.disconnect();
await ask('deleteTopicRecords', () => admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset: '4' }] }));
await ask('deleteTopicRecords, refused', () => admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset: '1000' }] }));
await ask('fetchTopicOffsets', () => admin.fetchTopicOffsets(TOPIC));
await ask('fetchTopicOffsets, absent', () => admin.fetchTopicOffsets(ABSENT));
for (const [when, timestamp] of [
  ['of a record', FIRST_TIMESTAMP + 7],
  ['of a deleted one', FIRST_TIMESTAMP + 2],
  ['later', FIRST_TIMESTAMP + RECORDS],
] as const) {
  await ask(`fetchTopicOffsetsByTimestamp, ${when}`, () => admin.fetchTopicOffsetsByTimestamp(TOPIC, timestamp));
}

const resource = { type: TOPIC_TYPE, name: TOPIC };
const alter = (name: string, configEntries: { name: string; value: string }[], validateOnly = false): Promise<unknown> =>
  admin.alterConfigs({ validateOnly, resources: [{ type: TOPIC_TYPE, name, configEntries }] });
await ask('alterConfigs, validated only', () => alter(TOPIC, [{ name: 'retention.ms', value: '9000' }], true));
await ask('alterConfigs', () => alter(TOPIC, [{ name: 'retention.ms', value: '7000' }]));
await ask('alterConfigs, refused', () => alter(TOPIC, [{ name: 'retention.ms', value: 'soon' }]));
await ask('alterConfigs, absent', () => alter(ABSENT, [{ name: 'retention.ms', value: '1' }]));
const configNames = ['retention.ms', 'segment.bytes'];
await ask('describeConfigs', () => admin.describeConfigs({ includeSynonyms: true, resources: [{ ...resource, configNames }] }));
await ask('describeConfigs, absent', () => admin.describeConfigs({ includeSynonyms: false, resources: [{ ...resource, name: ABSENT }] }));
const ofBroker = { type: BROKER_TYPE, name: '1', configNames: ['num.partitions'] };
await ask('describeConfigs, of the broker', () => admin.describeConfigs({ includeSynonyms: true, resources: [ofBroker] }));

await ask('setOffsets', () => admin.setOffsets({ groupId: GROUP, topic: TOPIC, partitions: [{ partition: 0, offset: '5' }] }));
await ask('fetchOffsets', () => admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] }));
await ask('fetchOffsets, of all topics', () => admin.fetchOffsets({ groupId: GROUP }));
await ask('resetOffsets', () => admin.resetOffsets({ groupId: GROUP, topic: TOPIC, earliest: true }));
await ask('fetchOffsets, resolved', () => admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC], resolveOffsets: true }));
await ask('listGroups', () => admin.listGroups());
await ask('describeGroups', () => admin.describeGroups([GROUP, ABSENT]));
await ask('deleteGroups, absent', () => admin.deleteGroups([ABSENT]));
await ask('deleteGroups', () => admin.deleteGroups([GROUP]));

const acl = { ...ANY_ACL, resourceName: TOPIC, principal: 'User:somebody', host: '*' };
await ask('describeAcls', () => admin.describeAcls(ANY_ACL));
await ask('createAcls', () =>
  admin.createAcls({
    acl: [
      {
        ...acl,
        resourceType: kafkajs.AclResourceTypes.TOPIC,
        resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
        operation: kafkajs.AclOperationTypes.READ,
        permissionType: kafkajs.AclPermissionTypes.ALLOW,
      },
    ],
  }),
);
await ask('deleteAcls', () => admin.deleteAcls({ filters: [ANY_ACL] }));

const moved = (topic: string, replicas: number[]) => ({
  topics: [{ topic, partitionAssignment: [{ partition: 0, replicas }] }],
});
await ask('alterPartitionReassignments', () => admin.alterPartitionReassignments(moved(TOPIC, [1])));
await ask('alterPartitionReassignments, to a broker that is not', () => admin.alterPartitionReassignments(moved(TOPIC, [7])));
await ask('alterPartitionReassignments, absent', () => admin.alterPartitionReassignments(moved(ABSENT, [1])));
await ask('listPartitionReassignments', () => admin.listPartitionReassignments({}));
await ask('listPartitionReassignments, of a topic', () =>
  admin.listPartitionReassignments({ topics: [{ topic: TOPIC, partitions: [0] }] }),
);
await ask('deleteTopics', () => admin.deleteTopics({ topics: [TOPIC] }));
await ask('deleteTopics, absent', () => admin.deleteTopics({ topics: [ABSENT] }));
await admin.disconnect();
