// Our rows beside Apache Kafka's own, as it told them (test/golden/config).
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_OVERRIDES, resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { brokerOptionsByName } from '../../src/config/broker-options.ts';
import type { Option } from '../../src/config/define.ts';
import {
  CONFIG_SOURCE,
  type ConfigEntry,
  describeBrokerConfigs,
  describeClientMetricsConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
} from '../../src/config/describe.ts';
import { groupOptions } from '../../src/config/group-options.ts';
import { laterOptionsByName } from '../../src/config/later-options.ts';
import { validateTopicConfigs } from '../../src/config/topic-config.ts';
import { topicOptionsByName } from '../../src/config/topic-options.ts';

const golden = resolve(import.meta.dirname, '../golden/config');
const { config } = resolveBrokerConfig({ coreCount: 2 });
const TYPE_NAMES = ['UNKNOWN', 'BOOLEAN', 'STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'LIST', 'CLASS', 'PASSWORD'];
const SOURCE_NAMES = Object.fromEntries(Object.entries(CONFIG_SOURCE).map(([name, code]) => [code, name]));

function rows(file: string): string[][] {
  return readFileSync(join(golden, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'));
}

/** A default as Kafka's option tables print it, as the text that stands in a row of ours. */
function defaultText(type: string | undefined, printed: string | undefined): string | null {
  if (printed === undefined || printed === 'null' || printed === '<none>') return null;
  if (type === 'LIST') return printed.replace(/^\[|\]$/g, '').replaceAll(', ', ',');
  return type === 'CLASS' ? printed.replace(/^class /, '') : printed;
}

/** Our bounds as Kafka prints them. */
function boundsOf(row: Option<unknown>): string {
  const { allowed } = row;
  const range = /^(-?\d+) to (-?\d+)(?:, or (-?\d+))?$/.exec(allowed);
  if (range !== null) return `[${range[1]},...,${range[2]}]${range[3] === undefined ? '' : ` or ${range[3]}`}`;
  const least = /^at least (-?\d+)$/.exec(allowed);
  return least === null ? '' : `[${least[1]},...]`;
}

const NUMERIC = ['INT', 'SHORT', 'LONG', 'DOUBLE'];

describe('topic options', () => {
  test('are all there, with names, types, defaults and bounds of Kafka', () => {
    const ours = [...topicOptionsByName.values()].map((row) => [
      row.name,
      row.type,
      row.defaultText,
      NUMERIC.includes(row.type) ? boundsOf(row) : '',
      String(row.isInternal),
    ]);
    const theirs = rows('topic-options.tsv').map(([name, type, text, bounds, internal]) => [
      name,
      type,
      defaultText(type, text),
      NUMERIC.includes(type ?? '') ? bounds : '',
      internal,
    ]);
    expect(ours.sort()).toEqual(theirs.sort());
  });

  test('are described as Kafka describes them', () => {
    const overrides = { forBroker: new Map(), forCluster: new Map([['min.insync.replicas', '1']]) };
    const ours = describeTopicConfigs(new Map([['segment.bytes', '2000000']]), config, overrides).map(describedRow);
    expect(ours).toEqual(rows('topic-describe.tsv'));
  });

  test.each(rows('topic-errors.tsv'))('%s is answered with %s', (given, answer) => {
    const entries = (given ?? '').split(';').map((pair): [string, string] => {
      const [name = ''] = pair.split('=', 1);
      return [name, pair.slice(name.length + 1)];
    });
    expect(validateTopicConfigs(entries, config) ?? 'OK').toBe(answer);
  });
});

function describedRow(entry: ConfigEntry): string[] {
  return [
    entry.name,
    TYPE_NAMES[entry.configType] ?? '',
    String(entry.value),
    SOURCE_NAMES[entry.configSource] ?? '',
    String(entry.readOnly),
    String(entry.isSensitive),
    entry.synonyms.map(({ name, value, source }) => `${SOURCE_NAMES[source]}:${name}=${value}`).join('|'),
  ];
}

describe('options of groups and of client metrics', () => {
  test('of a group are described as Kafka describes them', () => {
    const own = new Map([
      ['consumer.session.timeout.ms', '50000'],
      ['share.isolation.level', 'read_committed'],
    ]);
    expect(describeGroupConfigs(own, config).map(describedRow)).toEqual(rows('group-describe.tsv'));
  });

  test('of a group come from the broker where the group says nothing', () => {
    const given = resolveBrokerConfig({ coreCount: 2, file: 'group.consumer.session.timeout.ms=60000' }).config;
    const entry = describeGroupConfigs(new Map(), given).find(({ name }) => name === 'consumer.session.timeout.ms');
    expect(entry).toMatchObject({ value: '60000', configSource: CONFIG_SOURCE.STATIC_BROKER_CONFIG });
  });

  test('of client metrics are described as Kafka describes them', () => {
    const own = new Map([
      ['interval.ms', '60000'],
      ['match', 'client_id=a.*,client_software_name=b'],
    ]);
    expect(describeClientMetricsConfigs(own).map(describedRow)).toEqual(rows('client-metrics-describe.tsv'));
  });

  test('of groups have the broker’s options behind them', () => {
    const names = groupOptions.flatMap(({ brokerName }) => brokerName ?? []);
    for (const name of names) expect(brokerOptionsByName.get(name) ?? laterOptionsByName.get(name), name).toBeDefined();
  });
});

describe('broker options', () => {
  const theirs = rows('broker-options.tsv');
  const rowOf = (name: string | undefined): Option<unknown> | undefined =>
    brokerOptionsByName.get(name ?? '') ?? laterOptionsByName.get(name ?? '');

  test('are all there, each once', () => {
    const names = [...brokerOptionsByName.keys(), ...laterOptionsByName.keys()].filter((name) => !name.startsWith('naru.'));
    expect(names.sort()).toEqual(theirs.map(([name]) => name).sort());
  });

  test('have the types, defaults and update modes of Kafka, but for the departures that their rows name', () => {
    for (const [name, type, text, , update, internal] of theirs) {
      const row = rowOf(name);
      const theirDefault = defaultText(type, text);
      expect([row?.type, row?.update, String(row?.isInternal)], name).toEqual([type, update, internal]);
      if (row?.kafkaDefault === undefined) expect(row?.defaultText, name).toBe(theirDefault);
      else expect(row.kafkaDefault, name).toBe(theirDefault);
    }
  });

  test('depart where the reference says so and nowhere else', () => {
    const departing = [...brokerOptionsByName.values()].filter((row) => row.kafkaDefault !== undefined).map((row) => row.name);
    expect(departing.sort()).toEqual(['controller.listener.names', 'listeners', 'log.dir', 'node.id', 'process.roles']);
  });

  test('have the bounds of Kafka where they have an effect', () => {
    for (const [name, type, , bounds] of theirs) {
      const row = brokerOptionsByName.get(name ?? '');
      if (row !== undefined && NUMERIC.includes(type ?? '')) expect(boundsOf(row), name).toBe(bounds);
    }
  });

  test('tell the node’s id as the broker’s where nobody gave one', () => {
    const ids = describeBrokerConfigs(config).filter(({ name }) => name === 'node.id' || name === 'broker.id');
    expect(ids.map(({ value, configSource }) => [value, configSource])).toEqual([
      ['1', CONFIG_SOURCE.DEFAULT_CONFIG],
      ['1', CONFIG_SOURCE.DEFAULT_CONFIG],
    ]);
  });

  test('are described as Kafka describes them', () => {
    const overrides = { ...NO_OVERRIDES, forCluster: new Map([['min.insync.replicas', '1']]) };
    const ours = new Map(describeBrokerConfigs(config, overrides).map((entry) => [entry.name, describedRow(entry)]));
    for (const row of rows('broker-describe.tsv')) {
      if (rowOf(row[0])?.kafkaDefault === undefined) expect(ours.get(row[0] ?? '')).toEqual(row);
    }
  });
});
