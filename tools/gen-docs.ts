// `npm run docs`: writes docs/reference from the rows that the code itself uses. A test compares the pages with what would be written.
// Invariant: the same rows give the same bytes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { served } from '../src/broker/handler-table.ts';
import { METRIC } from '../src/broker/metrics/metric-rows.ts';
import { brokerOptions } from '../src/config/broker-options.ts';
import type { Option } from '../src/config/define.ts';
import { laterOptionsByName } from '../src/config/later-options.ts';
import { missingEffect } from '../src/config/missing-effects.ts';
import { naruOptions } from '../src/config/naru-options.ts';
import { topicOptions, topicSynonyms } from '../src/config/topic-options.ts';
import { API, apiName } from '../src/protocol/api-keys.ts';
import { errorRows } from '../src/protocol/errors.ts';
import { LAG_BOUNDS_MS, TURN_BOUNDS_MS } from '../src/scheduler/loop-meter.ts';
import { LATENCY_BOUNDS_MS } from '../src/telemetry/histogram.ts';

const root = resolve(import.meta.dirname, '..');

const UNIT_TEXT = { none: '', bytes: ' bytes', ms: ' ms' } as const;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function code(text: string | null): string {
  if (text === null) return '–';
  return text === '' ? 'empty' : `\`${text}\``;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`;
  return `${line(heads)}|${heads.map(() => '---|').join('')}\n${rows.map(line).join('')}`;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** What an option means, and what of it is missing. */
function meaning(row: Option<unknown>): string {
  const missing = missingEffect(row);
  return missing === null ? row.doc : `${row.doc} **${missing[0]?.toUpperCase()}${missing.slice(1)}.**`;
}

function brokerRow(row: Option<unknown>): string[] {
  const departure = row.kafkaDefault === undefined ? '' : ` (Kafka: ${code(row.kafkaDefault)})`;
  return [
    `\`${row.name}\``,
    `${row.type}${UNIT_TEXT[row.unit]}`,
    `${code(row.defaultText)}${departure}`,
    row.allowed,
    row.update,
    meaning(row),
  ];
}

/** docs/reference/config.md */
export function configReference(): string {
  const shown = (rows: Readonly<Record<string, Option<unknown>>>): Option<unknown>[] => Object.values(rows).sort(byName);
  const heads = ['name', 'type', 'default', 'allowed', 'may change', 'meaning'];
  const topicRows = Object.entries<Option<unknown>>(topicOptions)
    .map(([key, row]) => ({ row, name: row.name, synonyms: Object.entries(topicSynonyms).find(([each]) => each === key)?.[1] ?? [] }))
    .sort(byName)
    .map(({ row, synonyms }) => [
      `\`${row.name}\``,
      `${row.type}${UNIT_TEXT[row.unit]}`,
      code(row.defaultText),
      row.allowed,
      synonyms.map(({ name }) => `\`${name}\``).join(', '),
      meaning(row),
    ]);
  const later = [...laterOptionsByName.values()].sort(byName).map((row) => [`\`${row.name}\``, row.type, code(row.defaultText), row.doc]);
  return [
    '# Configuration\n',
    'Written by `npm run docs` from the rows in `src/config`; change those.\n',
    'Options bear Apache Kafka’s names and, but for those marked, its defaults. They are read from a properties file (`--config`), then from',
    'variables (`log.segment.bytes` is `NARU_LOG_SEGMENT_BYTES`, `naru.workers` is `NARU_WORKERS`), then from `--override key=value`,',
    '`--port` and `--data-dir`; the later one wins. A value that is not allowed ends the start with a line that names it, an unknown name is',
    'told in a warning, and a security option that is not served yet ends the start: security is never silently off. Where the meaning ends in',
    'bold, that much of the option has no effect yet, and setting it to anything but its default is told in a warning, too.\n',
    'Departures from Apache Kafka besides the marked defaults: a data directory is formatted at its first use, and the replication factors',
    'of internal topics shrink to the brokers that there are.\n',
    '## Broker\n',
    table(heads, shown(brokerOptions).map(brokerRow)),
    '## Naru’s own\n',
    table(heads, shown(naruOptions).map(brokerRow)),
    '## Topics\n',
    'A topic that does not set an option takes it from the broker option beside it, the first one that has a value.\n',
    table(['name', 'type', 'default', 'allowed', 'from the broker', 'meaning'], topicRows),
    '## Known, without effect yet\n',
    'Listed by DescribeConfigs with Apache Kafka’s defaults. Setting one is answered with a warning; setting one of the security options',
    '(`sasl.`, `ssl.`, `security.`, `authorizer.`, `delegation.token.`) to anything but its default ends the start.\n',
    table(['name', 'type', 'default', 'meaning'], later),
  ].join('\n');
}

const ORDER_TEXT = {
  barrier: 'starts when all before it are answered',
  produce: 'Produce requests overlap',
  fetch: 'Fetch requests overlap',
} as const;

function range(first: number, last: number): string {
  return first === last ? String(first) : `${first}–${last}`;
}

/** Why an API is not served; the first row whose pattern fits its name. */
const UNSERVED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^Sasl|DelegationToken$|ScramCredentials$/, 'security is not served; nothing would act on what was altered'],
  [/^AlterClientQuotas$/, 'quotas are not enforced'],
  [/Txn|^DescribeTransactions$/, 'transactions are not served'],
  [/Share/, 'share groups are not served'],
  [/^Streams/, 'streams groups are not served'],
  [/Telemetry/, 'no metrics of clients are collected'],
  [/^(LeaderAndIsr|StopReplica|UpdateMetadata|ControlledShutdown)$/, 'Apache Kafka 4 has no more of it'],
  [/.*/, 'spoken between the nodes of a cluster; there is one node'],
];

function unservedRows(names: readonly string[]): string[][] {
  const left = new Set(names);
  return UNSERVED.map(([pattern, why]) => {
    const found = [...left].filter((name) => pattern.test(name));
    for (const name of found) left.delete(name);
    return [why, found.join(', ')];
  });
}

/** docs/reference/api-versions.md */
export function apiReference(): string {
  const rows = [...served]
    .sort((a, b) => a.apiKey - b.apiKey)
    .map(({ apiKey, versions: [first, last], advertisedSince = first, order = 'barrier' }) => {
      const advertised = advertisedSince === first ? 'the same' : range(advertisedSince, last);
      return [String(apiKey), apiName(apiKey), range(first, last), advertised, ORDER_TEXT[order]];
    });
  const keys = new Set(served.map(({ apiKey }) => apiKey));
  const others = Object.entries(API)
    .filter(([, apiKey]) => !keys.has(apiKey))
    .map(([name]) => name);
  return [
    '# APIs and their versions\n',
    'Written by `npm run docs` from the table in `src/broker/handler-table.ts`; change that. The answer of ApiVersions comes from the same rows:',
    'a range that stands here is a promise.\n',
    table(['key', 'API', 'served at', 'advertised at', 'on its connection'], rows),
    'Where more is advertised than served, librdkafka looks for the old versions before it believes in newer features; asking for one closes the',
    'connection, as any version outside of a range does. ApiVersions alone answers every version, an unknown one in version 0 with',
    'UNSUPPORTED_VERSION and its own range.\n',
    '## Not served, and not advertised\n',
    table(['why', 'APIs'], unservedRows(others)),
  ].join('\n');
}

/** docs/reference/errors.md */
export function errorsReference(): string {
  const rows = [...errorRows]
    .sort(([a], [b]) => a - b)
    .map(([code, name, isRetriable, message]) => [String(code), name, isRetriable ? 'yes' : 'no', message]);
  return [
    '# Error codes\n',
    'Written by `npm run docs` from the rows in `src/protocol/errors.ts`; change those. All codes of Apache Kafka 4.3, those of APIs that are not',
    'served among them. A client may send again what got a retriable one; where an answer has room for a message and nothing more exact is',
    'known, it is the one that stands here.\n',
    table(['code', 'name', 'retriable', 'meaning'], rows),
  ].join('\n');
}

/** docs/reference/metrics.md */
export function metricsReference(): string {
  const rows = Object.values(METRIC).map(({ name, type, labels, help, cardinality }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    cardinality === undefined ? help : `${help} Samples: ${cardinality}.`,
  ]);
  return [
    '# Metrics\n',
    'Written by `npm run docs` from the rows in `src/broker/metrics/metric-rows.ts`; change those. What `/metrics` of `naru.http.listener` answers,',
    'in Prometheus’ text format 0.0.4. Where no number of samples is told, labels are workers, threads or words of a short list.\n',
    table(['name', 'type', 'labels', 'meaning'], rows),
    `Bounds of durations of requests and syncs, in seconds: ${secondsOf(LATENCY_BOUNDS_MS)}; of turns: ${secondsOf(TURN_BOUNDS_MS)}; of lag:`,
    `${secondsOf(LAG_BOUNDS_MS)}.\n`,
    'How the port is opened, what to watch, and what the log tells besides: [docs/operations.md](../operations.md).\n',
  ].join('\n');
}

function secondsOf(boundsMs: readonly number[]): string {
  return boundsMs.map((ms) => Number((ms / 1000).toPrecision(12))).join(', ');
}

/** The generated pages by path from the root of the tree. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/api-versions.md': apiReference,
  'docs/reference/config.md': configReference,
  'docs/reference/errors.md': errorsReference,
  'docs/reference/metrics.md': metricsReference,
};

if (import.meta.main) {
  for (const [path, page] of Object.entries(PAGES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), page());
    console.log(path);
  }
}
