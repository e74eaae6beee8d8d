// What DescribeConfigs tells of a broker whose file has nearly every option of Apache Kafka, with a value that is not the default.
// Takes a broker that is called 1. `node test/support/option-cases.ts` prints them as -c KEY=VALUE, with a zero byte behind each word.
import { readFileSync } from 'node:fs';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { AnswerBook } from './answer-book.ts';

const TABLE = new URL('../golden/config/broker-options.tsv', import.meta.url);
const INT_MAX = '2147483647';
const LONG_MAX = '9223372036854775807';

/** Security, and what a broker cannot be started with here or there, or is started with anyhow. */
const LEFT_OUT =
  /^(ssl|sasl|security|delegation|authorizer|unstable)\.|\.class|reauth|^principal|\.replication\.factor$|\.min\.isr$|^(node|broker)\.id$|^controller\.quorum\.(voters|bootstrap|auto)|^log\.dirs?$|queued\.max\.request\.bytes|^(log\.local\.retention|log\.preallocate|remote\.log\.storage\.system|internal\.metadata)|^log\.initial/;

/** Where one more than the default, or the other of two words, is not good, or says less than a text of another form. */
const BY_HAND: Readonly<Record<string, string>> = {
  'broker.rack': 'a rack ',
  'compression.gzip.level': '5',
  'compression.type': 'gzip',
  'early.start.listeners': 'CONTROLLER',
  'group.consumer.assignors': 'range, uniform',
  'group.consumer.migration.policy': 'upgrade',
  'group.coordinator.rebalance.protocols': 'classic ,consumer',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.name.controller.num.network.threads': '2',
  'listener.name.plaintext.max.connections': '500',
  'listener.name.plaintext.no.such.option': '500',
  'log.cleaner.io.buffer.load.factor': '.5',
  'log.cleaner.io.max.bytes.per.second': '12345678',
  'log.cleaner.min.cleanable.ratio': '25e-2',
  'log.cleanup.policy': 'compact, delete',
  'log.flush.interval.ms': '700000',
  'log.message.timestamp.type': 'LogAppendTime',
  'log.retention.bytes': '1000000000',
  'log.retention.minutes': '77',
  'log.roll.jitter.ms': '5',
  'log.roll.ms': '70000000',
  'max.connections.per.ip.overrides': '127.0.0.1:500, localhost:700',
  'metrics.recording.level': 'DEBUG',
  'my.password': 'secret',
  'my.plugin.option': 'x',
  'no.value': '',
  'num.replica.alter.log.dirs.threads': '2',
  'ssl.client.auth': 'none',
  'ssl.enabled.protocols': 'TLSv1.2,TLSv1.3',
  'zookeeper.connect': 'localhost:2181',
};

function another(type: string, standard: string, bounds: string, form: number): string | null {
  if (type === 'BOOLEAN') return standard === 'true' ? 'FALSE' : 'true';
  if (type === 'DOUBLE') return '0.375';
  if (!['INT', 'LONG', 'SHORT'].includes(type) || standard === 'null') return null;
  if (standard === INT_MAX || standard === LONG_MAX) return '1000000';
  const isHighest = bounds.includes(`...,${standard}]`);
  const number = Number(standard) + (isHighest ? -1 : 1);
  return form % 7 === 0 && number > 0 ? `+${number}` : form % 5 === 0 ? `${number} ` : String(number);
}

function manyOptions(): Record<string, string> {
  const options: Record<string, string> = { ...BY_HAND };
  const rows = readFileSync(TABLE, 'utf8').split('\n');
  for (const [form, row] of rows.entries()) {
    const [name = '', type = '', standard = '', bounds = ''] = row.split('\t');
    if (row.startsWith('#') || LEFT_OUT.test(name) || name in BY_HAND) continue;
    const text = another(type, standard, bounds, form);
    if (text !== null) options[name] = text;
  }
  return options;
}

export const MANY_OPTIONS: Readonly<Record<string, string>> = manyOptions();

/** All of the broker, and what is set for all of them. */
export async function askOptions(port: number): Promise<Map<string, unknown>> {
  const book = await AnswerBook.open(port);
  for (const [label, resourceName] of [
    ['the broker', '1'],
    ['all brokers', ''],
  ] as const) {
    await book.ask(label, describeConfigsRequest, describeConfigsResponse, 4, {
      resources: [{ resourceType: 4, resourceName, configurationKeys: null }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
  }
  await book.client.createTopic('of-them', 1, { 'retention.ms': '5' });
  await book.ask('a topic', describeConfigsRequest, describeConfigsResponse, 4, {
    resources: [{ resourceType: 2, resourceName: 'of-them', configurationKeys: null }],
    includeSynonyms: true,
    includeDocumentation: true,
  });
  return book.close();
}

if (import.meta.main) for (const [name, text] of Object.entries(MANY_OPTIONS)) process.stdout.write(`-c\0${name}=${text}\0`);
