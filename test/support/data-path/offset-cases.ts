// What ListOffsets, OffsetForLeaderEpoch and InitProducerId may be asked that a client would not.
import { type InitProducerIdRequest, initProducerIdRequest, initProducerIdResponse } from '../../../src/protocol/apis/init-producer-id.ts';
import { type ListOffsetsRequest, listOffsetsRequest, listOffsetsResponse } from '../../../src/protocol/apis/list-offsets.ts';
import {
  type OffsetForLeaderEpochRequest,
  offsetForLeaderEpochRequest,
  offsetForLeaderEpochResponse,
} from '../../../src/protocol/apis/offset-for-leader-epoch.ts';
import { BatchBuilder } from '../../../src/protocol/records/batch-builder.ts';
import type { Sparse } from '../messages.ts';
import type { Questions, Topic } from './questions.ts';

const LATEST = -1;
const INT_MAX = 2 ** 31 - 1;

async function makeTopics(questions: Questions): Promise<{ full: Topic; empty: Topic }> {
  const full = await questions.topic('full', 2);
  const empty = await questions.topic('empty', 2);
  for (const timestampMs of [1000, 3000, 2000, -1]) {
    const builder = new BatchBuilder({});
    for (const step of [0, 1]) builder.append({ value: Buffer.from('x'), timestampMs: timestampMs < 0 ? -1 : timestampMs + step });
    await questions.client.produce(full.name, 0, builder.build());
  }
  return { full, empty };
}

export async function askOddOffsets(questions: Questions): Promise<void> {
  const { full, empty } = await makeTopics(questions);
  for (const version of [1, 2, 4, 5, 7, 8, 10, 11]) {
    type Place = Sparse<ListOffsetsRequest['topics'][number]['partitions'][number]>;
    const ask = (
      label: string,
      parts: readonly (readonly [name: string, ...places: Place[]])[],
      more: Sparse<ListOffsetsRequest> = {},
    ): Promise<void> =>
      questions.ask(label, listOffsetsRequest, listOffsetsResponse, version, {
        replicaId: -1,
        topics: parts.map(([name, ...partitions]) => ({ name, partitions })),
        ...more,
      });
    const at = (partitionIndex: number, timestamp: number = LATEST): Place => ({ partitionIndex, timestamp });
    for (const timestamp of [-7, -100, -(2 ** 31), -(2 ** 52), 2 ** 52, 999, 3002]) {
      await ask(`at ${timestamp}`, [[full.name, at(0, timestamp), at(1, timestamp)]]);
    }
    for (const timestamp of [-1, -2, -3, -4, -5, -6, 0])
      await ask(`at ${timestamp} of nothing`, [[empty.name, at(0, timestamp), at(1, timestamp)]]);
    for (const replicaId of [0, 1, 5, -2, -3]) {
      await ask(
        `as replica ${replicaId}`,
        [
          [full.name, at(0), at(0, -2), at(1, 0), at(9)],
          ['missing', at(0)],
        ],
        { replicaId },
      );
      await ask(
        `as replica ${replicaId}, once each`,
        [
          [full.name, at(0), at(1, 0), at(9)],
          ['missing', at(0)],
        ],
        { replicaId },
      );
    }
    if (version >= 2) {
      for (const isolationLevel of [1, 2, -1]) {
        await ask(
          `isolation level ${isolationLevel}`,
          [
            [full.name, at(0), at(1, 0)],
            ['missing', at(0)],
          ],
          { isolationLevel },
        );
      }
    }
    if (version >= 4) {
      for (const currentLeaderEpoch of [0, 5, -2, INT_MAX]) {
        await ask(`leader epoch ${currentLeaderEpoch}`, [
          [full.name, { ...at(0), currentLeaderEpoch }, { ...at(1, 0), currentLeaderEpoch }, { ...at(9), currentLeaderEpoch }],
        ]);
      }
    }
    await ask('partitions twice', [[full.name, at(0), at(1), at(0, -2), at(0, 1000)]]);
    await ask('a topic twice, its partitions once', [
      [full.name, at(0)],
      [empty.name, at(0)],
      [full.name, at(1)],
    ]);
    await ask('a partition in a topic that is there twice', [
      [full.name, at(0)],
      [full.name, at(0), at(1)],
    ]);
    await ask('what is missing twice', [['missing', at(0), at(0)]]);
    await ask('a topic without partitions', [[full.name], [empty.name, at(0)], ['missing']]);
    await ask('no topics', []);
    await ask('negative partitions', [[full.name, at(-1), at(-5), at(INT_MAX)]]);
    await ask('names that cannot be', [
      ['', at(0)],
      ['no topic!', at(0)],
      ['a'.repeat(300), at(0)],
    ]);
    await ask('what is missing, at a time that is none', [
      ['missing', at(0, -9)],
      [full.name, at(7, -9)],
    ]);
  }
}

export async function askOddEpochs(questions: Questions): Promise<void> {
  const { full, empty } = await makeTopics(questions);
  for (const version of [2, 3, 4]) {
    type Place = Sparse<OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]>;
    const ask = (
      label: string,
      parts: readonly (readonly [topic: string, ...places: Place[]])[],
      more: Sparse<OffsetForLeaderEpochRequest> = {},
    ): Promise<void> =>
      questions.ask(label, offsetForLeaderEpochRequest, offsetForLeaderEpochResponse, version, {
        ...(version >= 3 ? { replicaId: -1 } : {}),
        topics: parts.map(([topic, ...partitions]) => ({ topic, partitions })),
        ...more,
      });
    const at = (partition: number, leaderEpoch: number, currentLeaderEpoch = -1): Place => ({ partition, leaderEpoch, currentLeaderEpoch });
    for (const epoch of [0, 1, -1, -2, INT_MAX, -(2 ** 31)]) {
      await ask(`epoch ${epoch}`, [
        [full.name, at(0, epoch), at(1, epoch)],
        [empty.name, at(1, epoch)],
      ]);
      await ask(`current epoch ${epoch}`, [[full.name, at(0, 0, epoch), at(1, 0, epoch), at(9, 0, epoch)]]);
    }
    await ask('a partition twice', [[full.name, at(0, 0), at(0, 1), at(1, 0)]]);
    await ask('a topic twice', [
      [full.name, at(0, 0)],
      [empty.name, at(0, 0)],
      [full.name, at(1, 0), at(0, 5)],
    ]);
    await ask('a missing topic twice', [
      ['missing', at(0, 0)],
      ['missing', at(1, 0)],
    ]);
    await ask('a topic without partitions', [[full.name], [empty.name, at(0, 0)], ['missing']]);
    await ask('no topics', []);
    await ask('negative partitions', [[full.name, at(-1, 0), at(-5, 0), at(INT_MAX, 0)]]);
    await ask('names that cannot be', [
      ['', at(0, 0)],
      ['no topic!', at(0, 0)],
    ]);
    if (version < 3) continue;
    for (const replicaId of [0, 1, 5, -2, -3]) await ask(`as replica ${replicaId}`, [[full.name, at(0, 0), at(9, 0)]], { replicaId });
  }
}

export async function askOddProducerIds(questions: Questions): Promise<void> {
  await questions.client.producerId(); // So that there is a block of ids.
  for (let version = 0; version <= 5; version++) {
    const ask = (label: string, request: Sparse<InitProducerIdRequest>): Promise<void> =>
      questions.ask(label, initProducerIdRequest, initProducerIdResponse, version, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        ...request,
      });
    for (const transactionTimeoutMs of [0, -1, 1, INT_MAX]) await ask(`timeout ${transactionTimeoutMs}`, { transactionTimeoutMs });
    await ask('an empty transactional id', { transactionalId: '' });
    await ask('an empty transactional id, no timeout', { transactionalId: '', transactionTimeoutMs: 0 });
    for (const transactionTimeoutMs of [1000, 0, -1, INT_MAX]) {
      await ask(`a transactional id, timeout ${transactionTimeoutMs}`, { transactionalId: `id-${version}`, transactionTimeoutMs });
    }
    if (version < 3) continue;
    const ids: [number, number][] = [
      [-2, 0],
      [-2, -1],
      [-1, -2],
      [-1, 0],
      [5, -2],
      [5, -1],
      [0, 0],
      [2 ** 52, 32767],
      [5, 32767],
      [-5, -5],
    ];
    for (const [producerId, producerEpoch] of ids) {
      await ask(`id ${producerId}, epoch ${producerEpoch}`, { producerId, producerEpoch });
      await ask(`a transactional id, id ${producerId}, epoch ${producerEpoch}`, {
        transactionalId: `id-${version}-x`,
        producerId,
        producerEpoch,
      });
    }
  }
}
