// A partition whose log is not made yet answers as one with an empty log.
import { expect, test } from 'vitest';
import { createReadPlan } from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { LeaderReplica } from '../../src/partition/leader-replica.ts';
import { PartitionWords, partitionRegionBytes } from '../../src/partition/partition-words.ts';
import { UnmadePartition } from '../../src/partition/unmade-partition.ts';
import { openLog, TOPIC_ID } from '../log/log-fixtures.ts';

const SLOT = 1;
const WORDS = 20;
const NUMBERS = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 1000];

function wordsOfOwner(): PartitionWords {
  const region = new SharedArrayBuffer(partitionRegionBytes(4, 1));
  return new PartitionWords({ region, slotCount: 4, workerCount: 1, selfIndex: 0, signal: () => {} });
}

type Readable = LeaderReplica | UnmadePartition;

/** Error code and words of an answer. */
function answerOf(ask: (words: Int32Array, floats: Float64Array) => number): unknown {
  const words = new Int32Array(WORDS);
  const code = ask(words, new Float64Array(words.buffer));
  return { code, words: [...words] };
}

test('to every question, in any epoch', () => {
  for (const leaderEpoch of [0, 2]) {
    const log = openLog({ storage: new MemoryStorage() });
    const wordsOfMade = wordsOfOwner();
    const wordsOfUnmade = wordsOfOwner();
    const made = new LeaderReplica(SLOT, 'topic', TOPIC_ID, 0, log, leaderEpoch, wordsOfMade);
    const unmade = new UnmadePartition(SLOT, TOPIC_ID, 0, leaderEpoch, 'data', wordsOfUnmade);
    const plan = createReadPlan();
    let count = 0;
    const compare = (what: string, ask: (readable: Readable, words: Int32Array, floats: Float64Array) => number): void => {
      const expected = answerOf((words, floats) => ask(made, words, floats));
      expect(
        answerOf((words, floats) => ask(unmade, words, floats)),
        what,
      ).toEqual(expected);
      count++;
    };
    for (const first of NUMBERS) {
      for (const currentLeaderEpoch of NUMBERS) {
        for (const isolation of [0, 1]) {
          for (const lastFetchedEpoch of NUMBERS) {
            const asked = { offset: first, maxBytes: 100, currentLeaderEpoch, lastFetchedEpoch, isolation };
            compare(`fetch ${JSON.stringify(asked)}`, (readable, words, floats) => readable.planFetch(words, floats, 0, plan, asked));
          }
          compare(`offset by ${first} in epoch ${currentLeaderEpoch}`, (readable, words, floats) =>
            readable.listOffset(words, floats, 0, first, isolation, currentLeaderEpoch),
          );
        }
        compare(`end of epoch ${first} in epoch ${currentLeaderEpoch}`, (readable, words, floats) =>
          readable.epochEnd(words, floats, 0, first, currentLeaderEpoch),
        );
      }
    }
    expect(count).toBeGreaterThan(1000);
    const published = (words: PartitionWords): unknown => [
      words.leaderEpoch(SLOT),
      words.logStartOffset(SLOT),
      words.highWatermark(SLOT),
      words.lastStableOffset(SLOT),
      words.logEndOffset(SLOT),
      words.livePosition(SLOT, 0),
    ];
    expect(published(wordsOfUnmade)).toEqual(published(wordsOfMade));
  }
});
