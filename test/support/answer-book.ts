// Questions to a broker with their answers, by name, in a form that can be compared from one broker to another: what differs from run
// to run (ids, ports) is masked, and lists that have no order are sorted. A question that is not answered leaves `silent` or why the
// connection ended.
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { ERROR, errorMessage } from '../../src/protocol/errors.ts';
import type { MessageOf, Table } from '../../src/protocol/schema.ts';
import type { Sparse } from './messages.ts';
import { WireClient } from './wire-client.ts';

const WAIT_MS = 5000;
/** Same from one run to the next on one broker only. */
const MASKED: ReadonlySet<string> = new Set(['clusterId', 'port', 'host', 'topicId', 'producerId']);
/** Lists whose order says nothing. */
const SETS: ReadonlySet<string> = new Set(['configs', 'responses', 'topics']);

/** Options that say where a broker is on the machine: addresses are compared without their ports, directories not at all. */
const DIRECTORIES: ReadonlySet<unknown> = new Set(['log.dir', 'log.dirs']);
/** Options of our own, which another broker has not. */
const OWN_OPTIONS = 'naru.';

/** What a code means in general: each broker has a sentence of its own. */
function isGeneral(text: unknown): boolean {
  return text === errorMessage(ERROR.INVALID_REQUEST) || (typeof text === 'string' && text.startsWith('This most likely occurs because'));
}

/** A value with what differs from run to run masked, and lists that have no order sorted. */
export function comparable(value: unknown, key = ''): unknown {
  if (key === 'errorMessage' && isGeneral(value)) return '<general>';
  // Our words about an option are not Kafka's; that there are some is.
  if (key === 'documentation' && typeof value === 'string' && value !== '') return '<documentation>';
  if (MASKED.has(key) && value !== ZERO_UUID && value !== -1 && value !== null) return `<${key}>`;
  if (Array.isArray(value)) {
    const items = value.filter((item) => !String(item?.name).startsWith(OWN_OPTIONS)).map((item) => comparable(item));
    return SETS.has(key) ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (key === 'value' && typeof value === 'string') return value.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>');
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, comparable(inner, name)]));
  return 'value' in fields && DIRECTORIES.has(fields.name) ? { ...fields, value: '<directory>' } : fields;
}

/** What is no longer than this stands on one line. */
const SHORT = 180;

/** The answers as a file: what holds nothing but values stands on one line, so that a diff of two recordings reads well. */
export function answersText(answers: Readonly<Record<string, unknown>>): string {
  return `${laidOut(answers, '')}\n`;
}

function laidOut(value: unknown, margin: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const items = Object.entries(value).map(([key, inner]) => `${isList ? '' : `${JSON.stringify(key)}: `}${laidOut(inner, `${margin} `)}`);
  const [open, close] = isList ? '[]' : '{}';
  if (Object.values(value).every(isLeaf) || JSON.stringify(value).length < SHORT) return `${open}${items.join(', ')}${close}`;
  return `${open}\n${items.map((item) => `${margin} ${item}`).join(',\n')}\n${margin}${close}`;
}

/** A value, or a list of numbers. */
function isLeaf(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (Array.isArray(value) && value.every((item) => typeof item === 'number'));
}

export class AnswerBook {
  readonly answers = new Map<string, unknown>();
  readonly #port: number;
  #client: WireClient;

  private constructor(port: number, client: WireClient) {
    this.#port = port;
    this.#client = client;
  }

  static async open(port: number): Promise<AnswerBook> {
    return new AnswerBook(port, await WireClient.connect(port));
  }

  /** The connection that the questions go by; another one after a question that had no answer. */
  get client(): WireClient {
    return this.#client;
  }

  /** Asks, and keeps the answer, or what `shown` makes of it, under the name of the API, the version and `label`. */
  async ask<Q extends Table, S extends Table>(
    label: string,
    request: Q,
    response: S,
    version: number,
    partial: Sparse<MessageOf<Q>>,
    shown: (answer: MessageOf<S>) => unknown = (answer) => answer,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, fail) => {
      timer = setTimeout(() => fail(new Error('silent')), WAIT_MS);
    });
    const name = `${request.name} v${version}: ${label}`;
    if (this.answers.has(name)) throw new Error(`two cases are called ${name}`);
    try {
      const answer = await Promise.race([this.#client.ask(request, response, version, partial), silence]);
      this.answers.set(name, comparable(shown(answer)));
    } catch (error) {
      this.answers.set(name, error instanceof Error ? error.message : error);
      this.#client.close();
      this.#client = await WireClient.connect(this.#port);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All answers; the connection is closed. */
  close(): Map<string, unknown> {
    this.#client.close();
    return this.answers;
  }
}
