// The clients of the exchange, which go on while the broker behind their address is replaced: Java's (java/ExchangeClient.java), kafkajs, kcat,
// and a producer by the protocol alone, which sends a batch twice.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { initProducerIdRequest, initProducerIdResponse } from '../../src/protocol/apis/init-producer-id.ts';
import { BatchBuilder } from '../../src/protocol/records/batch-builder.ts';
import { kcat } from '../support/kcat.ts';
import type { PartitionProduced, WireClient } from '../support/wire-client.ts';
import { refuseErrors, retried } from './directory-story.ts';
import type { ReadRecord, SentRecord } from './exchange-model.ts';
import { TOOL_ENVIRONMENT } from './toolchains.ts';

const RUNNER = join(import.meta.dirname, 'java/ExchangeClient.java');
const ANSWER_WITHIN_MS = 180_000;
export const JAVA_CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
/** kcat sets the same for each record. */
export const KCAT_HEADERS = 'from=kcat;';

/** Java's clients in one process, which asks one thing after the other. */
export class JavaClients {
  readonly #child: ChildProcess;
  #out = '';
  #err = '';
  #heard: () => void = () => {};

  constructor(program: string, address: string) {
    const environment = { ...TOOL_ENVIRONMENT, PEERS_LOG_LEVEL: 'ERROR' };
    this.#child = spawn(program, ['run', RUNNER, address], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    this.#child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      this.#out += text;
      this.#heard();
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#err += bytes.toString();
    });
    this.#child.on('close', () => this.#heard());
    this.#child.stdin?.on('error', () => {});
  }

  async produce(codec: (typeof JAVA_CODECS)[number], topic: string, records: readonly SentRecord[]): Promise<void> {
    await this.#ask(`produce\t${codec}\t${topic}\t${records.length}`, records);
  }

  async transact(id: string, outcome: 'commit' | 'abort', topic: string, records: readonly SentRecord[]): Promise<void> {
    await this.#ask(`transaction\t${id}\t${outcome}\t${topic}\t${records.length}`, records);
  }

  async read(isolation: 'read_committed' | 'read_uncommitted', topic: string): Promise<ReadRecord[]> {
    return (await this.#ask(`read\t${isolation}\t${topic}`)).map(readRecordOf);
  }

  /** At least `count` records, behind those that the group has read before. */
  async readInGroup(group: string, topic: string, count: number): Promise<ReadRecord[]> {
    return (await this.#ask(`group\t${group}\t${topic}\t${count}`)).map(readRecordOf);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** The lines of the answer. */
  async #ask(command: string, records: readonly SentRecord[] = []): Promise<string[]> {
    this.#out = '';
    const lines = records.map(
      ({ partition, timestampMs, key, value, headers }) => `${partition}\t${timestampMs}\t${fieldOf(key)}\t${fieldOf(value)}\t${headers}\n`,
    );
    this.#child.stdin?.write(Buffer.from(`${command}\n${lines.join('')}`, 'latin1'));
    const end = await new Promise<RegExpExecArray>((done, fail) => {
      const complain = (why: string): void => fail(new Error(`Java's clients, ${command.replaceAll('\t', ' ')}: ${why}\n${this.#err}`));
      const timer = setTimeout(() => complain(`no answer within ${ANSWER_WITHIN_MS} ms`), ANSWER_WITHIN_MS);
      this.#heard = () => {
        const found = /(?:^|\n)(done|failed [^\n]*)\n$/.exec(this.#out.slice(-2000));
        if (found === null && this.#child.exitCode === null) return;
        clearTimeout(timer);
        if (found?.[1] === 'done') done(found);
        else complain(found?.[1] ?? `ended with ${this.#child.exitCode}`);
      };
    });
    return this.#out
      .slice(0, -end[0].length)
      .split('\n')
      .filter((line) => line !== '');
  }
}

function fieldOf(text: string | null): string {
  return text ?? '~';
}

function readRecordOf(line: string): ReadRecord {
  const [partition, offset, timestampType, timestampMs, key = '', value = '', headers = ''] = line.split('\t');
  return {
    partition: Number(partition),
    offset: Number(offset),
    timestampType: timestampType === 'L' ? 'L' : 'C',
    timestampMs: Number(timestampMs),
    key: key === '~' ? null : key,
    value: value === '~' ? null : value,
    headers,
  };
}

/** An idempotent producer of kafkajs, of one owner: it starts with a producer id of its own. */
export async function produceByKafkajs(address: string, topic: string, records: readonly SentRecord[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ clientId: 'exchange', brokers: [address], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let first = 0; first < records.length; first += 500) {
    const messages = records.slice(first, first + 500).map(({ partition, timestampMs, key, value, headers }) => ({
      partition,
      timestamp: String(timestampMs),
      key: bytesOf(key),
      value: bytesOf(value),
      headers: headersOf(headers),
    }));
    await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.GZIP, messages });
  }
  await producer.disconnect();
}

/** kafkajs knows no headers whose value is null. */
export function forKafkajs(record: SentRecord): SentRecord {
  return { ...record, headers: record.headers.replace('none=~;', '') };
}

function headersOf(text: string): Record<string, Buffer[]> {
  const headers: Record<string, Buffer[]> = {};
  for (const header of text.split(';').filter((each) => each !== '')) {
    const at = header.indexOf('=');
    const values = headers[header.slice(0, at)] ?? [];
    headers[header.slice(0, at)] = [...values, Buffer.from(header.slice(at + 1), 'latin1')];
  }
  return headers;
}

function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'latin1');
}

/** librdkafka as the system has it, idempotent, a producer id for each partition. */
export async function produceByKcat(address: string, topic: string, records: readonly SentRecord[]): Promise<void> {
  for (const partition of new Set(records.map((record) => record.partition))) {
    const lines = records.filter((record) => record.partition === partition).map(({ key, value }) => `${key ?? ''}\t${value ?? ''}\n`);
    const to = ['-P', '-b', address, '-t', topic, '-p', String(partition), '-K', '\t', '-Z', '-H', 'from=kcat', '-z', 'lz4'];
    await kcat([...to, '-X', 'enable.idempotence=true', '-X', 'acks=all'], Buffer.from(lines.join(''), 'latin1'));
  }
}

/** An idempotent producer without a client library: it knows the bytes that it sent last, and sends them again to whoever has the log next. */
export class RepeatingProducer {
  readonly #producerId: number;
  readonly #producerEpoch: number;
  readonly #sequences = new Map<string, number>();
  readonly #last = new Map<string, { readonly batch: Uint8Array; readonly baseOffset: number }>();

  private constructor(producerId: number, producerEpoch: number) {
    this.#producerId = producerId;
    this.#producerEpoch = producerEpoch;
  }

  static async make(client: WireClient): Promise<RepeatingProducer> {
    const init = await retried(() =>
      client.ask(initProducerIdRequest, initProducerIdResponse, 4, { transactionalId: null, transactionTimeoutMs: 60_000 }),
    );
    refuseErrors('InitProducerId', [init]);
    return new RepeatingProducer(init.producerId, init.producerEpoch);
  }

  /** One batch, the next in sequence. */
  async produce(client: WireClient, topic: string, partition: number, records: readonly SentRecord[]): Promise<void> {
    const name = `${topic}-${partition}`;
    const baseSequence = this.#sequences.get(name) ?? 0;
    const batch = this.#batch(records, baseSequence);
    const answer = await produced(client, topic, partition, batch);
    refuseErrors(`Produce to ${name}`, [answer]);
    this.#sequences.set(name, baseSequence + records.length);
    this.#last.set(name, { batch, baseOffset: answer.baseOffset });
  }

  /** The same bytes once more: where they lie, by what a broker says now and by what the one said that took them. */
  async repeat(client: WireClient, topic: string, partition: number): Promise<{ baseOffset: number; expected: number }> {
    const last = this.#last.get(`${topic}-${partition}`);
    if (last === undefined) throw new Error(`nothing was sent to ${topic}-${partition}`);
    const answer = await produced(client, topic, partition, last.batch);
    refuseErrors(`Produce of a repeated batch to ${topic}-${partition}`, [answer]);
    return { baseOffset: answer.baseOffset, expected: last.baseOffset };
  }

  /** The code that a batch gets which does not begin where the last has ended. */
  async leaveGap(client: WireClient, topic: string, partition: number, records: readonly SentRecord[]): Promise<number> {
    const next = this.#sequences.get(`${topic}-${partition}`) ?? 0;
    return (await produced(client, topic, partition, this.#batch(records, next + 7))).errorCode;
  }

  #batch(records: readonly SentRecord[], baseSequence: number): Uint8Array {
    const builder = new BatchBuilder({ producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence });
    for (const { timestampMs, key, value, headers } of records) {
      builder.append({
        key: bytesOf(key),
        value: bytesOf(value),
        timestampMs: timestampMs ?? Date.now(),
        headers: headers
          .split(';')
          .filter((each) => each !== '')
          .map((each) => ({ key: each.slice(0, each.indexOf('=')), value: bytesOf(nullable(each.slice(each.indexOf('=') + 1))) })),
      });
    }
    return builder.build();
  }
}

function nullable(text: string): string | null {
  return text === '~' ? null : text;
}

async function produced(client: WireClient, topic: string, partition: number, batch: Uint8Array): Promise<PartitionProduced> {
  return retried(() => client.produce(topic, partition, batch));
}
