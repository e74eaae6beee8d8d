// What a Produce may ask that a producer would not: topics by ids that are none, names said twice, transactional ids, and what else a
// refusal says beside its code.
import { type ProduceRequest, produceRequest, produceResponse } from '../../../src/protocol/apis/produce.ts';
import { COMPRESSION, CRC_AT, LAST_OFFSET_DELTA_AT, recomputeCrc } from '../../../src/protocol/records/batch.ts';
import { BatchBuilder } from '../../../src/protocol/records/batch-builder.ts';
import { BASE_TIME_MS, labelled, labels } from '../batches.ts';
import type { Sparse } from '../messages.ts';
import type { Questions, Topic } from './questions.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const DAY_MS = 24 * 3_600_000;
const UNKNOWN_ID = 'QUFBQUFBQUFBQUFBQUFBQQ';
const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const TOPIC_IDS_SINCE = 13;

type Part = readonly [topic: Topic | null, ...partitions: (readonly [index: number, records: Uint8Array])[]];

/** A whole request; null is a topic that does not exist. */
function produceOf(version: number, parts: readonly Part[], more: Sparse<ProduceRequest> = {}): Sparse<ProduceRequest> {
  return {
    acks: -1,
    timeoutMs: 10_000,
    topicData: parts.map(([topic, ...partitions]) => ({
      ...(version < TOPIC_IDS_SINCE ? { name: topic?.name ?? 'missing' } : { topicId: topic?.id ?? UNKNOWN_ID }),
      partitionData: partitions.map(([index, records]) => ({ index, records })),
    })),
    ...more,
  };
}

/** Asks, and notes beside it what the topics hold more afterwards. */
async function askAndRead(
  questions: Questions,
  label: string,
  version: number,
  request: Sparse<ProduceRequest>,
  topics: readonly Topic[],
): Promise<void> {
  const before = await read(questions, topics);
  const answer = await questions.answerTo(produceRequest, produceResponse, version, request);
  const produced = typeof answer === 'object' ? (answer as { responses: unknown }).responses : answer;
  const after = await read(questions, topics);
  const written = Object.fromEntries([...after].map(([log, values]) => [log, values.slice(before.get(log)?.length)]));
  questions.note(`Produce v${version}: ${label}`, { produced, written });
}

async function read(questions: Questions, topics: readonly Topic[]): Promise<Map<string, string[]>> {
  const logs = new Map<string, string[]>();
  for (const { name } of topics) {
    for (const partition of [0, 1])
      logs.set(`${questions.comparable(name)}-${partition}`, labels(await questions.client.readAll(name, partition)));
  }
  return logs;
}

const batch = (label: string): Uint8Array => labelled(label, 0, 2);

/** Topics and partitions that are not there, or are there twice. */
export async function askOddProduces(questions: Questions): Promise<void> {
  for (const version of [3, 8, 12, 13]) {
    const first = await questions.topic(`first-${version}`, 2);
    const second = await questions.topic(`second-${version}`, 2);
    const both = [first, second];
    let round = 0;
    const ask = (label: string, parts: (name: string) => readonly Part[], more: Sparse<ProduceRequest> = {}): Promise<void> =>
      askAndRead(questions, label, version, produceOf(version, parts(`r${round++}`), more), both);
    await ask('a partition twice', (r) => [[first, [0, batch(`${r}a`)], [1, batch(`${r}b`)], [0, batch(`${r}c`)]]]);
    await ask('a partition in a topic that is there twice', (r) => [
      [first, [0, batch(`${r}a`)]],
      [second, [0, batch(`${r}b`)]],
      [first, [0, batch(`${r}c`)]],
    ]);
    await ask('a topic twice, its partitions once', (r) => [
      [first, [0, batch(`${r}a`)]],
      [first, [1, batch(`${r}b`)]],
    ]);
    await ask('a partition twice, the first time corrupt', (r) => [[first, [0, corrupt(`${r}a`)], [0, batch(`${r}b`)]]]);
    await ask('a partition twice, the second time corrupt', (r) => [[first, [0, batch(`${r}a`)], [0, corrupt(`${r}b`)]]]);
    await ask('a missing partition twice', (r) => [[first, [7, batch(`${r}a`)], [7, batch(`${r}b`)]]]);
    await ask('a missing topic twice', (r) => [
      [null, [0, batch(`${r}a`)]],
      [null, [0, batch(`${r}b`)], [1, batch(`${r}c`)]],
    ]);
    await ask('a topic without partitions', () => [[first]]);
    await ask('topics without partitions beside one with', (r) => [[first], [second, [1, batch(r)]], [null]]);
    await ask('no topics', () => []);
    await ask('a missing topic beside a good one', (r) => [
      [null, [0, batch(`${r}a`)]],
      [first, [0, batch(`${r}b`)], [9, batch(`${r}c`)], [-1, batch(`${r}d`)]],
    ]);
    for (const acks of [2, -2]) {
      await ask(
        `acks ${acks}`,
        (r) => [
          [first, [0, batch(r)], [9, batch(r)]],
          [null, [0, batch(r)]],
        ],
        { acks },
      );
    }
    await ask('a partition twice, the first time empty', (r) => [[first, [0, new Uint8Array(0)], [0, batch(`${r}b`)]]]);
    await ask('a partition twice, the second time empty', (r) => [[first, [0, batch(`${r}a`)], [0, new Uint8Array(0)]]]);
    if (version < TOPIC_IDS_SINCE) {
      for (const name of ['', 'no topic!', '__consumer_offsets']) {
        const topicData = [{ name, partitionData: [{ index: 0, records: batch('n') }] }];
        await askAndRead(questions, `the name ${JSON.stringify(name)}`, version, { acks: 1, timeoutMs: 1000, topicData }, []);
      }
    } else {
      for (const acks of [-1, 1, 2]) {
        const topicData = [{ topicId: ZERO_ID, partitionData: [{ index: 0, records: batch('z') }] }];
        await askAndRead(questions, `the id of no topic, acks ${acks}`, version, { acks, timeoutMs: 1000, topicData }, []);
      }
    }
  }
}

function corrupt(label: string): Uint8Array {
  const bytes = Buffer.from(batch(label));
  bytes[CRC_AT] = (bytes[CRC_AT] as number) ^ 1;
  return bytes;
}

/** Transactional ids without transactions. */
export async function askTransactionalIds(questions: Questions): Promise<void> {
  for (const version of [3, 8, 9, 12, 13]) {
    const topic = await questions.topic(`plain-${version}`, 2);
    for (const transactionalId of ['', 'some-id']) {
      await askAndRead(
        questions,
        `transactional id '${transactionalId}', a plain batch`,
        version,
        produceOf(version, [[topic, [0, batch(`plain-${transactionalId}`)]]], { transactionalId }),
        [topic],
      );
      await askAndRead(
        questions,
        `transactional id '${transactionalId}', an idempotent batch`,
        version,
        produceOf(version, [[topic, [0, labelled(`idempotent-${transactionalId}`, 0, 2, sequence(transactionalId.length, 0, 0))]]], {
          transactionalId,
        }),
        [topic],
      );
    }
    for (const transactionalId of [null, 'some-id']) {
      const records = labelled('transactional', 0, 2, { ...sequence(5000, 0, 0), isTransactional: true });
      await askAndRead(
        questions,
        `transactional id ${transactionalId}, a transactional batch beside a plain one`,
        version,
        produceOf(
          version,
          [
            [topic, [0, records], [1, batch('beside')]],
            [null, [0, batch('missing')]],
          ],
          { transactionalId },
        ),
        [topic],
      );
    }
  }
}

function sequence(producerId: number, producerEpoch: number, baseSequence: number) {
  return { producerId: 1_000_000 + producerId, producerEpoch, baseSequence };
}

/** All fields of each refusal: where the log starts, whether there is a sentence, which records are at fault. */
export async function askRefusals(questions: Questions): Promise<void> {
  for (const version of [3, 6, 8, 12, 13]) {
    const ask = async (label: string, topic: Topic, ...batches: readonly Uint8Array[]): Promise<void> => {
      for (const [index, records] of batches.entries()) {
        const request = produceOf(version, [[topic, [0, records]]]);
        await questions.ask(`${label}, batch ${index}`, produceRequest, produceResponse, version, request);
      }
    };
    const plain = await questions.topic(`refusing-${version}`);
    const small = await questions.topic(`small-${version}`, 1, { 'max.message.bytes': '1000' });
    const segments = await questions.topic(`segments-${version}`, 1, { 'max.message.bytes': `${4 * MIB}`, 'segment.bytes': `${MIB}` });
    const compacted = await questions.topic(`compacted-${version}`, 1, { 'cleanup.policy': 'compact' });
    const stamped = await questions.topic(`stamped-${version}`, 1, { 'message.timestamp.type': 'LogAppendTime' });
    const timed = await questions.topic(`timed-${version}`, 1, {
      'message.timestamp.before.max.ms': `${DAY_MS}`,
      'message.timestamp.after.max.ms': '3600000',
    });
    await ask('MESSAGE_TOO_LARGE', small, labelled('l', 0, 1, { valueBytes: 1100 }));
    await ask('RECORD_LIST_TOO_LARGE', segments, labelled('l', 0, 1, { valueBytes: 2 * MIB }));
    await ask('CORRUPT_MESSAGE by its checksum', plain, corrupt('c'));
    await ask('CORRUPT_MESSAGE by its length', plain, batch('c').subarray(0, 40));
    await ask('no batch', plain, new Uint8Array(0));
    await ask('two batches', plain, Buffer.concat([batch('a'), batch('b')]));
    await ask('INVALID_RECORD by its count', plain, miscounted());
    await ask('a record without a key in a compacted topic', compacted, batch('k'));
    await ask('OUT_OF_ORDER_SEQUENCE_NUMBER', plain, labelled('s', 0, 2, sequence(1, 0, 0)), labelled('s', 2, 2, sequence(1, 0, 5)));
    await ask('a first sequence that is not 0', plain, labelled('s', 0, 2, sequence(2, 0, 7)));
    await ask('INVALID_PRODUCER_EPOCH', plain, labelled('e', 0, 2, sequence(3, 4, 0)), labelled('e', 2, 2, sequence(3, 3, 2)));
    await ask(
      'a new epoch with another sequence than 0',
      plain,
      labelled('e', 0, 2, sequence(4, 0, 0)),
      labelled('e', 2, 2, sequence(4, 1, 2)),
    );
    const twice = labelled('d', 0, 2, sequence(5, 0, 0));
    await ask('a duplicate', plain, twice, twice, labelled('d', 2, 2, sequence(5, 0, 2)));
    await ask('a duplicate where the broker stamps', stamped, labelled('d', 0, 2, sequence(6, 0, 0)).slice());
    await ask('a timestamp that is too old', timed, shifted(-2 * DAY_MS));
    await ask('a timestamp that is too new', timed, shifted(2 * DAY_MS));
    await ask('zstd', plain, labelled('z', 0, 2, { compression: COMPRESSION.ZSTD }));
    await ask('a negative producer id', plain, labelled('n', 0, 2, { producerId: -2, producerEpoch: 0, baseSequence: 0 }));
    await ask('a negative epoch', plain, labelled('n', 0, 2, { producerId: 9, producerEpoch: -1, baseSequence: 0 }));
    await ask('a negative sequence', plain, labelled('n', 0, 2, { producerId: 9, producerEpoch: 0, baseSequence: -1 }));
  }
}

function miscounted(): Uint8Array {
  const bytes = Buffer.from(batch('m'));
  bytes.writeInt32BE(7, LAST_OFFSET_DELTA_AT);
  recomputeCrc(bytes, 0);
  return bytes;
}

function shifted(byMs: number): Uint8Array {
  return new BatchBuilder({}).append({ value: Buffer.from('t'), timestampMs: BASE_TIME_MS + byMs }).build();
}
