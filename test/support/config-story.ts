// Changes of configurations as a dialogue: each change is asked for, and then what DescribeConfigs tells of the keys that it named.
import { setTimeout as delay } from 'node:timers/promises';
import { alterConfigsRequest, alterConfigsResponse } from '../../src/protocol/apis/alter-configs.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../../src/protocol/apis/describe-configs.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../src/protocol/apis/incremental-alter-configs.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from '../../src/protocol/apis/list-config-resources.ts';
import { AnswerBook } from './answer-book.ts';
import { isForeign } from './target.ts';

export const TOPIC = 2;
export const BROKER = 4;
export const BROKER_LOGGER = 8;
export const CLIENT_METRICS = 16;
export const GROUP = 32;

const OPERATIONS = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'];
/** Apache Kafka's broker reads a change some time after its controller has said that it is made. */
const FOREIGN_PAUSE_MS = 120;

/** `SET key=value`, `DELETE key`, `APPEND key=value`, `SUBTRACT key=value`; a number is an operation that has no name; no `=` is null. */
export type Change = string;

export interface AskedResource {
  readonly type: number;
  readonly name: string;
  readonly changes: readonly Change[];
}

export interface StoryOptions {
  readonly version?: number;
  readonly validateOnly?: boolean;
  /** What DescribeConfigs is asked for afterwards, besides what was named. */
  readonly keys?: readonly string[];
}

interface ParsedChange {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

function parse(change: Change): ParsedChange {
  const [, operation = '', rest = ''] = /^(\S+) ([\s\S]*)$/.exec(change) ?? [];
  const named = OPERATIONS.indexOf(operation);
  const equals = rest.indexOf('=');
  return {
    name: equals < 0 ? rest : rest.slice(0, equals),
    configOperation: named < 0 ? Number(operation) : named,
    value: equals < 0 ? null : rest.slice(equals + 1),
  };
}

/** What the change would be called in a list: long values are cut short. */
function titleOf(resources: readonly AskedResource[]): string {
  return resources.map(({ type, name, changes }) => `${type} '${name}' ${changes.map((each) => each.slice(0, 90)).join(', ')}`).join('; ');
}

export class ConfigStory {
  readonly book: AnswerBook;
  #count = 0;

  private constructor(book: AnswerBook) {
    this.book = book;
  }

  static async open(port: number): Promise<ConfigStory> {
    return new ConfigStory(await AnswerBook.open(port));
  }

  /** IncrementalAlterConfigs on one resource. */
  change(type: number, name: string, ...changes: readonly Change[]): Promise<void> {
    return this.changes([{ type, name, changes }]);
  }

  /** IncrementalAlterConfigs. */
  async changes(resources: readonly AskedResource[], options: StoryOptions = {}): Promise<void> {
    const { version = 1, validateOnly = false } = options;
    const asked = resources.map(({ type, name, changes }) => ({ resourceType: type, resourceName: name, configs: changes.map(parse) }));
    const label = this.#label(resources, validateOnly);
    const request = { resources: asked, validateOnly };
    await this.book.ask(label, incrementalAlterConfigsRequest, incrementalAlterConfigsResponse, version, request);
    await this.#describe(label, resources, options);
  }

  /** AlterConfigs: `key=value` each. */
  async replace(resources: readonly AskedResource[], options: StoryOptions = {}): Promise<void> {
    const { version = 2, validateOnly = false } = options;
    const asked = resources.map(({ type, name, changes }) => ({
      resourceType: type,
      resourceName: name,
      configs: changes.map((change) => parse(`SET ${change}`)).map(({ name: key, value }) => ({ name: key, value })),
    }));
    const label = this.#label(resources, validateOnly);
    await this.book.ask(label, alterConfigsRequest, alterConfigsResponse, version, { resources: asked, validateOnly });
    const named = resources.map((each) => ({ ...each, changes: each.changes.map((change) => `SET ${change}`) }));
    await this.#describe(label, named, options);
  }

  /** What is set, at every version that tells it. */
  async describeAt(versions: readonly number[], type: number, name: string, keys: readonly string[]): Promise<void> {
    for (const version of versions) {
      this.#count++;
      await this.book.ask(`${this.#count}. ${type} '${name}' ${keys}`, describeConfigsRequest, describeConfigsResponse, version, {
        resources: [{ resourceType: type, resourceName: name, configurationKeys: keys }],
        includeSynonyms: true,
        includeDocumentation: version >= 3,
      });
    }
  }

  async list(version: number, resourceTypes: readonly number[]): Promise<void> {
    this.#count++;
    const request = version === 0 ? {} : { resourceTypes };
    const label = `${this.#count}. ${resourceTypes}`;
    await this.book.ask(label, listConfigResourcesRequest, listConfigResourcesResponse, version, request);
  }

  #label(resources: readonly AskedResource[], validateOnly: boolean): string {
    this.#count++;
    return `${this.#count}. ${titleOf(resources)}${validateOnly ? ' (validated only)' : ''}`;
  }

  async #describe(label: string, resources: readonly AskedResource[], { keys = [] }: StoryOptions): Promise<void> {
    if (isForeign) await delay(FOREIGN_PAUSE_MS);
    const asked = resources
      .filter(({ type }) => type >= TOPIC && type <= GROUP && (type & (type - 1)) === 0)
      .map(({ type, name, changes }) => ({
        resourceType: type,
        resourceName: name,
        configurationKeys: [...new Set([...changes.map((change) => parse(change).name), ...keys])],
      }));
    if (asked.length === 0) return;
    const question = { resources: asked, includeSynonyms: true };
    await this.book.ask(label, describeConfigsRequest, describeConfigsResponse, 4, question);
  }

  close(): Map<string, unknown> {
    return this.book.close();
  }
}
