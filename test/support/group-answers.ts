// Dialogues with a group coordinator whose answers Apache Kafka has given: test/golden/answers/groups/*.txt, a command, `----`, the answer.
// The same dialogue runs over sockets, against any broker, and against a shard alone. Commands, besides the requests of classic-verbs.ts and consumer-verbs.ts:
//   topic name= partitions=        makes a topic; id(NAME) then stands for its id
//   later REQUEST                  sends and does not wait; one at a time on a connection
//   take on=NAME                   waits for that answer
//   pause ms=                      lets what the coordinator does apart from requests happen
//   until group= state= members=   waits until DescribeGroups says so: what was sent on another connection has arrived
//   list only=PREFIX               of the groups that are listed, those
// Requests go by the connection `on=NAME`, else by one that all share. Lists whose order says nothing are sorted.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SECOND_MS } from '../../src/base/units.ts';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { API } from '../../src/protocol/api-keys.ts';
import type { DescribeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { apis } from '../../src/protocol/apis/index.ts';
import type { ListGroupsResponse } from '../../src/protocol/apis/list-groups.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { classicVerbs } from './classic-verbs.ts';
import { consumerVerbs } from './consumer-verbs.ts';
import { GroupDriver, groupConfig } from './group-driver.ts';
import { MemberNames, told, type Verb, Words } from './group-story.ts';
import { WireClient } from './wire-client.ts';

export const DIALOGUES = new URL('../golden/answers/groups/', import.meta.url);

export function dialogueNames(): string[] {
  return existsSync(DIALOGUES) ? readdirSync(DIALOGUES).filter((name) => name.endsWith('.txt')) : [];
}

export function readDialogue(name: string): { readonly file: URL; readonly text: string } {
  const file = new URL(name, DIALOGUES);
  return { file, text: readFileSync(file, 'utf8') };
}

/** The groups of the dialogues about the classic protocol and offsets, whose records are compared as well. */
export function comparedGroups(): ReadonlySet<string> {
  const texts = dialogueNames()
    .filter((name) => name.startsWith('classic-') || name === 'offsets.txt')
    .map((name) => readDialogue(name).text);
  return new Set(texts.flatMap((text) => [...text.matchAll(/ group=(\S*)/g)].map(([, groupId = '']) => groupId)));
}

/** One side that is asked. */
export interface Side {
  createTopic(name: string, partitionCount: number): Promise<string>;
  send(connection: string, verb: Verb, version: number, message: unknown, clientId: string): Promise<void>;
  take(connection: string): Promise<unknown>;
  describe(groupId: string): Promise<DescribeGroupsResponse['groups'][number] | undefined>;
  pause(ms: number): Promise<void>;
  close(): void;
}

/** The dialogue with what `side` answers. */
export async function hold(text: string, side: Side): Promise<string> {
  const names = new MemberNames();
  const topicIds = new Map<string, string>();
  const blocks: string[] = [];
  for (const block of text.trimEnd().split('\n\n')) {
    const [head = ''] = block.split('\n----');
    const command = head
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .join(' ');
    let expanded = names.expand(command);
    for (const [name, id] of topicIds) expanded = expanded.replaceAll(`id(${name})`, id);
    let answer = await step(expanded, side, topicIds);
    for (const [name, id] of topicIds) answer = answer.replaceAll(id, `id(${name})`);
    answer = names.shorten(answer);
    blocks.push([head, '----', answer].filter((line) => line !== '').join('\n'));
  }
  return `${blocks.join('\n\n')}\n`;
}

async function step(command: string, side: Side, topicIds: Map<string, string>): Promise<string> {
  const isLater = command.startsWith('later ');
  const words = new Words(isLater ? command.slice('later '.length) : command);
  const connection = words.text('on', 'shared');
  if (words.verb === 'topic') {
    topicIds.set(words.text('name'), await side.createTopic(words.text('name'), words.number('partitions', 1)));
    return '';
  }
  if (words.verb === 'pause') {
    await side.pause(words.number('ms', 0));
    return '';
  }
  if (words.verb === 'until') {
    for (;;) {
      const group = await side.describe(words.text('group'));
      const isThere = group?.groupState === words.text('state') && group.members.length === words.number('members', 0);
      if (isThere) return '';
      await delay(10);
    }
  }
  if (words.verb !== 'take') {
    const verb = classicVerbs[words.verb] ?? consumerVerbs[words.verb];
    if (verb === undefined) throw new Error(`no command ${words.verb}`);
    const version = words.number('v', verb.version);
    await side.send(connection, verb, version, verb.message(words, version), words.text('client', 'client'));
  }
  return isLater ? '' : told(sorted(limited(await side.take(connection), words.orNull('only')), topicIds));
}

/** Of a list of groups those whose ids start so: a broker may have others. */
function limited(answer: unknown, prefix: string | null): unknown {
  if (prefix === null) return answer;
  const list = answer as ListGroupsResponse;
  return { ...list, groups: list.groups.filter(({ groupId }) => groupId.startsWith(prefix)) };
}

/** Groups, members, topics and partitions come in the order of a hash table from Apache Kafka. */
function sorted(value: unknown, topicIds: ReadonlyMap<string, string>, name = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((each) => sorted(each, topicIds));
    const keyOf = SORTED_BY[name];
    if (keyOf === undefined) return items;
    const topicNames = new Map([...topicIds].map(([topicName, id]) => [id, topicName]));
    const keyed = items.map((item) => [keyOf(item as Record<string, unknown>, topicNames), item] as const);
    return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([field, each]) => [field, sorted(each, topicIds, field)]));
}

const PARTITION_DIGITS = 10;

type KeyOf = (item: Record<string, unknown>, topicNames: ReadonlyMap<string, string>) => string;

const SORTED_BY: Readonly<Record<string, KeyOf>> = {
  groups: ({ groupId }) => `${groupId}`,
  members: ({ clientId, memberId }) => `${clientId ?? ''} ${memberId}`,
  results: ({ groupId }) => `${groupId}`,
  topics: ({ name, topicId }, topicNames) => (typeof name === 'string' && name !== '' ? name : (topicNames.get(`${topicId}`) ?? '')),
  topicPartitions: ({ topicId }, topicNames) => topicNames.get(`${topicId}`) ?? '',
  partitions: (item) => (typeof item === 'number' ? `${item}`.padStart(PARTITION_DIGITS) : `${item.partitionIndex}`),
  subscribedTopicNames: (item) => `${item}`,
};

/** A broker at a port of this machine: a connection for each name, made when it is needed. */
export class WireSide implements Side {
  readonly #port: number;
  readonly #connections = new Map<string, WireClient>();
  readonly #sent = new Map<string, { readonly correlationId: number; readonly verb: Verb; readonly version: number }>();

  private constructor(port: number) {
    this.#port = port;
  }

  /** Waits until the broker's coordinators answer. */
  static async open(port: number): Promise<WireSide> {
    const side = new WireSide(port);
    const connection = await side.#connection('shared');
    // Enough of them that each of a few partitions is the place of one.
    const groupIds = Array.from({ length: 40 }, (_, i) => `ready-${i}`);
    for (;;) {
      const found = await connection.ask(findCoordinatorRequest, findCoordinatorResponse, 4, { keyType: 0, coordinatorKeys: groupIds });
      const groups = groupIds.map((groupId) => ({ groupId, topics: [] }));
      const fetched = await connection.ask(offsetFetchRequest, offsetFetchResponse, 8, { groups });
      const codes = [...found.coordinators, ...fetched.groups].map(({ errorCode }) => errorCode);
      if (codes.every((code) => code === ERROR.NONE)) return side;
      await delay(50);
    }
  }

  async #connection(name: string): Promise<WireClient> {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const made = await WireClient.connect(this.#port);
    this.#connections.set(name, made);
    return made;
  }

  async createTopic(name: string, partitionCount: number): Promise<string> {
    return (await this.#connection('shared')).createTopic(name, partitionCount);
  }

  async send(name: string, verb: Verb, version: number, message: unknown, clientId: string): Promise<void> {
    const connection = await this.#connection(name);
    connection.raw.clientId = clientId;
    const table = apis.get(verb.apiKey)?.request;
    if (table === undefined) throw new Error(`no API ${verb.apiKey}`);
    this.#sent.set(name, { correlationId: connection.send(table, version, message as never), verb, version });
  }

  async take(name: string): Promise<unknown> {
    const sent = this.#sent.get(name);
    const table = apis.get(sent?.verb.apiKey ?? -1)?.response;
    if (sent === undefined || table === undefined) throw new Error(`nothing was sent on ${name}`);
    const connection = await this.#connection(name);
    return (await connection.receive(sent.correlationId, table, sent.version)).message;
  }

  async describe(groupId: string): Promise<DescribeGroupsResponse['groups'][number] | undefined> {
    const connection = await this.#connection('shared');
    const { groups } = await connection.ask(describeGroupsRequest, describeGroupsResponse, 5, { groups: [groupId] });
    return groups[0];
  }

  async pause(ms: number): Promise<void> {
    await delay(ms);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }
}

/** A shard alone, without a broker. */
export class ShardSide implements Side {
  readonly driver = new GroupDriver({
    makeShard: (environment, config) => new GroupCoordinator(environment, config),
    config: { ...groupConfig, sessionTimeoutMinMs: SECOND_MS },
  });
  readonly #sent = new Map<string, number>();
  readonly #answers = new Map<number, unknown>();

  async createTopic(name: string, partitionCount: number): Promise<string> {
    this.driver.createTopic(name, partitionCount);
    return this.driver.topic(name)?.topicId ?? '';
  }

  async send(name: string, { apiKey }: Verb, version: number, message: unknown, clientId: string): Promise<void> {
    this.#sent.set(name, this.driver.ask(apiKey, version, message, clientId));
    this.#settle();
  }

  /** What has no delay happens; what was answered is kept. */
  #settle(): void {
    this.driver.advance(0);
    for (const { token, body } of this.driver.takeHappened().answers) this.#answers.set(token, body);
  }

  async take(name: string): Promise<unknown> {
    const token = this.#sent.get(name) ?? -1;
    // A session that ends, at the latest.
    for (let i = 0; i < 1000 && !this.#answers.has(token); i++) {
      this.driver.advance(100);
      this.#settle();
    }
    return this.#answers.get(token);
  }

  async describe(groupId: string): Promise<DescribeGroupsResponse['groups'][number] | undefined> {
    const message = { groups: [groupId], includeAuthorizedOperations: false };
    return this.driver.answerTo<DescribeGroupsResponse>(API.DescribeGroups, 5, message).groups[0];
  }

  async pause(ms: number): Promise<void> {
    this.driver.advance(ms);
    this.#settle();
  }

  close(): void {}
}
