// What no broker should be sent: whole frames and batches, each with what came back, as plain data that two brokers can be compared by.
// test/golden/answers/bad-input.json has Apache Kafka's; record-answers.ts writes it.
import { API } from '../../src/protocol/api-keys.ts';
import { apiVersionsResponse } from '../../src/protocol/apis/api-versions.ts';
import { apis } from '../../src/protocol/apis/index.ts';
import { produceRequest, produceResponse } from '../../src/protocol/apis/produce.ts';
import { encodeMessage } from '../../src/protocol/compile.ts';
import { isRequestFlexible } from '../../src/protocol/header.ts';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  RECORD_COUNT_AT,
  recomputeCrc,
  writeAttributes,
  writeBaseOffset,
} from '../../src/protocol/records/batch.ts';
import { labelled } from './batches.ts';
import { message, type Sparse } from './messages.ts';
import { RawClient, requestFrame } from './raw-client.ts';
import { decodeAnswer, produceOf, WireClient } from './wire-client.ts';

export type Outcome = 'closed' | 'silent' | { readonly [key: string]: unknown };

export interface BadInputCase {
  readonly name: string;
  /** `unique` makes the names of its topics its own. */
  run(port: number, unique: string): Promise<Outcome>;
}

/** How long a broker may take to close or to answer before it counts as waiting for more. */
const SILENCE_MS = 700;

/** Sends bytes on a connection of their own: whether it is closed, stays silent, or answers with a frame. */
export async function poke(port: number, bytes: Uint8Array, silenceMs = SILENCE_MS): Promise<'closed' | 'silent' | Buffer> {
  const client = await RawClient.connect(port);
  try {
    client.write(bytes);
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<'silent'>((done) => {
      timer = setTimeout(() => done('silent'), silenceMs);
    });
    const answer = client.receive().catch(() => 'closed' as const);
    const outcome = await Promise.race([answer, client.closed.then(() => 'closed' as const), silence]);
    clearTimeout(timer);
    return outcome;
  } finally {
    client.close();
  }
}

const framed = (name: string, bytes: Uint8Array, read: (frame: Buffer) => Outcome = () => ({ answered: true })): BadInputCase => ({
  name,
  async run(port) {
    const outcome = await poke(port, bytes);
    return typeof outcome === 'string' ? outcome : read(outcome);
  },
});

const lengthAnd = (length: number, rest: Uint8Array | string = ''): Buffer => {
  const head = Buffer.alloc(4);
  head.writeInt32BE(length);
  return Buffer.concat([head, Buffer.from(rest)]);
};

/** A TLS 1.2 client hello as far as its first fields. */
const TLS_HELLO = Buffer.from(`16030100c8010000c40303${'5a'.repeat(32)}00`, 'hex');

/** The same bytes at every run. */
function noise(seed: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const rowOfApiVersions = (frame: Buffer): Outcome => {
  const { message: answer } = decodeAnswer(apiVersionsResponse, 0, frame.subarray(0));
  return {
    errorCode: answer.errorCode,
    apiKeys: answer.apiKeys.filter((row) => row.apiKey === API.ApiVersions),
    count: answer.apiKeys.length,
  };
};

const compactString = (text: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(text) + 1]), Buffer.from(text)]);
const named = (name: string, version: string): Buffer =>
  requestFrame(API.ApiVersions, 3, 7, Buffer.concat([compactString(name), compactString(version), Buffer.from([0])]), true);
const namedAnswer = (frame: Buffer): Outcome => {
  const { message: answer } = decodeAnswer(apiVersionsResponse, 3, frame);
  return { errorCode: answer.errorCode, hasRows: answer.apiKeys.length > 0 };
};

const networkCases: BadInputCase[] = [
  framed('a frame longer than socket.request.max.bytes', lengthAnd(104_857_601, 'x'.repeat(64))),
  framed('the longest frame that an int32 can announce', lengthAnd(0x7fffffff, 'x'.repeat(64))),
  framed('a frame of negative length', lengthAnd(-1, 'x'.repeat(64))),
  framed('the most negative length', lengthAnd(-0x80000000, 'x')),
  framed('an empty frame', lengthAnd(0)),
  framed('a frame too short for a header', lengthAnd(3, 'abc')),
  framed('a frame that ends inside of the header', lengthAnd(8, Buffer.from([0, 3, 0, 1, 0, 0, 0, 1]))),
  framed('HTTP GET', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  framed('HTTP POST', Buffer.from('POST /topics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n')),
  framed('a TLS client hello', TLS_HELLO),
  framed('an SSH greeting', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')),
  ...Array.from({ length: 12 }, (_, seed) => framed(`noise ${seed}`, noise(seed * 7919 + 1, 200))),
  framed('an API key that does not exist', requestFrame(999, 0, 7, Buffer.alloc(8))),
  framed('a negative API key', requestFrame(-1, 0, 7, Buffer.alloc(8))),
  framed('a version above the highest', requestFrame(API.Metadata, 99, 7, Buffer.alloc(8), true)),
  framed('a negative version', requestFrame(API.Metadata, -1, 7, Buffer.alloc(8))),
  framed('a version below the lowest', requestFrame(API.Fetch, 3, 7, Buffer.alloc(40))),
  framed('a Produce version that is advertised and not served', requestFrame(API.Produce, 2, 7, Buffer.alloc(40))),
  framed('InitProducerId in its unstable version', requestFrame(API.InitProducerId, 6, 7, Buffer.alloc(30), true)),
  framed('bytes behind a request', requestFrame(API.Metadata, 1, 7, Buffer.from([0, 0, 0, 0, 1, 2, 3]))),
  framed('ApiVersions of version 99', requestFrame(API.ApiVersions, 99, 7, Buffer.alloc(0)), rowOfApiVersions),
  framed('ApiVersions of version 32767 with a body', requestFrame(API.ApiVersions, 32767, 7, Buffer.alloc(50), true), rowOfApiVersions),
  framed('ApiVersions of version -1', requestFrame(API.ApiVersions, -1, 7, Buffer.alloc(0)), rowOfApiVersions),
  framed('ApiVersions 3 without a body', requestFrame(API.ApiVersions, 3, 7, Buffer.alloc(0), true)),
  framed('a good client name', named('naru-js.test', '1.2.3-rc.1'), namedAnswer),
  ...(
    [
      ['', '1'],
      ['a', ''],
      ['a b', '1'],
      ['-a', '1'],
      ['a-', '1'],
      ['a', '.1'],
      ['ä', '1'],
      ['a\n', '1'],
      ['a', '1\n'],
      ['a_b', '1'],
    ] as const
  ).map(([name, version]) =>
    framed(`the client name ${JSON.stringify(name)} ${JSON.stringify(version)}`, named(name, version), namedAnswer),
  ),
];

type Change = (batch: Buffer) => Uint8Array | null;
const changed = (change: (batch: Buffer) => void): Change => {
  return (batch) => {
    change(batch);
    recomputeCrc(batch, 0);
    return batch;
  };
};
const LATE = 2n ** 60n;

/** Each makes something wrong out of a good batch of three records. */
const batchChanges: readonly (readonly [name: string, change: Change])[] = [
  ['nothing wrong', (batch) => batch],
  [
    'a flipped bit in the records',
    (batch) => {
      batch[batch.length - 2] = (batch[batch.length - 2] as number) ^ 1;
      return batch;
    },
  ],
  [
    'a flipped bit in the checksum',
    (batch) => {
      batch[CRC_AT] = (batch[CRC_AT] as number) ^ 0x80;
      return batch;
    },
  ],
  ...[-128, -1, 0, 1, 3, 127].map((magic): [string, Change] => [
    `magic ${magic}`,
    (batch) => {
      batch.writeInt8(magic, MAGIC_AT);
      return batch;
    },
  ]),
  ...[-0x80000000, -1, 0, 13, 14, 48].map((length): [string, Change] => [
    `batch length ${length}`,
    (batch) => {
      batch.writeInt32BE(length, BATCH_LENGTH_AT);
      return batch;
    },
  ]),
  [
    'a batch length beyond the bytes',
    (batch) => {
      batch.writeInt32BE(batch.length + 100, BATCH_LENGTH_AT);
      return batch;
    },
  ],
  ['a batch cut in its header', (batch) => batch.subarray(0, 40)],
  ['a batch cut before its magic', (batch) => batch.subarray(0, 15)],
  ['a batch cut in its length', (batch) => batch.subarray(0, 10)],
  ['a batch cut in its records', (batch) => batch.subarray(0, batch.length - 1)],
  ['no bytes', () => new Uint8Array(0)],
  ['two batches', (batch) => Buffer.concat([batch, batch])],
  ['bytes behind the batch', (batch) => Buffer.concat([batch, Buffer.alloc(20)])],
  ['a base offset that is not 0', changed((batch) => writeBaseOffset(batch, 0, 5))],
  ['a negative base offset', changed((batch) => writeBaseOffset(batch, 0, -1))],
  ['fewer records counted', changed((batch) => batch.writeInt32BE(2, RECORD_COUNT_AT))],
  ['more records counted', changed((batch) => batch.writeInt32BE(4, RECORD_COUNT_AT))],
  ['no records counted', changed((batch) => batch.writeInt32BE(0, RECORD_COUNT_AT))],
  ['a negative count', changed((batch) => batch.writeInt32BE(-1, RECORD_COUNT_AT))],
  ['a last offset delta too large', changed((batch) => batch.writeInt32BE(7, LAST_OFFSET_DELTA_AT))],
  ['a negative last offset delta', changed((batch) => batch.writeInt32BE(-3, LAST_OFFSET_DELTA_AT))],
  ...[5, 6, 7].map((type): [string, Change] => [`compression type ${type}`, changed((batch) => writeAttributes(batch, 0, type))]),
  ['a control batch', changed((batch) => writeAttributes(batch, 0, 0x20))],
  ['a timestamp type that is the broker’s', changed((batch) => writeAttributes(batch, 0, 0x08))],
  ['a transactional batch without a transaction', changed((batch) => writeAttributes(batch, 0, 0x10))],
  ['attributes that nobody has defined', changed((batch) => batch.writeUInt16BE(0xff00, ATTRIBUTES_AT))],
  [
    'timestamps above 2^53',
    changed((batch) => {
      batch.writeBigInt64BE(LATE, BASE_TIMESTAMP_AT);
      batch.writeBigInt64BE(LATE + 2n, MAX_TIMESTAMP_AT);
    }),
  ],
  [
    'timestamps of 2^63 - 1',
    changed((batch) => {
      batch.writeBigInt64BE(2n ** 63n - 3n, BASE_TIMESTAMP_AT);
      batch.writeBigInt64BE(2n ** 63n - 1n, MAX_TIMESTAMP_AT);
    }),
  ],
  ['a batch that is too large', () => labelled('large', 0, 1, { valueBytes: 1_100_000 })],
  ['a producer id without a sequence', () => labelled('b', 0, 3, { producerId: 77, producerEpoch: 0, baseSequence: -1 })],
];

/** One request with a good batch for partition 0 and 2, the bad one for partition 1: what each is answered. */
export async function produceBeside(port: number, topic: string, bad: Uint8Array | null): Promise<Outcome> {
  const client = await WireClient.connect(port);
  try {
    await client.createTopic(topic, 3);
    const request = message(produceRequest, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [
        {
          name: topic,
          partitionData: [
            { index: 0, records: labelled('good', 0, 2) },
            { index: 1, records: bad },
            { index: 2, records: labelled('good', 0, 2) },
          ],
        },
      ],
    });
    const id = client.send(produceRequest, 12, request as Sparse<typeof request>);
    const { message: answer } = await client.receive(id, produceResponse, 12);
    const outcome: Record<string, unknown> = {};
    for (const partition of answer.responses[0]?.partitionResponses ?? []) {
      outcome[`partition ${partition.index}`] = {
        errorCode: partition.errorCode,
        baseOffset: partition.baseOffset,
        end: await client.offsetAt(topic, partition.index, -1),
      };
    }
    return outcome;
  } catch (error) {
    if (client.raw.socket.destroyed) return 'closed';
    throw error;
  } finally {
    client.close();
  }
}

const batchCases: BadInputCase[] = batchChanges.map(([name, change]) => ({
  name: `a batch with ${name}`,
  run: (port, unique) => produceBeside(port, `bad-${unique}`, change(Buffer.from(labelled('b', 0, 3)))),
}));

/** One batch into a new topic after some others. */
const produceCase = (
  name: string,
  configs: Readonly<{ [key: string]: string }>,
  batches: readonly Uint8Array[],
  options: Sparse<{ acks: number; name: string; index: number }> = {},
): BadInputCase => ({
  name,
  async run(port, unique) {
    const client = await WireClient.connect(port);
    try {
      const topic = `bad-${unique}`;
      await client.createTopic(topic, 1, configs);
      const codes: unknown[] = [];
      for (const batch of batches) {
        const request = produceOf(options.name ?? topic, new Map([[options.index ?? 0, batch]]), options.acks ?? -1);
        const id = client.send(produceRequest, 12, request);
        const { message: answer } = await client.receive(id, produceResponse, 12);
        const produced = answer.responses[0]?.partitionResponses[0];
        codes.push([produced?.errorCode, produced?.baseOffset, produced?.recordErrors.map((error) => error.batchIndex)]);
      }
      return { codes };
    } finally {
      client.close();
    }
  },
});

const sequenced = (producerEpoch: number, baseSequence: number): Uint8Array =>
  labelled('s', 0, 2, { producerId: 1_000_000, producerEpoch, baseSequence });

const produceCases: BadInputCase[] = [
  produceCase('a record without a key in a compacted topic', { 'cleanup.policy': 'compact' }, [labelled('c', 0, 3)]),
  produceCase('a batch above the topic’s own limit', { 'max.message.bytes': '1000' }, [
    labelled('l', 0, 1, { valueBytes: 1100 }),
    labelled('l', 0, 1, { valueBytes: 500 }),
  ]),
  produceCase('sequences with a gap', {}, [sequenced(0, 0), sequenced(0, 3), sequenced(0, 2)]),
  produceCase('a fenced producer epoch', {}, [sequenced(5, 0), sequenced(4, 2), sequenced(5, 2)]),
  produceCase('acks of 2', {}, [labelled('a', 0, 1)], { acks: 2 }),
  produceCase('acks of -2', {}, [labelled('a', 0, 1)], { acks: -2 }),
  produceCase('an unknown partition', {}, [labelled('a', 0, 1)], { index: 5 }),
  produceCase('a negative partition', {}, [labelled('a', 0, 1)], { index: -1 }),
  produceCase('an unknown topic', {}, [labelled('a', 0, 1)], { name: 'no-such-topic' }),
  produceCase('a topic name that cannot be', {}, [labelled('a', 0, 1)], { name: 'not a topic' }),
];

export const badInputCases: readonly BadInputCase[] = [...networkCases, ...batchCases, ...produceCases];

/** Topics are named by name, not by id, up to these versions. */
const NAMED_UNTIL: ReadonlyMap<number, number> = new Map([
  [API.Produce, 12],
  [API.Fetch, 12],
  [API.OffsetCommit, 9],
  [API.OffsetFetch, 9],
]);

/** Small valid bodies of the APIs of groups, where the version decides between one and several. */
function groupBodies(topic: string, version: number): ReadonlyMap<number, Sparse<Record<string, unknown>>> {
  const groupId = `of-${topic}`;
  const member = { groupId, memberId: 'nobody' };
  const partitionIndexes = [0, 1];
  return new Map<number, Sparse<Record<string, unknown>>>([
    [API.FindCoordinator, version >= 4 ? { coordinatorKeys: [groupId] } : { key: groupId }],
    [
      API.JoinGroup,
      {
        groupId,
        sessionTimeoutMs: 6000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from('as it is') }],
      },
    ],
    [API.SyncGroup, { ...member, generationId: 1, assignments: [{ memberId: 'nobody', assignment: Buffer.from('all') }] }],
    [API.Heartbeat, { ...member, generationId: 1 }],
    [API.LeaveGroup, version >= 3 ? { groupId, members: [{ memberId: 'nobody' }] } : member],
    [
      API.OffsetCommit,
      {
        groupId,
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'as it is' }] }],
      },
    ],
    [
      API.OffsetFetch,
      version >= 8
        ? { groups: [{ groupId, topics: [{ name: topic, partitionIndexes }] }] }
        : { groupId, topics: [{ name: topic, partitionIndexes }] },
    ],
    [API.DescribeGroups, { groups: [groupId] }],
    [API.ListGroups, version >= 5 ? { statesFilter: ['Stable'], typesFilter: ['classic'] } : {}],
    [API.DeleteGroups, { groupsNames: [`${groupId}-none`] }],
    [API.OffsetDelete, { groupId, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] }],
    [
      API.ConsumerGroupHeartbeat,
      {
        ...member,
        memberEpoch: 0,
        rebalanceTimeoutMs: 6000,
        subscribedTopicNames: [topic],
        topicPartitions: [],
        ...(version >= 1 ? { subscribedTopicRegex: 'b.*' } : {}),
      },
    ],
    [API.ConsumerGroupDescribe, { groupIds: [groupId] }],
  ]);
}

/** A small valid body of every API that is served, at a version. Tables of messages that nobody answers yet have none. */
export function validBodies(
  topic: string,
): { readonly apiKey: number; readonly version: number; readonly frame: Buffer; readonly body: Buffer }[] {
  const partials: ReadonlyMap<number, Sparse<object>> = new Map<number, Sparse<object>>([
    [API.Produce, produceOf(topic, new Map([[0, labelled('t', 0, 2)]]))],
    [API.Fetch, { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }] }],
    [API.ListOffsets, { replicaId: -1, topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }],
    [API.Metadata, { topics: [{ name: topic }] }],
    [API.ApiVersions, { clientSoftwareName: 'naru', clientSoftwareVersion: '1' }],
    [
      API.CreateTopics,
      {
        topics: [{ name: topic, numPartitions: 1, replicationFactor: 1, configs: [{ name: 'cleanup.policy', value: 'delete' }] }],
        validateOnly: true,
      },
    ],
    [API.DeleteTopics, { topics: [{ name: `${topic}-none` }], timeoutMs: 1000 }],
    [API.InitProducerId, { transactionalId: null, transactionTimeoutMs: 1000 }],
    [API.OffsetForLeaderEpoch, { replicaId: -1, topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }],
    [API.DescribeConfigs, { resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['cleanup.policy'] }] }],
    [API.DescribeCluster, {}],
    [API.DescribeTopicPartitions, { topics: [{ name: topic }] }],
  ]);
  return [...apis].flatMap(([apiKey, { request }]) => {
    const partial = partials.get(apiKey) as Sparse<Record<string, unknown>> | undefined;
    const ofGroups = groupBodies(topic, 0).has(apiKey);
    if (partial === undefined && !ofGroups) return [];
    const stable = apiKey === API.InitProducerId ? 5 : apiKey === API.ApiVersions ? 4 : request.versions[1];
    const last = NAMED_UNTIL.get(apiKey) ?? stable;
    return [...new Set([apiKey === API.DeleteTopics ? 6 : request.versions[0], last])].map((version) => {
      const fields = ofGroups ? groupBodies(topic, version).get(apiKey) : partial;
      const body = Buffer.from(encodeMessage(request, version, message(request, fields ?? {})));
      return { apiKey, version, body, frame: requestFrame(apiKey, version, 7, body, isRequestFlexible(apiKey, version)) };
    });
  });
}
