// Our tables are Kafka's, and the comparison that says so notices each kind of difference.
import { describe, expect, it } from 'vitest';
import { fetchRequest } from '../../src/protocol/apis/fetch.ts';
import { errorMessage, errorName, errorRows, isRetriable } from '../../src/protocol/errors.ts';
import type { Fields, Table } from '../../src/protocol/schema.ts';
import { checkParity, compareTable, readSpecs, specFolder } from '../../tools/schema-parity.ts';
import { skipSuite } from '../support/skip.ts';

const { tableCount, differences } = checkParity(specFolder());
const missing =
  tableCount === null ? `no definitions of Kafka's messages: ${specFolder()} is absent (NARU_KAFKA_SPEC names another folder)` : null;

describe("Kafka's definitions", () => {
  skipSuite(missing);

  it('are what our tables say', () => {
    expect(differences).toEqual([]);
    expect(tableCount).toBeGreaterThan(270);
  });

  const changes: [what: string, table: Table, complaint: RegExp][] = [
    ['a version too few', { ...fetchRequest, versions: [4, 17] }, /versions 4-17, Kafka has 4-18/],
    ['another API', { ...fetchRequest, apiKey: 2 }, /apiKey 2, Kafka has 1/],
    ['flexible too late', { ...fetchRequest, flexibleSince: 13 }, /version 12 flexible false/],
    ['a field missing', withField('rackId', null), /fields clusterId/],
    [
      'a field too many',
      { ...fetchRequest, fields: { ...fetchRequest.fields, more: fetchRequest.fields.maxWaitMs } },
      /fields clusterId.*more/,
    ],
    ['another type', withField('maxWaitMs', { primitive: 'int64' }), /maxWaitMs: type int64, Kafka has int32/],
    ['another default', withField('sessionEpoch', { default: 0 }), /sessionEpoch: default number 0, Kafka has number -1/],
    ['another tag', withField('replicaState', { tag: 2 }), /replicaState: tag 2, Kafka has 1/],
    ['no tag', withField('replicaState', { tag: undefined }), /replicaState: tagged in version 15 false/],
    ['a field too early', withField('rackId', { since: 10 }), /rackId: in version 10 true/],
    ['a field too long', withField('replicaId', { until: 15 }), /replicaId: in version 15 true/],
    ['null where none may be', withField('topics', { nullableSince: 4 }), /topics: nullable in version 4 true/],
    ['not ignorable', withField('rackId', { ignorable: false }), /rackId: ignorable false, Kafka has true/],
  ];

  it.each(changes)('differ from ours with %s', (_what, table, complaint) => {
    const spec = readSpecs(specFolder()).get('FetchRequest');
    expect(spec && compareTable(spec, fetchRequest)).toEqual([]);
    expect(spec && compareTable(spec, table).join('\n')).toMatch(complaint);
  });
});

/** Fetch with one field changed, or left out. */
function withField(name: keyof typeof fetchRequest.fields, change: object | null): Table {
  const entries: [string, Fields[string]][] = Object.entries(fetchRequest.fields);
  const changed = entries
    .filter(([field]) => field !== name || change !== null)
    .map(([field, is]): [string, Fields[string]] => [field, field === name ? { ...is, ...change } : is]);
  return { ...fetchRequest, fields: Object.fromEntries(changed) };
}

describe('errors', () => {
  it('each have a name, a message of their own and an answer to "again?"', () => {
    expect(errorRows.map(([code]) => code)).toEqual(Array.from({ length: errorRows.length }, (_, i) => i - 1));
    const messages = errorRows.filter(([code]) => code !== 0).map(([code]) => errorMessage(code));
    expect(new Set(messages).size).toBe(messages.length);
    for (const message of messages) expect(message).toMatch(/^[A-Za-z].{10,110}\.$/);
    expect([errorMessage(0), errorName(6), isRetriable(6), isRetriable(1)]).toEqual(['', 'NOT_LEADER_OR_FOLLOWER', true, false]);
    expect([errorName(999), errorMessage(999), isRetriable(999)]).toEqual(['error 999', 'Error 999.', false]);
  });
});
