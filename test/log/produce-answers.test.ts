// The same batches, in the same order, as Apache Kafka was given: our answers are its answers, but for the departures named here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAppendResult, type Log } from '../../src/log/log.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { openLog, readValues } from './log-fixtures.ts';
import { produceCases } from './produce-cases.ts';

interface Answer {
  readonly name: string;
  readonly topic: string;
  readonly error: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly recordErrors: readonly number[];
}

const golden: { nowMs: number; producerId: number; answers: Answer[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/log/produce-answers-4.3.1.json'), 'utf8'),
);

/** Where Apache answers UNKNOWN_SERVER_ERROR we say what is wrong, or take the batch as it came (records are not decompressed). */
const DEPARTURES: Record<string, number> = {
  'length 30': ERROR.CORRUPT_MESSAGE,
  'compression type 5': ERROR.UNSUPPORTED_COMPRESSION_TYPE,
  'compression type 6': ERROR.UNSUPPORTED_COMPRESSION_TYPE,
  'compression type 7': ERROR.UNSUPPORTED_COMPRESSION_TYPE,
  'gzip that is none': ERROR.CORRUPT_MESSAGE,
  // Apache refuses the request before the log sees it: a transactional batch without a transactional id.
  'transactional without a transaction': ERROR.INVALID_TXN_STATE,
};

test('every batch gets the answer that Apache Kafka gave', () => {
  const { nowMs, producerId } = golden;
  const options = { nowMs, config: { maxMessageBytes: 2000, validatesRecords: true } };
  const logs: Record<string, Log> = {
    plain: openLog(options),
    comp: openLog({ nowMs, config: { isCompacted: true } }),
    lat: openLog({ nowMs, config: { isLogAppendTime: true } }),
  };
  const cases = produceCases(nowMs, producerId);
  expect(cases.map(({ topic, name }) => [topic, name])).toEqual(golden.answers.map(({ topic, name }) => [topic, name]));
  const result = createAppendResult();
  for (const [i, { name, topic, records }] of cases.entries()) {
    const answer = golden.answers[i] as Answer;
    const log = logs[topic] as Log;
    log.stage(records, 0, records.length, 0, nowMs, result);
    log.writeStaged();
    const label = `${topic}: ${name} (${result.errorMessage})`;
    expect(result.error, label).toBe(DEPARTURES[name] ?? answer.error);
    expect(result.baseOffset, label).toBe(answer.baseOffset);
    if (DEPARTURES[name] === undefined)
      expect(
        result.recordErrors.map((error) => error.batchIndex),
        label,
      ).toEqual(answer.recordErrors);
    if (topic !== 'lat') expect(result.logAppendTimeMs, label).toBe(answer.logAppendTimeMs);
  }
  for (const log of Object.values(logs)) expect(readValues(log)).toHaveLength(log.writtenEnd);
});
