// Files of real installations (server-properties/, their keys with values of our own): what starts, what is said of keys that have no
// effect, what is refused, and by which line.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { knownOptionNames, resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { insteadOfRemoved } from '../../src/config/removed-options.ts';

const directory = join(import.meta.dirname, 'server-properties');
const textOf = (name: string): string => readFileSync(join(directory, `${name}.properties`), 'utf8');
const NO_EFFECT = 'is known but has no effect yet (file)';
const before4 = (...names: string[]): string[] =>
  names.map((name) => `${name} is an option of Apache Kafka before 4 and has no effect: ${insteadOfRemoved(name)} (file)`);
const silent = (...addresses: string[]): string[] =>
  addresses.map((each) => `${each} is not listened on: this node alone is the metadata quorum, and no other one asks it`);
const unknown = (...names: string[]): string[] => names.map((name) => `unknown option ${name} (file)`);

const STARTING: Readonly<Record<string, readonly string[]>> = {
  'apache-4-combined': [...silent('CONTROLLER://:9093'), `controller.quorum.bootstrap.servers ${NO_EFFECT}`],
  'confluent-image': [
    ...silent('CONTROLLER://0.0.0.0:29093'),
    ...unknown('jmx.port', 'jmx.hostname', 'confluent.license.topic.replication.factor', 'confluent.balancer.enable'),
    ...unknown('confluent.balancer.topic.replication.factor', 'confluent.metrics.reporter.bootstrap.servers'),
    ...unknown('confluent.support.customer.id'),
    ...before4('zookeeper.connect'),
    `controller.quorum.voters ${NO_EFFECT}`,
    `metric.reporters ${NO_EFFECT}`,
  ],
  'bitnami-chart': [
    ...silent('CONTROLLER://:9093'),
    ...unknown('logs.dir'),
    'allow.everyone.if.no.acl.found has no effect without authorizer.class.name (file)',
    'super.users has no effect without authorizer.class.name (file)',
    ...unknown('log.retention.check.intervals.ms', 'max.partition.fetch.bytes', 'max.request.size'),
    `controller.quorum.voters ${NO_EFFECT}`,
    `num.recovery.threads.per.data.dir ${NO_EFFECT}`,
  ],
  'zookeeper-2': [
    ...before4('port', 'host.name', 'advertised.host.name', 'advertised.port', 'zookeeper.connect', 'zookeeper.connection.timeout.ms'),
    ...before4('zookeeper.session.timeout.ms', 'zookeeper.set.acl', 'inter.broker.protocol.version', 'log.message.format.version'),
    ...before4('broker.id.generation.enable', 'reserved.broker.max.id', 'offsets.commit.required.acks'),
    ...before4('leader.imbalance.per.broker.percentage'),
    `num.recovery.threads.per.data.dir ${NO_EFFECT}`,
  ],
};

const REFUSED: Readonly<Record<string, string>> = {
  'apache-4-broker': 'process.roles=broker: a node with one role alone is not served yet (allowed: broker,controller)',
  'apache-4-controller': 'process.roles=controller: a node with one role alone is not served yet (allowed: broker,controller)',
  'strimzi-node':
    'listener.name.controlplane-9090.ssl.client.auth asks for security that is not served yet; a broker that ignored it would stand open',
};

describe('files of real installations', () => {
  test('are all here', () => {
    const names = readdirSync(directory).map((name) => name.replace(/\.properties$/, ''));
    expect(names.sort()).toEqual([...Object.keys(STARTING), ...Object.keys(REFUSED)].sort());
  });

  test.each(Object.entries(STARTING))('%s starts, and says of each key without effect that it has none', (name, warnings) => {
    expect([...resolveBrokerConfig({ file: textOf(name), coreCount: 2 }).warnings].sort()).toEqual([...warnings].sort());
  });

  test.each(Object.entries(REFUSED))('%s is refused', (name, reason) => {
    expect(() => resolveBrokerConfig({ file: textOf(name), coreCount: 2 })).toThrow(reason);
  });

  test.each([
    'listeners=SASL_SSL://:9092,CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER',
    'listeners=CLIENT://:9092,CONTROLLER://:9093\nlistener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
  ])('a listener that is not plain is refused: %s', (file) => {
    expect(() => resolveBrokerConfig({ file, coreCount: 2 })).toThrow(/speaks SASL_\w+, which is not served yet \(allowed: PLAINTEXT\)/);
  });

  test('an option of earlier versions stands in no table', () => {
    for (const name of knownOptionNames()) expect(insteadOfRemoved(name), name).toBeNull();
  });
});
