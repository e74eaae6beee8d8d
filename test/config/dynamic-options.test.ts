// Changes of a broker's options that Apache Kafka takes and Naru refuses, since nobody would do what they say; and what is made of texts
// that a data directory of Apache Kafka may hold. What both refuse is in test/golden/answers/config-changes.
import { describe, expect, test } from 'vitest';
import { type BrokerOverrides, NO_OVERRIDES, resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { brokerChangeFault, usableTexts } from '../../src/config/dynamic-options.ts';
import { resolveTopicConfig } from '../../src/config/topic-config.ts';

const { config } = resolveBrokerConfig({ coreCount: 2, file: 'log.retention.minutes=5' });

function faultOf(name: string, text: string, before: BrokerOverrides = NO_OVERRIDES): string | null {
  return brokerChangeFault(new Map([[name, text]]), true, config, before);
}

describe('a change', () => {
  test.each([
    ['listeners', 'PLAINTEXT://127.0.0.1:1', 'listeners cannot be changed while this broker runs: give it at the start'],
    ['metric.reporters', 'some.Class', 'metric.reporters cannot be changed while this broker runs: give it at the start'],
    ['log.flush.interval.ms', '-1', 'Invalid value -1 for configuration log.flush.interval.ms: Value must be at least 0'],
    ['ssl.client.auth', 'required', expect.stringContaining('ssl.client.auth=required asks for security that is not served yet')],
    ['sasl.jaas.config', 'secret', expect.stringMatching(/^sasl.jaas.config asks for security that is not served yet/)],
    ['listener.name.plaintext.ssl.keystore.location', '/k', expect.stringContaining('not served yet')],
    ['principal.builder.class', 'x', expect.stringContaining('not served yet')],
    ['cordoned.log.dirs', '*,/x', 'requirement failed: When cordoned.log.dirs is set to *, it must not contain other values'],
  ])('of %s to %s is refused', (name, text, fault) => {
    expect(faultOf(name, text)).toEqual(fault);
  });

  test.each([
    ['listeners', 'PLAINTEXT://127.0.0.1:9092'],
    ['metric.reporters', ''],
    ['ssl.client.auth', 'none'],
    ['log.retention.ms', '-2'],
    ['cordoned.log.dirs', '*'],
    ['some.plugin.option', 'x'],
  ])('of %s to %s is taken', (name, text) => {
    expect(faultOf(name, text)).toBeNull();
  });

  test('counts from what is set, not from what was given', () => {
    const before = { ...NO_OVERRIDES, forCluster: new Map([['num.io.threads', '16']]) };
    expect(faultOf('num.io.threads', '32', before)).toBeNull();
    expect(faultOf('num.io.threads', '32')).toMatch(/double the current value 8$/);
  });
});

describe('a limit of no connections', () => {
  const closed = resolveBrokerConfig({
    coreCount: 2,
    file: 'max.connections=0\nlistener.name.plaintext.max.connection.creation.rate=0',
  }).config;
  const fault = (name: string, text: string): string | null => brokerChangeFault(new Map([[name, text]]), true, closed, NO_OVERRIDES);

  test('that was given at the start is taken, and hinders no other change', () => {
    expect(fault('log.retention.ms', '5000')).toBeNull();
    expect(fault('max.connections', '0')).toBeNull();
    expect(fault('max.connections', '5')).toBeNull();
  });

  test('of a listener is refused for that listener alone', () => {
    expect(fault('listener.name.plaintext.max.connections', '0')).toBe('Invalid max.connections 0');
    expect(fault('listener.name.plaintext.max.connection.creation.rate', '0')).toBeNull();
    expect(fault('listener.name.elsewhere.max.connections', '0')).toBeNull();
  });
});

describe('texts in the metadata', () => {
  test('that no broker could hold are left out', () => {
    const texts = new Map([
      ['log.retention.ms', 'x'],
      ['log.segment.bytes', '5'],
      ['num.partitions', '5'],
      ['log.flush.interval.ms', '-1'],
      ['ssl.client.auth', 'required'],
      ['log.segment.delete.delay.ms', '5'],
    ]);
    expect([...usableTexts(texts, true).keys()]).toEqual(['log.segment.delete.delay.ms']);
    expect([...usableTexts(new Map([['listeners', 'PLAINTEXT://:9092']]), false)]).toEqual([]);
  });

  test('go before what was given in another unit, and are for ever where they are negative', () => {
    const retentionMs = (overrides: BrokerOverrides): number => resolveTopicConfig(new Map(), config, overrides).retentionMs;
    expect(retentionMs(NO_OVERRIDES)).toBe(300_000);
    const forCluster = new Map([['log.retention.ms', '7']]);
    expect(retentionMs({ ...NO_OVERRIDES, forCluster })).toBe(7);
    expect(retentionMs({ forBroker: new Map([['log.retention.ms', '-2']]), forCluster })).toBe(-1);
  });
});
