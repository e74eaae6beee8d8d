// Quotas and credentials that a directory of Apache Kafka holds are shown as Apache Kafka shows them. With NARU_TEST_BOOTSTRAP=host:port and
// REWRITE=1 a broker there, without quotas, is given the same ones and its answers are recorded anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { clientQuotas, matchingQuotas, type QuotaFilter } from '../../src/metadata/client-quotas.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { scramCredentials } from '../../src/metadata/scram-credentials.ts';
import { alterClientQuotasRequest, alterClientQuotasResponse } from '../../src/protocol/apis/alter-client-quotas.ts';
import { describeClientQuotasRequest, describeClientQuotasResponse } from '../../src/protocol/apis/describe-client-quotas.ts';
import { answersText } from '../support/answer-book.ts';
import { WireClient } from '../support/wire-client.ts';
import { Controller } from './decider.ts';

const recorded = new URL('../golden/answers/client-quotas.json', import.meta.url);
const bootstrap = process.env.NARU_TEST_BOOTSTRAP;

type Entity = { entityType: string; entityName: string | null }[];
type Told = { readonly entity: Entity; readonly values: { key: string; value: number }[] };

const user = (entityName: string | null) => ({ entityType: 'user', entityName });
const client = (entityName: string | null) => ({ entityType: 'client-id', entityName });
const address = (entityName: string | null) => ({ entityType: 'ip', entityName });

/** In the order in which they are given. */
const given: readonly { entity: Entity; key: string; value: number; remove: boolean }[] = [
  { entity: [user('a')], key: 'producer_byte_rate', value: 1024, remove: false },
  { entity: [user('a')], key: 'consumer_byte_rate', value: 2048, remove: false },
  { entity: [user('a')], key: 'producer_byte_rate', value: 4096, remove: false },
  { entity: [user(null)], key: 'request_percentage', value: 12.25, remove: false },
  { entity: [client('c')], key: 'producer_byte_rate', value: 1, remove: false },
  { entity: [user('a'), client('c')], key: 'producer_byte_rate', value: 2, remove: false },
  { entity: [client(null), user('a')], key: 'producer_byte_rate', value: 3, remove: false },
  { entity: [user('b')], key: 'producer_byte_rate', value: 5, remove: false },
  { entity: [user('b')], key: 'producer_byte_rate', value: 0, remove: true },
  { entity: [address('127.0.0.1')], key: 'connection_creation_rate', value: 7, remove: false },
  { entity: [address(null)], key: 'connection_creation_rate', value: 9, remove: false },
];

const is = (entityType: string, match: string): QuotaFilter => ({ entityType, matchType: 0, match });
const isDefault = (entityType: string): QuotaFilter => ({ entityType, matchType: 1, match: null });
const has = (entityType: string): QuotaFilter => ({ entityType, matchType: 2, match: null });
const asked: readonly (readonly QuotaFilter[])[] = [
  [],
  [is('user', 'a')],
  [is('user', 'b')],
  [isDefault('user')],
  [has('user')],
  [has('client-id')],
  [is('client-id', 'c')],
  [isDefault('client-id')],
  [is('user', 'a'), has('client-id')],
  [has('user'), is('client-id', 'c')],
  [has('user'), has('client-id')],
  [is('user', 'a'), isDefault('client-id')],
  [is('ip', '127.0.0.1')],
  [has('ip')],
];

/** Entities and values come in the order of a hash table from Apache Kafka. */
function sorted(entries: readonly Told[]): Told[] {
  const by = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return entries.map(({ entity, values }) => ({ entity: [...entity].sort(by), values: [...values].sort(by) })).sort(by);
}

const nameOf = (filters: readonly QuotaFilter[], strict: boolean): string => `${JSON.stringify(filters)}, strict ${strict}`;

async function record(port: number): Promise<void> {
  const wire = await WireClient.connect(port);
  for (const { entity, ...op } of given) {
    const answer = await wire.ask(alterClientQuotasRequest, alterClientQuotasResponse, 0, { entries: [{ entity, ops: [op] }] });
    expect(answer.entries[0]?.errorCode).toBe(0);
  }
  const answers: Record<string, Told[]> = {};
  // Once the last of them is shown, all are.
  for (let shown = 0; shown === 0; ) {
    const answer = await wire.ask(describeClientQuotasRequest, describeClientQuotasResponse, 0, { components: [isDefault('ip')] });
    shown = answer.entries?.length ?? 0;
  }
  for (const components of asked) {
    for (const strict of [false, true]) {
      const answer = await wire.ask(describeClientQuotasRequest, describeClientQuotasResponse, 0, { components: [...components], strict });
      answers[nameOf(components, strict)] = sorted(answer.entries ?? []);
    }
  }
  wire.close();
  writeFileSync(recorded, answersText(answers));
}

describe('quotas', () => {
  test('are shown by what they are of', async () => {
    if (bootstrap !== undefined && process.env.REWRITE === '1') await record(Number(bootstrap.split(':').at(-1)));
    const controller = new Controller([1]);
    controller.apply(given.map((quota): MetadataRecord => ({ type: 'ClientQuotaRecord', ...quota })));
    const quotas = clientQuotas(controller.image);
    const answers: Record<string, Told[]> = {};
    for (const components of asked) {
      for (const strict of [false, true]) {
        const told = matchingQuotas(quotas, components, strict).map(({ entity, values }) => ({
          entity: Array.from(entity, ([entityType, entityName]) => ({ entityType, entityName })),
          values: Array.from(values, ([key, value]) => ({ key, value })),
        }));
        answers[nameOf(components, strict)] = sorted(told);
      }
    }
    expect(answers).toEqual(JSON.parse(readFileSync(recorded, 'utf8')));
    expect(Object.values(answers).some((told) => told.length > 5)).toBe(true);
  });
});

test('credentials are told by mechanism and count, until they are removed', () => {
  const controller = new Controller([1]);
  const secret = { salt: new Uint8Array(4), storedKey: new Uint8Array(4), serverKey: new Uint8Array(4) };
  const credential = (name: string, mechanism: number, iterations: number): MetadataRecord => ({
    type: 'UserScramCredentialRecord',
    name,
    mechanism,
    iterations,
    ...secret,
  });
  controller.apply([credential('a', 2, 4096), credential('a', 1, 8192), credential('b', 1, 4096), credential('a', 2, 5000)]);
  controller.apply([{ type: 'RemoveUserScramCredentialRecord', name: 'b', mechanism: 1 }]);
  expect([...scramCredentials(controller.image)]).toEqual([
    [
      'a',
      [
        { mechanism: 1, iterations: 8192 },
        { mechanism: 2, iterations: 5000 },
      ],
    ],
  ]);
});
