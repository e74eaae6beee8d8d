// Questions about partitions of topics that are made for them, and what came back in a form that can be compared from one broker to
// another: names and ids of a run become labels, records their values, a refusal's sentence `<text>`. Where it matters whether an answer
// waits, the note says on which side of half its wait it came.

import { readAllRecords } from '../../../src/protocol/records/records.ts';
import type { MessageOf, RecordsRange, Table } from '../../../src/protocol/schema.ts';
import { labels } from '../batches.ts';
import type { Sparse } from '../messages.ts';
import { type Answer, WireClient } from '../wire-client.ts';

/** Longer than any answer takes that does not wait. */
const SILENCE_MS = 20_000;
/** What another run or another broker has otherwise. */
const MASKED: ReadonlySet<string> = new Set(['sessionId', 'producerId', 'host', 'port']);
/** Sentences: each broker has its own, but has one or none. */
const TEXTS: ReadonlySet<string> = new Set(['errorMessage', 'batchIndexErrorMessage']);
/** Times of day. */
const TIMES: ReadonlySet<string> = new Set(['logAppendTimeMs']);

export interface Topic {
  readonly name: string;
  readonly id: string;
}

/** Topics have the label and something of this run's own as their names. */
export class Questions {
  readonly answers = new Map<string, unknown>();
  readonly #port: number;
  readonly #unique: string;
  readonly #sets: ReadonlySet<string>;
  readonly #names = new Map<string, string>();
  #client: WireClient;

  private constructor(port: number, unique: string, sets: readonly string[], client: WireClient) {
    this.#port = port;
    this.#unique = unique;
    this.#sets = new Set(sets);
    this.#client = client;
  }

  /** `sets` are lists whose order says nothing: those that Apache Kafka makes of its hash maps. */
  static async open(port: number, unique: string, sets: readonly string[]): Promise<Questions> {
    return new Questions(port, unique, sets, await WireClient.connect(port));
  }

  close(): void {
    this.#client.close();
  }

  /** The connection of the questions; another one after a question that had no answer. */
  get client(): WireClient {
    return this.#client;
  }

  /** A topic by its label. */
  async topic(label: string, partitionCount = 1, configs: Readonly<{ [key: string]: string }> = {}): Promise<Topic> {
    const name = `${label}-${this.#unique}`;
    const id = await this.#client.createTopic(name, partitionCount, configs);
    this.#names.set(name, label);
    this.#names.set(id, `<id of ${label}>`);
    return { name, id };
  }

  /** Asks, and keeps what came back under the name of the API, the version and `label`. */
  async ask<Q extends Table, S extends Table>(
    label: string,
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<void> {
    this.#keep(`${request.name} v${version}: ${label}`, await this.answerTo(request, response, version, partial));
  }

  /** As `ask`, for a question that may wait as long as `maxWaitMs`: whether it did is told beside the answer. */
  async askAndWait<Q extends Table, S extends Table>(
    label: string,
    request: Q,
    response: S,
    version: number,
    maxWaitMs: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<void> {
    const started = performance.now();
    const answer = await this.answerTo(request, response, version, partial);
    const waited = performance.now() - started >= maxWaitMs / 2;
    this.#keep(`${request.name} v${version}: ${label}`, { waited, answer });
  }

  /** Keeps what a test has found out itself. */
  note(name: string, value: unknown): void {
    this.#keep(name, this.comparable(value));
  }

  /** The comparable answer, `closed` or `silent`. */
  async answerTo<Q extends Table, S extends Table>(
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<'silent'>((done) => {
      timer = setTimeout(() => done('silent'), SILENCE_MS);
    });
    const asked = this.#client.receive(this.#client.send(request, version, partial), response, version);
    let outcome: Answer<MessageOf<S>> | 'silent' | 'closed';
    try {
      outcome = await Promise.race([asked, silence]);
    } catch (error) {
      if (!this.#client.raw.socket.destroyed) throw error;
      outcome = 'closed';
    } finally {
      clearTimeout(timer);
    }
    if (typeof outcome !== 'string') return this.comparable(outcome.message, '', outcome.bytes);
    this.#client.close();
    this.#client = await WireClient.connect(this.#port);
    return outcome;
  }

  comparable(value: unknown, key = '', bytes: Buffer = Buffer.alloc(0)): unknown {
    if (typeof value === 'string') {
      if (TEXTS.has(key)) return '<text>';
      return this.#names.get(value) ?? (MASKED.has(key) ? `<${key}>` : value.replaceAll(`-${this.#unique}`, ''));
    }
    if (MASKED.has(key) && typeof value === 'number' && value > 0) return `<${key}>`;
    if (TIMES.has(key) && typeof value === 'number' && value > 0) return '<time>';
    if (key === 'records' && value !== null && !Array.isArray(value)) {
      const { position, length } = value as RecordsRange;
      return labels(readAllRecords(bytes.subarray(position, position + length)));
    }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.comparable(item, '', bytes));
      return this.#sets.has(key) ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.comparable(inner, name, bytes)]));
  }

  #keep(name: string, value: unknown): void {
    if (this.answers.has(name)) throw new Error(`two questions are called ${name}`);
    this.answers.set(name, value);
  }
}
