// Stories of groups: testdata files with commands, `----`, what happened. A block's lines are commands that run one after the other; a line
// that starts with # is a comment. REWRITE=1 rewrites what happened, and the diff is read.
// Commands that every story knows stand here (time, topics, reload); a request is a verb that the test brings.
// Words are name=value. Ids that a broker made are shown as prefix#1, prefix#2, …, in the order of their appearance, and are written so.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { API } from '../../src/protocol/api-keys.ts';
import { errorName } from '../../src/protocol/errors.ts';
import { type DriverOptions, GroupDriver, groupConfig } from './group-driver.ts';

/** The words of a command: text, number and list by name, with what stands for a word that is missing. */
export class Words {
  readonly verb: string;
  readonly #given: ReadonlyMap<string, string>;

  constructor(command: string) {
    const [verb = '', ...words] = command.trim().split(/\s+/);
    this.verb = verb;
    this.#given = new Map(words.map((word) => [word.split('=', 1)[0] ?? '', word.slice(word.indexOf('=') + 1)]));
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string, missing = ''): string {
    return this.#given.get(name) ?? missing;
  }

  orNull(name: string): string | null {
    return this.#given.get(name) ?? null;
  }

  number(name: string, missing: number): number {
    return Number(this.#given.get(name) ?? missing);
  }

  /** Comma-separated; no word, no entries. */
  list(name: string): string[] {
    const text = this.#given.get(name);
    return text === undefined || text === '' ? [] : text.split(',');
  }

  bytes(name: string): Uint8Array {
    return Buffer.from(this.text(name));
  }
}

/** Makes a request's message of a command; the word `v` is the version, else `version`. */
export interface Verb {
  readonly apiKey: number;
  readonly version: number;
  message(words: Words, version: number): unknown;
}

const apiNames = new Map<number, string>(Object.entries(API).map(([name, key]) => [key, name]));

const OWN_CONFIGS = ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms', 'consumer.assignment.interval.ms'];

/** Ids that a broker made, with the names that stories use for them. */
export class MemberNames {
  readonly #names = new Map<string, string>();
  readonly #madeByPrefix = new Map<string, number>();

  expand(text: string): string {
    let expanded = text;
    for (const [id, name] of this.#names) expanded = expanded.replaceAll(new RegExp(`${name}(?!\\d)`, 'g'), id);
    return expanded;
  }

  shorten(text: string): string {
    const named = text.replaceAll(/([\w.]*)-?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/g, (id, start: string) =>
      this.#nameOf(id, start === '' ? 'id' : start),
    );
    // The consumer protocol's coordinator makes ids of 22 characters.
    const renamed = named.replaceAll(/memberId=([\w-]{22})(?![\w-])/g, (_all, id: string) => `memberId=${this.#nameOf(id, 'made')}`);
    return renamed.replaceAll(/(?<![\w-])[\w-]{22}(?![\w-])/g, (id) => this.#names.get(id) ?? id);
  }

  #nameOf(id: string, prefix: string): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const number = (this.#madeByPrefix.get(prefix) ?? 0) + 1;
    this.#madeByPrefix.set(prefix, number);
    this.#names.set(id, `${prefix}#${number}`);
    return `${prefix}#${number}`;
  }
}

export class GroupStory {
  driver: GroupDriver;
  readonly #verbs: Readonly<Record<string, Verb>>;
  readonly #names = new MemberNames();

  constructor(options: DriverOptions, verbs: Readonly<Record<string, Verb>>) {
    this.#verbs = verbs;
    this.driver = new GroupDriver(options);
  }

  run(command: string): string {
    const lines: string[] = [];
    const words = new Words(this.#names.expand(command));
    const token = this.#do(words);
    const { records, answers } = this.driver.takeHappened();
    for (const record of records) {
      lines.push(`+ ${record.type} ${told(record.key)} = ${record.value === null ? 'null' : told(record.value)}`);
    }
    for (const answer of answers) {
      const name = `${apiNames.get(answer.apiKey)} ${answer.token}`;
      lines.push(answer.body === null ? `< ${name}: dropped` : `< ${name}: ${told(answer.body)}`);
    }
    if (token !== null && this.driver.open.has(token))
      lines.push(`${apiNames.get(this.driver.open.get(token)?.apiKey ?? -1)} ${token} waits`);
    return this.#names.shorten(lines.join('\n'));
  }

  /** Gives the question's token where the command is a request. */
  #do(words: Words): number | null {
    const { driver } = this;
    switch (words.verb) {
      // config name=value …: a new shard on the same log, with these settings of GroupConfig; names with a dot reach into it.
      case 'config': {
        driver.config = configOf(words);
        driver.reload();
        return null;
      }
      // own group=g name=value …: a new shard again, where the group has these configs of its own, of those that Kafka has for groups.
      case 'own': {
        const own = new Map(OWN_CONFIGS.filter((name) => words.has(name)).map((name) => [name, words.text(name)]));
        const { ofGroup } = driver.config;
        driver.config = { ...driver.config, ofGroup: (groupId) => (groupId === words.text('group') ? own : ofGroup(groupId)) };
        driver.reload();
        return null;
      }
      case 'advance':
        driver.advance(words.number('ms', 0));
        return null;
      case 'reload':
        driver.reload();
        return null;
      case 'topic':
        driver.createTopic(words.text('name'), words.number('partitions', 1));
        return null;
      case 'partitions':
        driver.addPartitions(words.text('name'), words.number('count', 1));
        return null;
      case 'delete-topic':
        driver.deleteTopic(words.text('name'));
        return null;
      default: {
        const verb = this.#verbs[words.verb];
        if (verb === undefined) throw new Error(`no command ${words.verb}`);
        const version = words.number('v', verb.version);
        return driver.ask(
          verb.apiKey,
          version,
          verb.message(words, version),
          words.text('client', 'client'),
          words.text('host', '/127.0.0.1'),
        );
      }
    }
  }
}

function configOf(words: Words): typeof groupConfig {
  const config = { ...groupConfig, consumer: { ...groupConfig.consumer } };
  for (const name of Object.keys(groupConfig)) if (words.has(name)) Object.assign(config, { [name]: words.number(name, 0) });
  for (const name of Object.keys(groupConfig.consumer)) {
    const word = `consumer.${name}`;
    if (words.has(word))
      Object.assign(config.consumer, { [name]: /^\d+$/.test(words.text(word)) ? words.number(word, 0) : words.text(word) });
  }
  return config;
}

/** A message as name=value, without what is empty. Bytes are shown as text, or as hex where they are none. */
export function told(value: unknown, name = ''): string {
  if (name === 'errorCode') return errorName(value as number);
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('latin1');
    if (!/^[\x20-\x7e]*$/.test(text)) return Buffer.from(value).toString('hex');
    return shortened(text);
  }
  if (Array.isArray(value)) return `[${value.map((each) => told(each)).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([field, each]) => field !== 'throttleTimeMs' && !isEmpty(each));
    return `{${fields.map(([field, each]) => `${field === 'errorCode' ? 'error' : field}=${told(each, field)}`).join(' ')}}`;
  }
  return typeof value === 'string' ? shortened(value) : `${value}`;
}

/** Long runs of x, with which stories fill limits, are counted. */
function shortened(text: string): string {
  return text.replaceAll(/x{100,}/g, (run) => `<${run.length} x>`);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '') return true;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return value === 'AAAAAAAAAAAAAAAAAAAAAA';
}

/** One test for each file of `testdata`, whose name starts with `prefix`; `makeStory` makes the story of a file. */
export function runStories(testdata: URL, makeStory: () => GroupStory, prefix = ''): void {
  const names = readdirSync(testdata).filter((name) => name.startsWith(prefix) && name.endsWith('.txt'));
  for (const name of names.sort()) {
    test(name.replace('.txt', ''), () => {
      const file = new URL(name, testdata);
      const text = readFileSync(file, 'utf8');
      const story = makeStory();
      const happened = text
        .trimEnd()
        .split('\n\n')
        .map((block) => {
          const [head = ''] = block.split('\n----');
          const commands = head.split('\n').filter((line) => !line.startsWith('#') && line !== '');
          const lines = commands.map((command) => story.run(command)).filter((line) => line !== '');
          return [head, '----', ...lines].join('\n');
        })
        .join('\n\n');
      if (process.env.REWRITE === '1') writeFileSync(file, `${happened}\n`);
      else expect(`${happened}\n`).toBe(text);
    });
  }
}
