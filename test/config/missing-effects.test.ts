// That an option has no effect yet is said where it is true, and nowhere else: held against the code that would have to read its value.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { brokerOptions, brokerOptionsByName } from '../../src/config/broker-options.ts';
import type { Option } from '../../src/config/define.ts';
import { laterOptionsByName } from '../../src/config/later-options.ts';
import { missingEffect } from '../../src/config/missing-effects.ts';
import { naruOptions } from '../../src/config/naru-options.ts';
import { topicOptions, topicSynonyms } from '../../src/config/topic-options.ts';

const SOURCES = resolve(import.meta.dirname, '../../src');

/** Options whose whole effect is what src/config makes of them: a check, or another option's value. */
const USED_IN_CONFIG: ReadonlySet<string> = new Set([
  'process.roles',
  'broker.id',
  'config.providers',
  'listener.security.protocol.map',
  'controller.listener.names',
  'inter.broker.listener.name',
  'log.dir',
  'naru.workers',
  'naru.native',
  'naru.http.listener',
  'naru.memory.max',
  'naru.writeback.bytes',
  'naru.sendfile.min.bytes',
  'naru.sendfile.above.bytes',
  'naru.validate.records',
  'naru.connection.inflight.max',
  'naru.connection.stall.ms',
  'internal.segment.bytes',
  'remote.storage.enable',
]);

/** All of src that reads values: everything but src/config, and the code there that reads one row's value for others. */
const text = (readdirSync(SOURCES, { recursive: true }) as string[])
  .filter((path) => path.endsWith('.ts') && (!path.startsWith('config/') || path === 'config/topic-config.ts'))
  .map((path) => readFileSync(join(SOURCES, path), 'utf8'))
  .join('\n');

const isRead = (key: string): boolean => new RegExp(`[.{,]\\s*${key}\\b(?!\\()`).test(text);

type Rows = [string, Option<unknown>][];

describe('a mark is true', () => {
  const synonyms = new Set(Object.values(topicSynonyms).flatMap((list) => list.map(({ name }) => name)));
  const brokerRows: Rows = Object.entries({ ...brokerOptions, ...naruOptions });
  test.each(brokerRows.filter(([, row]) => !synonyms.has(row.name)))('%s', (key, row) => {
    if (USED_IN_CONFIG.has(row.name)) expect(row.noEffectYet).toBeNull();
    else expect(missingEffect(row) === null, `read: ${isRead(key)}`).toBe(isRead(key));
  });

  // Checked when a topic is made, and that is all: two of them against each other, one part of a third.
  const checkedAlone = new Set(['min.compaction.lag.ms', 'max.compaction.lag.ms', 'cleanup.policy']);
  const topicRows: Rows = Object.entries(topicOptions);
  test.each(topicRows.filter(([, row]) => !checkedAlone.has(row.name)))('of topics: %s', (key, row) => {
    if (USED_IN_CONFIG.has(row.name)) expect(row.noEffectYet).toBeNull();
    else expect(row.noEffectYet === null, `read: ${isRead(key)}`).toBe(isRead(key));
  });
});

describe('who sets one is told', () => {
  const warningsOf = (file: string): readonly string[] => resolveBrokerConfig({ file, coreCount: 1 }).warnings;

  test.each([
    'log.cleaner.min.cleanable.ratio=0.1',
    'queued.max.requests=5',
    'socket.send.buffer.bytes=1000',
    'socket.receive.buffer.bytes=1000',
    'request.timeout.ms=5',
    'metadata.max.retention.ms=1',
    'metadata.max.retention.bytes=1',
    'log.preallocate=true',
    'min.insync.replicas=2',
    'num.io.threads=9',
  ])('%s', (line) => {
    const [name] = line.split('=');
    expect(warningsOf(line)).toEqual([`${name} is known but has no effect yet (file)`]);
  });

  test('of a part that is missing, which one', () => {
    expect(warningsOf('compression.lz4.level=12')).toEqual([
      'compression.lz4.level is known but has no effect: the lz4 library here packs fast, as level 9 does with Kafka, and knows no other level (file)',
    ]);
    expect(warningsOf('log.cleanup.policy=compact')).toEqual([
      'log.cleanup.policy is known but has half of its effect yet: old segments are deleted, nothing is compacted (file)',
    ]);
  });

  test('of an option of one listener, what it cannot do', () => {
    expect(warningsOf('listener.name.plaintext.num.network.threads=3')).toEqual([
      'listener.name.plaintext.num.network.threads is known but has no effect yet (file)',
    ]);
    expect(warningsOf('listener.name.plaintext.fetch.max.bytes=3000')).toEqual([
      'listener.name.plaintext.fetch.max.bytes has no effect: it cannot be set for one listener alone (file)',
    ]);
    for (const name of ['external', 'PLAINTEXT']) {
      expect(warningsOf(`listener.name.${name}.max.connections=3`)).toEqual([
        `listener.name.${name}.max.connections has no effect: no listener has that name in lower case (plaintext) (file)`,
      ]);
    }
    expect(warningsOf('listener.name.plaintext.no.such=3')).toEqual(['unknown option listener.name.plaintext.no.such (file)']);
    expect(warningsOf('listener.name.plaintext.max.connections=3\nlistener.name.plaintext.max.connection.creation.rate=3')).toEqual([]);
  });

  test('but not of a default, however it is written, nor of options that do what they say', () => {
    const rows = [...brokerOptionsByName.values(), ...laterOptionsByName.values()].filter(({ defaultText }) => defaultText !== null);
    const file = rows.map(({ name, defaultText }) => `${name}= ${defaultText} `).join('\n');
    expect(warningsOf(file)).toEqual([]);
    expect(warningsOf('fetch.max.bytes=1048576\nmessage.max.bytes=5\nlog.segment.bytes=2000000\nlog.roll.ms=5\nnum.partitions=7')).toEqual(
      [],
    );
  });
});
