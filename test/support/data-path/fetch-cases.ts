// What a Fetch may ask that a consumer would not, and what a follower asks of a broker that is alone: which errors end the wait, how odd
// limits and isolation levels are read, what sessions and replicas are answered.
import { type FetchRequest, fetchRequest, fetchResponse } from '../../../src/protocol/apis/fetch.ts';
import { labelled } from '../batches.ts';
import type { Sparse } from '../messages.ts';
import type { Questions, Topic } from './questions.ts';

const KIB = 1024;
/** A wait that a test can sit out, and one that nothing but an answer at once stays below. */
const SHORT_MS = 200;
const LONG_MS = 12_000;
const UNKNOWN_ID = 'QUFBQUFBQUFBQUFBQUFBQQ';
const TOPIC_IDS_SINCE = 13;

type Asked = Sparse<FetchRequest['topics'][number]['partitions'][number]>;
type Part = readonly [topic: Topic | null, ...partitions: Asked[]];

/** `topics` of a request at a version; null is a topic that does not exist. */
function topicsOf(version: number, parts: readonly Part[]): Sparse<FetchRequest['topics']> {
  return parts.map(([topic, ...partitions]) => ({
    ...(version < TOPIC_IDS_SINCE ? { topic: topic?.name ?? 'missing' } : { topicId: topic?.id ?? UNKNOWN_ID }),
    partitions: partitions.map((partition) => ({ partitionMaxBytes: 64 * KIB, ...partition })),
  }));
}

const at = (partition: number, fetchOffset = 0): Asked => ({ partition, fetchOffset });

async function makeTopics(questions: Questions): Promise<{ full: Topic; empty: Topic }> {
  const full = await questions.topic('full', 3);
  const empty = await questions.topic('empty', 2);
  for (const partition of [0, 2]) {
    for (let i = 0; i < 3; i++)
      await questions.client.produce(full.name, partition, labelled(`p${partition}`, i * 2, 2, { valueBytes: 200 }));
  }
  return { full, empty };
}

/** Which answers come at once, and which wait for bytes although something is wrong. */
export async function askWaiting(questions: Questions): Promise<void> {
  const { full, empty } = await makeTopics(questions);
  const ask = (label: string, version: number, maxWaitMs: number, parts: readonly Part[], more: Sparse<FetchRequest> = {}): Promise<void> =>
    questions.askAndWait(label, fetchRequest, fetchResponse, version, maxWaitMs, {
      maxWaitMs,
      minBytes: 1,
      topics: topicsOf(version, parts),
      ...more,
    });
  for (const version of [4, 12, 18]) {
    await ask('a partition that does not exist among empty ones', version, SHORT_MS, [[empty, at(0), at(7), at(1)]]);
    await ask('a negative partition among empty ones', version, SHORT_MS, [[empty, at(-1), at(0)]]);
    await ask('a topic that does not exist among empty ones', version, SHORT_MS, [
      [null, at(0)],
      [empty, at(0)],
    ]);
    await ask('nothing that exists', version, LONG_MS, [
      [null, at(0), at(3)],
      [empty, at(7)],
    ]);
    await ask('an offset out of range among empty ones', version, LONG_MS, [[empty, at(0), at(1, 5)]]);
    await ask('a negative offset among empty ones', version, LONG_MS, [[empty, at(0, -5), at(1)]]);
    await ask('an offset out of range, and a partition that does not exist', version, LONG_MS, [[empty, at(7), at(1, 5), at(0)]]);
    await ask('bytes behind what does not exist', version, LONG_MS, [
      [null, at(0)],
      [full, at(9), at(1), at(0)],
      [empty, at(0)],
    ]);
    await ask(
      'too few bytes, and a topic that does not exist',
      version,
      SHORT_MS,
      [
        [full, at(0)],
        [null, at(0)],
      ],
      { minBytes: 64 * KIB },
    );
  }
  for (const version of [9, 12, 13, 16, 18]) {
    for (const currentLeaderEpoch of [0, 9, -2]) {
      const isGood = currentLeaderEpoch !== 9;
      await ask(`leader epoch ${currentLeaderEpoch} among empty ones`, version, isGood ? SHORT_MS : LONG_MS, [
        [empty, { ...at(0), currentLeaderEpoch }, at(1)],
      ]);
    }
    if (version < 12) continue;
    for (const lastFetchedEpoch of [0, 1, -2]) {
      await ask(`last fetched epoch ${lastFetchedEpoch} of partition with records`, version, LONG_MS, [
        [full, { ...at(0, 6), lastFetchedEpoch }, { ...at(2, 2), lastFetchedEpoch }],
      ]);
    }
  }
}

/** Isolation levels, limits, partitions named twice. */
export async function askOddFetches(questions: Questions): Promise<void> {
  const { full, empty } = await makeTopics(questions);
  const ask = (label: string, version: number, parts: readonly Part[], more: Sparse<FetchRequest> = {}): Promise<void> =>
    questions.ask(label, fetchRequest, fetchResponse, version, { maxWaitMs: 0, minBytes: 1, topics: topicsOf(version, parts), ...more });
  for (const version of [4, 12, 18]) {
    const parts: Part[] = [
      [full, at(0), at(1), at(2, 99)],
      [null, at(0)],
    ];
    for (const isolationLevel of [0, 1, 2, -1, 127]) await ask(`isolation level ${isolationLevel}`, version, parts, { isolationLevel });
  }
  for (const version of [4, 7, 12, 18]) {
    const both: Part[] = [[full, at(0), at(1), at(2)]];
    for (const maxBytes of [0, -1, 1, 300]) await ask(`max bytes ${maxBytes}`, version, both, { maxBytes });
    for (const partitionMaxBytes of [0, -1, 1, 300]) {
      const limited = [0, 1, 2].map((partition) => ({ ...at(partition), partitionMaxBytes }));
      await ask(`partition max bytes ${partitionMaxBytes}`, version, [[full, ...limited]]);
    }
    await ask('a partition twice', version, [[full, at(0), at(1), at(0, 4)]]);
    await ask('a topic twice', version, [
      [full, at(0)],
      [empty, at(0)],
      [full, at(2, 2)],
    ]);
    await ask('a topic without partitions', version, [[full], [empty, at(0)]]);
    await ask('in the middle of a batch', version, [[full, at(0, 3)]]);
  }
  for (const version of [4, 12, 18]) {
    for (const minBytes of [-1, 0]) {
      await questions.askAndWait(`min bytes ${minBytes}`, fetchRequest, fetchResponse, version, LONG_MS, {
        maxWaitMs: LONG_MS,
        minBytes,
        topics: topicsOf(version, [[empty, at(0)]]),
      });
    }
    // More bytes than may be sent are never waited for.
    await questions.askAndWait('min bytes above max bytes', fetchRequest, fetchResponse, version, LONG_MS, {
      maxWaitMs: LONG_MS,
      minBytes: 1000,
      maxBytes: 300,
      topics: topicsOf(version, [[full, at(0)]]),
    });
    for (const [maxBytes, minBytes] of [
      [0, 1],
      [-1, 1],
    ] as const) {
      await questions.askAndWait(`max bytes ${maxBytes} of an empty partition`, fetchRequest, fetchResponse, version, LONG_MS, {
        maxWaitMs: LONG_MS,
        minBytes,
        maxBytes,
        topics: topicsOf(version, [[empty, at(0)]]),
      });
    }
    await questions.askAndWait('a negative wait', fetchRequest, fetchResponse, version, LONG_MS, {
      maxWaitMs: -1,
      minBytes: 1,
      topics: topicsOf(version, [[empty, at(0)]]),
    });
  }
}

/** What sessions are answered to odd openings and goings-on. */
export async function askOddSessions(questions: Questions): Promise<void> {
  const { full, empty } = await makeTopics(questions);
  const ask = (label: string, version: number, parts: readonly Part[], more: Sparse<FetchRequest> = {}): Promise<void> =>
    questions.ask(label, fetchRequest, fetchResponse, version, { maxWaitMs: 0, minBytes: 1, topics: topicsOf(version, parts), ...more });
  for (const version of [7, 12, 13, 18]) {
    for (const sessionEpoch of [0, -1]) {
      await ask(`no partitions, session epoch ${sessionEpoch}`, version, [], { sessionEpoch });
      await ask(`no partitions of a session that is unknown, epoch ${sessionEpoch}`, version, [], { sessionId: 77, sessionEpoch });
      await ask(`partitions of a session that is unknown, epoch ${sessionEpoch}`, version, [[empty, at(0)]], {
        sessionId: 77,
        sessionEpoch,
      });
      await ask(`nothing that exists, session epoch ${sessionEpoch}`, version, [[null, at(0)]], { sessionEpoch });
    }
    for (const sessionEpoch of [1, -2, 2 ** 31 - 1]) {
      await ask(`session 0, epoch ${sessionEpoch}`, version, [[empty, at(0)]], { sessionId: 0, sessionEpoch });
      await ask(`session -5, epoch ${sessionEpoch}`, version, [[empty, at(0)]], { sessionId: -5, sessionEpoch });
    }
    // One session, step by step.
    const opened = await questions.client.fetch(
      {
        maxWaitMs: 0,
        sessionEpoch: 0,
        topics: topicsOf(version, [
          [full, at(0), at(1), at(8)],
          [null, at(0)],
        ]),
      },
      version,
    );
    let sessionEpoch = 0;
    const step = (label: string, parts: readonly Part[], forgotten: readonly Part[] = [], more: Sparse<FetchRequest> = {}): Promise<void> =>
      ask(`in a session, ${label}`, version, parts, {
        sessionId: opened.sessionId,
        sessionEpoch: ++sessionEpoch,
        forgottenTopicsData: topicsOf(version, forgotten).map(({ partitions = [], ...topic }) => ({
          ...topic,
          partitions: partitions.map(({ partition = 0 }) => partition),
        })),
        ...more,
      });
    await step('errors are told again', [[full, at(0, 6)]]);
    await step('an offset out of range', [[full, at(1, 9)]]);
    await step('what was out of range is told again', []);
    await step('in range again', [[full, at(1)]]);
    await step('nothing new but errors', []);
    await step(
      'what does not exist is forgotten',
      [],
      [
        [full, at(8)],
        [null, at(0)],
      ],
    );
    await step('forgotten and asked for at once', [[full, at(0)]], [[full, at(0)]]);
    await step(
      'forgotten that was never there',
      [],
      [
        [empty, at(1)],
        [null, at(5)],
      ],
    );
    await step('all of it forgotten', [], [[full, at(0), at(1)]]);
    await step('after its end', []);
  }
}

/** Followers: this broker is alone, so none can be one. */
export async function askAsReplica(questions: Questions): Promise<void> {
  const { full, empty } = await makeTopics(questions);
  for (const version of [4, 8, 9, 12, 13, 14, 15, 16, 18]) {
    for (const replicaId of version === 4 || version === 12 || version === 18 ? [1, 5, -2, -3] : [5]) {
      const who = version < 15 ? { replicaId } : { replicaState: { replicaId, replicaEpoch: -1 } };
      const ask = (label: string, parts: readonly Part[], more: Sparse<FetchRequest> = {}): Promise<void> =>
        questions.askAndWait(`as replica ${replicaId}, ${label}`, fetchRequest, fetchResponse, version, LONG_MS, {
          maxWaitMs: LONG_MS,
          minBytes: 1,
          topics: topicsOf(version, parts),
          ...who,
          ...more,
        });
      await ask('all sorts', [
        [full, at(0), at(1), at(2, 99), at(9)],
        [null, at(0)],
      ]);
      if (version >= 9) {
        await ask('with epochs', [
          [full, { ...at(0), currentLeaderEpoch: 0 }, { ...at(1), currentLeaderEpoch: 5 }, { ...at(2, 99), currentLeaderEpoch: 0 }],
        ]);
      }
      if (version >= 7)
        await ask(
          'in a session',
          [
            [full, at(0)],
            [empty, at(0)],
          ],
          { sessionEpoch: 0 },
        );
    }
  }
}

/** A consumer at the tail that then asks for what its connection does not expect. */
export async function askAfterTail(questions: Questions): Promise<void> {
  const full = await questions.topic('tail');
  for (let i = 0; i < 3; i++) await questions.client.produce(full.name, 0, labelled('tail', i * 2, 2));
  for (const version of [12, 18]) {
    for (const offset of [-1, -2, 7, 5, 2 ** 40]) {
      const { name, id } = full;
      const tail = (fetchOffset: number) =>
        questions.client.fetch(
          {
            maxWaitMs: 0,
            topics: [
              {
                ...(version < TOPIC_IDS_SINCE ? { topic: name } : { topicId: id }),
                partitions: [{ ...at(0, fetchOffset), partitionMaxBytes: KIB * KIB }],
              },
            ],
          },
          version,
        );
      await tail(0);
      await tail(6);
      await questions.ask(`offset ${offset} after the tail`, fetchRequest, fetchResponse, version, {
        maxWaitMs: 0,
        minBytes: 1,
        topics: topicsOf(version, [[full, at(0, offset)]]),
      });
    }
  }
}
