import { describe, expect, test } from 'vitest';
import { WORKER_COUNT_MAX } from '../../src/actors/ring-layout.ts';
import { type BrokerConfig, resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { describeBrokerConfigs, describeTopicConfigs } from '../../src/config/describe.ts';
import { formatHttpListener, formatListener, parseHttpListener } from '../../src/config/listeners.ts';
import { WORKERS_MAX } from '../../src/config/naru-options.ts';
import { resolveTopicConfig, validateTopicConfigs } from '../../src/config/topic-config.ts';
import type { LogConfig } from '../../src/log/log-config.ts';

function resolve(file = '', port?: number): BrokerConfig {
  return resolveBrokerConfig({ file, coreCount: 4, ...(port === undefined ? {} : { port }) }).config;
}

function refusal(file: string): string {
  try {
    resolve(file);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
}

describe('without anything given', () => {
  const config = resolve();

  test('a node listens on this machine alone and keeps its data in ./data', () => {
    expect(config.listeners).toEqual([{ name: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }]);
    expect(config.advertisedListeners).toEqual(config.listeners);
    expect(config.logDirs).toEqual(['./data']);
    expect(config.metadataLogDir).toBe('./data');
    expect([config.nodeId, config.processRoles]).toEqual([1, ['broker', 'controller']]);
  });

  test('it has a worker for each core', () => {
    expect(config.workers).toBe(4);
    expect(config.memoryMaxBytes).toBe(4 * 256 * 1024 * 1024);
  });

  test('it can be sent to a worker', () => {
    expect(structuredClone(config)).toEqual(config);
  });
});

describe('listeners', () => {
  test('--port takes the place of the first one’s port', () => {
    expect(resolve('', 0).listeners[0]?.port).toBe(0);
    const config = resolve('listeners=PLAINTEXT://[::1]:9092,CONTROLLER://localhost:9093\ncontroller.listener.names=CONTROLLER', 7000);
    expect(config.listeners).toEqual([{ name: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '::1', port: 7000 }]);
    expect(config.controllerListeners).toEqual([{ name: 'CONTROLLER', securityProtocol: 'PLAINTEXT', host: 'localhost', port: 9093 }]);
    expect(describeBrokerConfigs(config).find(({ name }) => name === 'listeners')?.value).toBe(
      'PLAINTEXT://[::1]:7000,CONTROLLER://localhost:9093',
    );
  });

  test('what is advertised may differ, but not name a stranger or nowhere', () => {
    const config = resolve('listeners=PLAINTEXT://0.0.0.0:9092\nadvertised.listeners=PLAINTEXT://kafka.example:29092');
    expect(config.advertisedListeners).toEqual([{ name: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'kafka.example', port: 29092 }]);
    expect(resolve('listeners=PLAINTEXT://0.0.0.0:9092').advertisedListeners[0]?.host).toBe('');
    expect(refusal('advertised.listeners=PLAINTEXT://0.0.0.0:9092')).toContain('advertised.listeners: no client can connect to 0.0.0.0');
    expect(refusal('advertised.listeners=SSL://a:1')).toContain('advertised.listeners: SSL is no name of listeners (PLAINTEXT)');
  });

  const TWO = 'listener.security.protocol.map=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT\nlisteners=INSIDE://:9092,OUTSIDE://:9094';

  test('several, of any name that the map knows; brokers use the one that is named', () => {
    const config = resolve(`${TWO}\ninter.broker.listener.name=outside\nadvertised.listeners=outside://host:1,INSIDE://[::1]:1`);
    expect(config.listeners.map(({ name, host, port }) => [name, host, port])).toEqual([
      ['INSIDE', '', 9092],
      ['OUTSIDE', '', 9094],
    ]);
    expect(config.advertisedListeners.map(formatListener)).toEqual(['OUTSIDE://host:1', 'INSIDE://[::1]:1']);
    expect(config.interBrokerListenerName).toBe('OUTSIDE');
  });

  test.each([
    ['http://127.0.0.1:9644', 'http://127.0.0.1:9644'],
    ['http://[::1]:9644', 'http://[::1]:9644'],
    ['http://:9644', 'http://0.0.0.0:9644'],
  ])('of operators: %s is told as %s, which can be asked', (given, told) => {
    expect(formatHttpListener(parseHttpListener('naru.http.listener', given))).toBe(told);
    expect(new URL(told).port).toBe('9644');
  });

  test('the one called PLAINTEXT is between brokers, or the only one', () => {
    expect(
      resolve('listeners=OTHER://:1,PLAINTEXT://:2\nlistener.security.protocol.map=OTHER:PLAINTEXT,PLAINTEXT:PLAINTEXT')
        .interBrokerListenerName,
    ).toBe('PLAINTEXT');
    expect(resolve('listeners=OTHER://:1\nlistener.security.protocol.map=OTHER:PLAINTEXT').interBrokerListenerName).toBe('OTHER');
  });

  test('an IPv4 and an IPv6 address may share a port, and brackets may be left out', () => {
    const config = resolve('listeners=PLAINTEXT://127.0.0.1:1,B://::1:1\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT');
    expect(config.listeners.map(({ host, port }) => [host, port])).toEqual([
      ['127.0.0.1', 1],
      ['::1', 1],
    ]);
  });

  // Each of these Apache Kafka 4.3 refuses, too.
  test.each([
    [TWO, 'inter.broker.listener.name is left out, and none of the advertised listeners (INSIDE, OUTSIDE) is called PLAINTEXT'],
    [`${TWO}\ninter.broker.listener.name=ELSE`, 'inter.broker.listener.name=ELSE is not named in listener.security.protocol.map'],
    [
      `${TWO}\ninter.broker.listener.name=INSIDE\nadvertised.listeners=OUTSIDE://a:1`,
      'inter.broker.listener.name=INSIDE is none of the advertised listeners (OUTSIDE)',
    ],
    [
      `${TWO}\ninter.broker.listener.name=INSIDE\nsecurity.inter.broker.protocol=PLAINTEXT`,
      'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.',
    ],
    [`${TWO},CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER`, 'no security protocol is known for the listener CONTROLLER'],
    ['controller.listener.names=CONTROLLER', 'controller.listener.names: CONTROLLER is no name of listeners (PLAINTEXT)'],
    ['listeners=PLAINTEXT://127.0.0.1:1,SSL://127.0.0.2:1', 'have the same port'],
    ['listeners=PLAINTEXT://a b:1', 'is not NAME://host:port'],
    ['advertised.listeners=PLAINTEXT://a:1,PLAINTEXT://b:2', 'have the same name'],
    ['max.connections.per.ip=0', 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'],
    ['max.connections.per.ip.overrides=a/b:1', 'max.connections.per.ip.overrides contains invalid addresses : a/b'],
    ['max.connections.per.ip.overrides=127.0.0.1', 'max.connections.per.ip.overrides contains invalid addresses'],
  ])('%s is refused, as by Apache Kafka', (file, reason) => {
    expect(refusal(file)).toContain(reason);
  });

  test('limits of connections', () => {
    const config = resolve(
      `${TWO}\ninter.broker.listener.name=INSIDE\nlistener.name.outside.max.connections=7\nmax.connections.per.ip=0\nmax.connections.per.ip.overrides=localhost:3, ::1:4`,
    );
    expect(config.listenerMaxConnections).toEqual([2 ** 31 - 1, 7]);
    expect([...config.maxConnectionsPerIpOverrides]).toEqual([
      ['localhost', 3],
      ['::1', 4],
    ]);
  });

  test.each([
    ['listeners=', "'listeners' must not be empty"],
    ['listeners=9092', '"9092" is not NAME://host:port'],
    ['listeners=PLAINTEXT://:99999', 'is not NAME://host:port with a port of 0 to 65535'],
    ['listeners=INTERNAL://:9092', 'no security protocol is known for the listener INTERNAL'],
    ['listeners=SSL://:9092', 'SSL speaks SSL, which is not served yet (allowed: PLAINTEXT)'],
    ['listeners=PLAINTEXT://a:1,PLAINTEXT://b:2', 'have the same name'],
    ['listeners=PLAINTEXT://a:1,SSL://a:1', 'have the same port'],
    ['listeners=CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER', 'at least one listener must serve clients'],
    ['listener.security.protocol.map=PLAINTEXT', '"PLAINTEXT" is not NAME:PROTOCOL'],
    ['listener.security.protocol.map=PLAINTEXT:SSL', 'PLAINTEXT speaks SSL, which is not served yet (allowed: PLAINTEXT)'],
    ['listener.name.plaintext.max.connections=-1', 'listener.name.plaintext.max.connections: Invalid value -1'],
  ])('%s is refused', (file, reason) => {
    expect(refusal(file)).toContain(reason);
  });
});

test('of two options that give topics one value, only the one that counts is held to their bounds', () => {
  expect(resolve('log.flush.interval.ms=5\nlog.flush.scheduler.interval.ms=-1').logFlushIntervalMs).toBe(5);
});

describe('a start is refused', () => {
  test.each([
    [
      'log.segment.bytes=3',
      'Invalid value 3 for configuration log.segment.bytes: Value must be at least 1048576 (allowed: at least 1048576)',
    ],
    ['naru.workers=many', 'Invalid value many for configuration naru.workers: Not a number of type INT (allowed: 0 to 32)'],
    ['auto.create.topics.enable=yes', 'Expected value to be either true or false (allowed: true, false)'],
    ['log.roll.ms=0', 'log.roll.ms: 0 was given (allowed: at least 1)'],
    ['log.retention.ms=0', 'log.retention.ms: 0 was given (allowed: at least 1, or -1)'],
    ['log.flush.interval.ms=-1', 'Invalid value -1 for configuration log.flush.interval.ms: Value must be at least 0'],
    ['log.flush.scheduler.interval.ms=-1', 'Invalid value -1 for configuration log.flush.scheduler.interval.ms: Value must be at least 0'],
    ['node.id=2\nbroker.id=3', 'broker.id=3 and node.id=2 must be the same'],
    ['process.roles=broker', 'a node with one role alone is not served yet'],
    ['controller.quorum.voters=1@a:1,2@b:1', 'a quorum of several nodes is not served yet'],
    ['group.max.size=x', 'Not a number of type INT'],
    ['log.dirs=/a,/b\ncordoned.log.dirs=/b,/c', 'cordoned.log.dirs=/b,/c: /c (allowed: directories of log.dirs, or * alone)'],
    ['log.dirs=/a\ncordoned.log.dirs=*,/a', 'cordoned.log.dirs=*,/a: * (allowed: directories of log.dirs, or * alone)'],
  ])('for %s', (file, reason) => {
    expect(refusal(file)).toContain(reason);
  });

  test.each([
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'ssl.keystore.location=/a',
    'ssl.something.new=1',
    'sasl.enabled.mechanisms=PLAIN',
    'security.inter.broker.protocol=SASL_SSL',
    'listener.name.internal.ssl.keystore.location=/a',
    'listener.name.internal.plain.sasl.jaas.config=x',
    'delegation.token.secret.key=secret',
  ])('for %s, since security is never silently off', (file) => {
    expect(refusal(file)).toContain('security that is not served yet');
  });

  test('but not for a security option that says what holds anyway', () => {
    expect(refusal('security.inter.broker.protocol=PLAINTEXT\nauthorizer.class.name=\nssl.client.auth=none')).toBe('accepted');
  });

  test('and a secret stands in no message', () => {
    expect(refusal('ssl.keystore.password=hush')).not.toContain('hush');
  });
});

describe('node.id and broker.id', () => {
  test.each([
    ['', 1, undefined],
    ['node.id=7', 7, '7'],
    ['broker.id=7', 7, '7'],
    ['node.id=7\nbroker.id=-1', 7, '7'],
    ['broker.id=-1', 1, '-1'],
    ['node.id=7\nbroker.id=7', 7, '7'],
  ])('of %j are %i', (file, nodeId, brokerId) => {
    const config = resolve(file);
    expect(config.nodeId).toBe(nodeId);
    expect(config.givenTexts.get('broker.id')).toBe(brokerId);
  });
});

describe('a warning is given', () => {
  test('for unknown options, and for known ones without effect', () => {
    const { warnings } = resolveBrokerConfig({ file: 'num.partition=3\nnum.io.threads=9\nnum.network.threads=3', coreCount: 1 });
    expect(warnings).toEqual(['unknown option num.partition (file)', 'num.io.threads is known but has no effect yet (file)']);
  });
});

describe('workers', () => {
  test('are as many as the cores, and no more than the shared memory has room for', () => {
    expect(WORKERS_MAX).toBe(WORKER_COUNT_MAX);
    expect(resolveBrokerConfig({ coreCount: 8 }).config.workers).toBe(8);
    expect(resolveBrokerConfig({ coreCount: 192 }).config.workers).toBe(WORKER_COUNT_MAX);
    expect(refusal('naru.workers=33')).toMatch(/33 for configuration naru\.workers.*0 to 32/);
  });
});

describe('durations', () => {
  test('in milliseconds are stronger than those in minutes, and these than those in hours', () => {
    expect(resolve('log.roll.hours=2').logRollMs).toBe(7_200_000);
    expect(resolve('log.roll.hours=2\nlog.roll.ms=5').logRollMs).toBe(5);
    expect(resolve('log.retention.minutes=3\nlog.retention.hours=1').logRetentionMs).toBe(180_000);
    expect(resolve('log.retention.hours=-1').logRetentionMs).toBe(-1);
  });

  test('beyond 2^53 keep their digits for clients and become the largest safe number inside', () => {
    const config = resolve('log.flush.interval.ms=9223372036854775807');
    expect(config.logFlushIntervalMs).toBe(Number.MAX_SAFE_INTEGER);
    expect(describeBrokerConfigs(config).find(({ name }) => name === 'log.flush.interval.ms')?.value).toBe('9223372036854775807');
  });
});

describe('a topic', () => {
  const config = resolve('log.roll.hours=2\nmessage.max.bytes=5000\nnaru.validate.records=true');

  test('takes from the broker what it does not set itself', () => {
    const topic: LogConfig = resolveTopicConfig(new Map([['max.message.bytes', '7000']]), config);
    expect([topic.segmentMs, topic.maxMessageBytes, topic.validatesRecords]).toEqual([7_200_000, 7000, true]);
    expect(resolveTopicConfig(new Map(), config).maxMessageBytes).toBe(5000);
  });

  test('takes what was changed on the running broker before what it was started with', () => {
    const overrides = { forBroker: new Map([['log.roll.ms', '10']]), forCluster: new Map([['message.max.bytes', '6000']]) };
    const topic = resolveTopicConfig(new Map(), config, overrides);
    expect([topic.segmentMs, topic.maxMessageBytes]).toEqual([10, 6000]);
  });

  test('names the broker’s value and where it comes from', () => {
    const entry = describeTopicConfigs(new Map(), config).find(({ name }) => name === 'max.message.bytes');
    expect(entry).toMatchObject({
      value: '5000',
      configSource: 4,
      synonyms: [
        { name: 'message.max.bytes', value: '5000', source: 4 },
        { name: 'message.max.bytes', value: '1048588', source: 5 },
      ],
    });
  });

  test('may have small segments through the option that Kafka’s own tests use', () => {
    expect(resolveTopicConfig(new Map([['internal.segment.bytes', '1000']]), config).segmentBytes).toBe(1000);
  });

  test('reads its policies and clock as facts', () => {
    const topic = resolveTopicConfig(
      new Map([
        ['cleanup.policy', ' compact , delete '],
        ['message.timestamp.type', 'LogAppendTime'],
      ]),
      config,
    );
    expect([topic.isCompacted, topic.isDeleted, topic.isLogAppendTime]).toEqual([true, true, true]);
  });

  test('is told of a value that a client left out', () => {
    expect(validateTopicConfigs([['segment.bytes', null]], config)).toBe('Null value not supported for topic configs: segment.bytes');
  });

  test('shows numbers the way Kafka writes them', () => {
    const shown = (text: string): string | null | undefined =>
      describeTopicConfigs(new Map([['min.cleanable.dirty.ratio', text]]), config).find(
        (entry) => entry.name === 'min.cleanable.dirty.ratio',
      )?.value;
    // As Apache Kafka 4.3.1 answered for these.
    expect(['0.50', '1', '1e-3', '0.25f'].map(shown)).toEqual(['0.5', '1.0', '0.001', '0.25']);
    expect(
      describeTopicConfigs(new Map([['segment.bytes', '+2000000']]), config).find((entry) => entry.name === 'segment.bytes')?.value,
    ).toBe('2000000');
  });
});
