// Ten seconds of what tools/torture.ts does for minutes, and that it would notice what it looks for.
import { describe, expect, it } from 'vitest';
import type { Record } from '../../src/protocol/records/record.ts';
import { skipSuite } from '../support/skip.ts';
import { foreignReason, isForeign, workerCounts } from '../support/target.ts';
import { identify, valueFor } from '../support/torture/identity.ts';
import { Sequel, TopicLife } from '../support/torture/ledger.ts';
import { torture } from '../support/torture/torture.ts';

describe.each(workerCounts(2))('at %i workers', (workers) => {
  skipSuite(isForeign ? foreignReason : null);

  it('nothing is lost, doubled, mixed up or changed while producers, readers, rolls and deletions meet', { timeout: 300_000 }, async () => {
    // The run names its seed where it fails.
    const { counts, acknowledged } = await torture({ workers, seed: 1 + Math.floor(Math.random() * 1e6), durationMs: 10_000 });
    expect(acknowledged).toBeGreaterThan(0);
    for (const [name, count] of Object.entries(counts)) if (name !== 'reconnects') expect(count, name).toBeGreaterThan(0);
  });
});

describe('a torture run notices', () => {
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
  const identity = { topicId, partition: 1, producer: 3, sequence: 77 };
  const record = (offset: number, sequence: number, producer = 3): Record => ({
    offset,
    timestampMs: 0,
    key: null,
    value: valueFor({ topicId, partition: 1, producer, sequence }, 10),
    headers: [],
  });
  const life = (isTrimmed = false): TopicLife => new TopicLife('t', topicId, 2, isTrimmed, (producer) => producer === 3);

  it('a log that starts where it should not', () => {
    expect(() => life().startsAt(1, 1, 0)).toThrow(/nobody deleted/);
    const trimmed = life(true);
    trimmed.startsAt(1, 5, 0);
    trimmed.startsAt(1, 4, 0); // Told before the other, and heard later.
    expect(trimmed.knownStarts).toEqual([0, 5]);
    expect(() => trimmed.startsAt(1, 4, 5)).toThrow(/started at 5 before/);
    // Read from behind the start, the first sequence may be any; from there on none is missing.
    const sequel = new Sequel(false);
    expect(sequel.next(3, 7, true)).toBeNull();
    expect(sequel.next(3, 9, true)).toMatch(/a gap/);
  });

  it('one wrong byte, wherever it is', () => {
    const value = valueFor(identity, 200);
    expect(identify(value, topicId, 1)).toEqual(identity);
    for (let at = 0; at < value.length; at++) {
      const wrong = Buffer.from(value);
      wrong[at] = (wrong[at] as number) ^ 1;
      expect(() => identify(wrong, topicId, 1), `byte ${at}`).toThrow();
    }
    expect(() => identify(value.subarray(0, -1), topicId, 1)).toThrow();
  });

  it('a record of another partition or topic', () => {
    expect(() => identify(valueFor(identity, 10), topicId, 0)).toThrow('belongs');
    expect(() => identify(valueFor(identity, 10), 'AAAAAAAAAAAAAAAAAAAAAg', 1)).toThrow('belongs');
  });

  it('another record where an acknowledged one stood', () => {
    const known = life();
    known.acknowledge(1, 10, 3, 5, 2);
    expect(known.read(1, 10, [record(10, 5), record(11, 6)], null)).toBe(12);
    expect(() => known.read(1, 10, [record(10, 6)], null)).toThrow('offset 10');
    expect(() => known.acknowledge(1, 11, 3, 7, 1)).toThrow('offset 11');
  });

  it('offsets that jump or run backwards', () => {
    expect(() => life().read(1, 10, [record(11, 5)], null)).toThrow('where 10 was due');
    expect(() => life().read(1, 10, [record(10, 5), record(10, 5)], null)).toThrow('where 11 was due');
  });

  it('duplicates and gaps of an idempotent producer, and what any other sent once', () => {
    expect(() => life().read(1, 0, [record(0, 0), record(1, 0)], new Sequel())).toThrow('duplicate');
    expect(() => life().read(1, 0, [record(0, 0), record(1, 2)], new Sequel())).toThrow('gap');
    expect(() => life().read(1, 0, [record(0, 4, 5), record(1, 9, 5), record(2, 4, 5)], new Sequel())).toThrow('twice');
  });
});
