// Compares our message tables, error codes and API keys with Apache Kafka's definitions, where those are present: names, order, types,
// version ranges, tags, nullability, defaults, flexibility; what either side has and the other lacks is a difference.
// Usage: node tools/schema-parity.ts [folder of Kafka's definitions]. Exit code 1 where anything differs.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../src/groups/consumer-protocol.ts';
import * as groupRecordTables from '../src/groups/record-tables.ts';
import * as shareRecordTables from '../src/groups/share-record-tables.ts';
import * as shareStateTables from '../src/groups/share-state-tables.ts';
import * as streamsRecordTables from '../src/groups/streams-record-tables.ts';
import * as recordTables from '../src/metadata/record-tables.ts';
import { API, apiName } from '../src/protocol/api-keys.ts';
import { allApis } from '../src/protocol/apis/all.ts';
import * as controlRecords from '../src/protocol/control-records.ts';
import * as embeddedTables from '../src/protocol/embedded-tables.ts';
import { errorRows } from '../src/protocol/errors.ts';
import * as fileTables from '../src/protocol/file-tables.ts';
import * as remoteStorageTables from '../src/protocol/remote-storage-tables.ts';
import { type Field, type Fields, hasField, isNullable, isTagged, type Table } from '../src/protocol/schema.ts';
import * as transactionRecordTables from '../src/transactions/record-tables.ts';

interface SpecField {
  readonly name: string;
  readonly type: string;
  /** Where left out, those in which the field is tagged. */
  readonly versions?: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean | null;
  readonly ignorable?: boolean | string;
  readonly fields?: readonly SpecField[];
}

export interface Spec {
  readonly name: string;
  /** Of some data it is left out. */
  readonly type?: string;
  readonly apiKey?: number;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly fields: readonly SpecField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly SpecField[] }[];
}

/** Kafka's types of definitions that are records of its own logs. */
const RECORD_TYPES = new Set(['metadata', 'coordinator-key', 'coordinator-value']);

export interface ParityReport {
  /** Null: the definitions are not there. */
  readonly tableCount: number | null;
  readonly differences: readonly string[];
}

/** Where Kafka's definitions lie: NARU_KAFKA_SPEC, or the folder beside the repository. */
export function specFolder(): string {
  return process.env.NARU_KAFKA_SPEC ?? join(import.meta.dirname, '../../shared/kafka-spec');
}

/** Every table that we have. */
export function allTables(): Table[] {
  const ofApis = [...allApis.values()].flatMap(({ request, response }) => [request, response]);
  const others = [
    controlRecords,
    embeddedTables,
    fileTables,
    groupRecordTables,
    recordTables,
    remoteStorageTables,
    shareRecordTables,
    shareStateTables,
    streamsRecordTables,
    transactionRecordTables,
  ].flatMap((tables) => Object.values<Table>(tables));
  return [...ofApis, ...others, consumerProtocolAssignment, consumerProtocolSubscription];
}

export function checkParity(folder: string): ParityReport {
  if (!existsSync(folder)) return { tableCount: null, differences: [] };
  const specs = readSpecs(folder);
  const tables = allTables();
  const differences = [...compareErrors(folder), ...compareApiKeys(folder)];
  const names = new Set<string>();
  for (const table of tables) {
    const name = specName(table);
    names.add(name);
    const spec = specs.get(name);
    differences.push(...(spec === undefined ? [`${name}: Kafka has no such message`] : compareTable(spec, table)));
  }
  for (const spec of specs.values()) {
    if (!names.has(spec.name) && !isBeyondUs(spec)) differences.push(`${spec.name}: we have no such table`);
  }
  return { tableCount: tables.length, differences };
}

/**
 * Headers are read in place, and a field of theirs is never flexible, which tables cannot say. Messages without versions are gone. The keys
 * of APIs newer than 4.3 are no keys of ours.
 */
function isBeyondUs({ type, validVersions, apiKey }: Spec): boolean {
  const isOfApi = type === 'request' || type === 'response';
  return type === 'header' || validVersions === 'none' || (isOfApi && !Object.values<number>(API).includes(apiKey ?? -1));
}

/** Kafka's definitions by message name. */
export function readSpecs(folder: string): Map<string, Spec> {
  const specs = new Map<string, Spec>();
  for (const path of globSync('*/*.json', { cwd: folder })) {
    const comments = /^\s*\/\/.*$|(?<=,)\s*\/\/.*$|\/\*.*?\*\//gm;
    const text = readFileSync(join(folder, path), 'utf8').replaceAll(comments, '');
    const spec: Spec = JSON.parse(text);
    specs.set(spec.name, spec);
  }
  return specs;
}

export function specName(table: Table): string {
  return table.type === 'request' ? `${table.name}Request` : table.type === 'response' ? `${table.name}Response` : table.name;
}

export function compareTable(spec: Spec, table: Table): string[] {
  const [first, last] = range(spec.validVersions);
  const differences: string[] = [];
  const differ = (what: string, ours: unknown, theirs: unknown): void => {
    if (ours !== theirs) differences.push(`${spec.name}: ${what} ${ours}, Kafka has ${theirs}`);
  };
  differ('type', table.type, RECORD_TYPES.has(spec.type ?? '') ? 'record' : (spec.type ?? 'data'));
  differ('apiKey', table.apiKey, spec.apiKey ?? -1);
  differ('versions', table.versions.join('-'), `${first}-${last}`);
  for (let version = first; version <= last; version++) {
    differ(`version ${version} flexible`, version >= table.flexibleSince, isIn(spec.flexibleVersions, version));
  }
  const commonStructs = new Map((spec.commonStructs ?? []).map((common) => [common.name, common.fields]));
  const versions = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  compareFields(spec.name, spec.fields, table.fields, { versions, commonStructs, differences });
  return differences;
}

interface Context {
  /** Those in which the fields around are there. */
  readonly versions: readonly number[];
  readonly commonStructs: ReadonlyMap<string, readonly SpecField[]>;
  readonly differences: string[];
}

function compareFields(path: string, theirs: readonly SpecField[], ours: Fields, context: Context): void {
  const theirNames = theirs.map((field) => camelCase(field.name)).join(', ');
  const ourNames = Object.keys(ours).join(', ');
  if (theirNames !== ourNames) context.differences.push(`${path}: fields ${ourNames}, Kafka has ${theirNames}`);
  for (const spec of theirs) {
    const field = ours[camelCase(spec.name)];
    if (field !== undefined) compareField(`${path}.${camelCase(spec.name)}`, spec, field, context);
  }
}

function compareField(path: string, spec: SpecField, field: Field<unknown>, context: Context): void {
  const differ = (what: string, ours: unknown, theirs: unknown): void => {
    if (ours !== theirs) context.differences.push(`${path}: ${what} ${ours}, Kafka has ${theirs}`);
  };
  const versions = spec.versions ?? spec.taggedVersions ?? 'none';
  const present = context.versions.filter((version) => isIn(versions, version));
  for (const version of context.versions) differ(`in version ${version}`, hasField(field, version), isIn(versions, version));
  for (const version of present) {
    differ(`nullable in version ${version}`, isNullable(field, version), isIn(spec.nullableVersions ?? 'none', version));
    differ(`tagged in version ${version}`, isTagged(field, version), isIn(spec.taggedVersions ?? 'none', version));
  }
  differ('tag', field.tag, spec.tag);
  differ('ignorable', field.ignorable ?? false, String(spec.ignorable) === 'true');
  differ('default', show(field.default, field), show(specDefault(spec, field), field));
  const elementName = spec.type.replace('[]', '');
  const fields = spec.fields ?? context.commonStructs.get(elementName);
  differ('type', typeName(field), fields === undefined ? spec.type : spec.type.startsWith('[]') ? '[]struct' : 'struct');
  if (fields !== undefined && field.fields !== undefined) compareFields(path, fields, field.fields, { ...context, versions: present });
}

/** Our types of 64-bit integers are one on the wire. */
function typeName(field: Field<unknown>): string {
  if (field.kind === 'struct') return 'struct';
  const name = (field.kind === 'array' ? field.element : field.primitive)?.replace(/^int64.*/, 'int64') ?? 'struct';
  return field.kind === 'array' ? `[]${name}` : name;
}

/** What Kafka's generator takes where nothing is said: zero, nothing, no elements; null for records that may be null. */
function specDefault(spec: SpecField, field: Field<unknown>): unknown {
  // The text "null" is a default, JSON's null is none.
  const text = spec.default === undefined || spec.default === null ? undefined : String(spec.default);
  if (text === 'null') return null;
  if (field.kind === 'array') return [];
  if (field.kind === 'struct') return undefined;
  switch (field.primitive) {
    case 'string':
      return text ?? '';
    case 'bool':
      return text === 'true';
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA';
    case 'bytes':
      return new Uint8Array(0);
    case 'records':
      return field.nullableSince === undefined ? new Uint8Array(0) : null;
    case 'int64Opaque':
      return BigInt(text ?? 0);
    default:
      return Number(text ?? 0);
  }
}

function show(value: unknown, field: Field<unknown>): string {
  if (value === null) return 'null';
  if (field.kind === 'struct') return 'an empty struct';
  if (Array.isArray(value) || value instanceof Uint8Array) return `${field.kind} of ${value.length}`;
  return `${typeof value} ${value}`;
}

function compareErrors(folder: string): string[] {
  const theirs = readTsv(join(folder, 'errors.tsv')).map(([code, name]) => `${code} ${name}`);
  const ours = errorRows.filter(([code]) => code !== 0).map(([code, name]) => `${code} ${name}`);
  return compareLists('error codes', ours, theirs);
}

function compareApiKeys(folder: string): string[] {
  const theirs = readTsv(join(folder, 'api-versions-4.3.tsv')).map(([key, name]) => `${key} ${name}`);
  const ours = Object.values(API).map((key) => `${key} ${apiName(key)}`);
  return compareLists('API keys', ours, theirs);
}

function compareLists(what: string, ours: readonly string[], theirs: readonly string[]): string[] {
  return [
    ...ours.filter((row) => !theirs.includes(row)).map((row) => `${what}: Kafka has no ${row}`),
    ...theirs.filter((row) => !ours.includes(row)).map((row) => `${what}: we have no ${row}`),
  ];
}

function readTsv(path: string): string[][] {
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split('\t'));
}

/** "3-5", "3+", "3" or "none" as first and last. */
function range(versions: string): [first: number, last: number] {
  if (versions === 'none') return [0, -1];
  const [first = '', last = first] = versions.split('-');
  return first.endsWith('+') ? [Number(first.slice(0, -1)), Number.POSITIVE_INFINITY] : [Number(first), Number(last)];
}

function isIn(versions: string, version: number): boolean {
  const [first, last] = range(versions);
  return version >= first && version <= last;
}

function camelCase(name: string): string {
  return `${name[0]?.toLowerCase()}${name.slice(1)}`;
}

if (import.meta.main) {
  const folder = process.argv[2] ?? specFolder();
  const { tableCount, differences } = checkParity(folder);
  for (const difference of differences) console.log(difference);
  console.log(
    tableCount === null ? `skipped: no definitions at ${folder}` : `${tableCount} tables compared, ${differences.length} differences`,
  );
  process.exitCode = differences.length > 0 ? 1 : 0;
}
