// Questions to DescribeConfigs: every kind of resource, whole and filtered, one and many, at several versions. Takes a broker without
// topics that is called 1, and leaves none behind.
import { type DescribeConfigsRequest, describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { AnswerBook } from './answer-book.ts';
import type { Sparse } from './messages.ts';

type Resource = Sparse<DescribeConfigsRequest['resources'][number]>;

const UNKNOWN = 0;
const TOPIC = 2;
const BROKER = 4;
const BROKER_LOGGER = 8;
const CLIENT_METRICS = 16;
const GROUP = 32;
const USER = 64;

const resource = (resourceType: number, resourceName: string, configurationKeys: readonly string[] | null = null): Resource => ({
  resourceType,
  resourceName,
  configurationKeys,
});

export async function askConfigCases(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  const ask = (label: string, version: number, resources: readonly Resource[], includeSynonyms = true): Promise<void> =>
    book.ask(label, describeConfigsRequest, describeConfigsResponse, version, {
      resources,
      includeSynonyms,
      includeDocumentation: version >= 3,
    });
  await book.client.createTopic('described', 1, { 'segment.bytes': '2000000', 'cleanup.policy': 'compact,delete' });

  for (const version of [1, 2, 3, 4]) {
    await ask('a group', version, [resource(GROUP, 'some group')]);
    await ask('client metrics', version, [resource(CLIENT_METRICS, 'some subscription')]);
    await ask('a topic', version, [resource(TOPIC, 'described')]);
    await ask('all brokers', version, [resource(BROKER, '')]);
  }
  await ask('the broker', 1, [resource(BROKER, '1')]);
  await ask('the broker', 4, [resource(BROKER, '1')]);
  await ask('the broker without synonyms', 2, [resource(BROKER, '1')], false);

  for (const version of [1, 4]) {
    for (const type of [TOPIC, BROKER, GROUP, CLIENT_METRICS]) {
      const name = type === TOPIC ? 'described' : '1';
      const keys = ['cleanup.policy', 'num.partitions', 'interval.ms', 'consumer.session.timeout.ms', 'no.such.key'];
      await ask(`some keys of type ${type}`, version, [resource(type, name, keys)]);
      await ask(`a key of type ${type} twice`, version, [resource(type, name, [...keys, ...keys])], false);
      await ask(`keys of nothing of type ${type}`, version, [resource(type, name, ['no.such.key', ''])]);
      if (type !== BROKER) await ask(`an empty list of keys of type ${type}`, version, [resource(type, name, [])], false);
    }
    for (const type of [GROUP, CLIENT_METRICS, BROKER_LOGGER, TOPIC]) await ask(`no name of type ${type}`, version, [resource(type, '')]);
    await ask('the logger of everything', version, [resource(BROKER_LOGGER, '1', ['root'])]);
    for (const name of ['2', 'x', '-1', '01', '+1', '1 ', '99999999999']) {
      await ask(`brokers '${name}'`, version, [resource(BROKER, name, ['num.partitions'])]);
      await ask(`loggers of '${name}'`, version, [resource(BROKER_LOGGER, name, ['no.such.logger'])]);
    }
    for (const type of [UNKNOWN, 1, 3, USER, 127, -1]) await ask(`type ${type}`, version, [resource(type, '1')]);
    await ask('nothing', version, []);
    await ask('several at once', version, [
      resource(TOPIC, 'missing'),
      resource(GROUP, 'some group', ['share.isolation.level', 'consumer.heartbeat.interval.ms']),
      resource(TOPIC, 'described', ['segment.bytes']),
      resource(BROKER, '1', ['log.retention.ms', 'log.retention.hours', 'advertised.listeners']),
      resource(CLIENT_METRICS, 'm', ['match']),
      resource(BROKER, '7'),
    ]);
    await ask('one of several of no type', version, [resource(TOPIC, 'described', ['segment.bytes']), resource(99, 'x')]);
    await ask('a resource twice', version, [resource(TOPIC, 'described', ['segment.bytes']), resource(TOPIC, 'described', ['segment.ms'])]);
  }
  await book.client.deleteTopic('described');
  return book.close();
}
