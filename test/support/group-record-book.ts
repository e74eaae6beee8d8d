// The records that a broker wrote into __consumer_offsets, as they stand there, and told group by group so that those of two brokers can be
// compared: times and ids of topics are masked, ids of members named, members sorted.
import { readFileSync, writeFileSync } from 'node:fs';
import { groupRecordCodec } from '../../src/groups/group-records.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import type { LoggedRecord } from './group-driver.ts';
import { MemberNames, told } from './group-story.ts';
import { WireClient } from './wire-client.ts';

const OFFSETS_TOPIC = '__consumer_offsets';
const BOOK = new URL('../golden/groups/records.txt', import.meta.url);
const MASKED: ReadonlySet<string> = new Set(['currentStateTimestamp', 'commitTimestamp', 'expireTimestamp', 'topicId']);
/** Nothing was given, or the record has no such field. */
const NOTHING: ReadonlySet<unknown> = new Set([-1, 'AAAAAAAAAAAAAAAAAAAAAA']);

/** All records of the topic, partition after partition. */
export async function readGroupRecords(port: number): Promise<LoggedRecord[]> {
  const client = await WireClient.connect(port);
  const { topics } = await client.ask(metadataRequest, metadataResponse, 9, { topics: [{ name: OFFSETS_TOPIC }] });
  const records: LoggedRecord[] = [];
  for (const { partitionIndex } of topics[0]?.partitions ?? []) {
    for (let offset = 0; ; ) {
      const fetched = await client.fetchFrom(OFFSETS_TOPIC, partitionIndex, offset);
      if (fetched.records.length === 0) break;
      for (const record of fetched.records) {
        offset = record.offset + 1;
        records.push({ key: record.key ?? new Uint8Array(0), value: record.value });
      }
    }
  }
  client.close();
  return records;
}

/** The records of these groups, group by group in their order; where several go at one time, sorted. */
export function toldByGroup(records: readonly LoggedRecord[], groupIds: ReadonlySet<string>): Record<string, string[]> {
  const groups = new Map<string, { readonly names: MemberNames; readonly runs: { readonly type: string; readonly lines: string[] }[] }>();
  for (const { key, value } of records) {
    const record = groupRecordCodec.decode(key, value);
    if (record === null) continue;
    const { group = '', groupId = group } = record.key as { group?: string; groupId?: string };
    if (!groupIds.has(groupId)) continue;
    const known = groups.get(groupId) ?? { names: new MemberNames(), runs: [] };
    groups.set(groupId, known);
    const line = known.names.shorten(`${record.type} ${told(record.key)} = ${record.value === null ? 'null' : told(masked(record.value))}`);
    const type =
      record.value === null || record.type === 'ConsumerGroupTargetAssignmentMember' ? `${record.type} ${record.value === null}` : '';
    const last = known.runs.at(-1);
    if (last !== undefined && type !== '' && last.type === type) last.lines.push(line);
    else known.runs.push({ type, lines: [line] });
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([groupId, { runs }]) => [groupId, runs.flatMap(({ lines }) => lines.sort())]));
}

function masked(value: unknown, name = ''): unknown {
  if (MASKED.has(name)) return NOTHING.has(value) ? value : `<${name}>`;
  if (Array.isArray(value)) {
    const items = value.map((item) => masked(item));
    return name === 'members' ? items.sort((a, b) => (told(a) < told(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, masked(inner, field)]));
}

/** Apache Kafka's records. */
export function readRecordBook(): LoggedRecord[] {
  const lines = readFileSync(BOOK, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [key = '', value = ''] = line.split(' ');
    return { key: Buffer.from(key, 'hex'), value: value === 'null' ? null : Buffer.from(value, 'hex') };
  });
}

export function writeRecordBook(records: readonly LoggedRecord[]): void {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  writeFileSync(BOOK, `${records.map(({ key, value }) => `${hex(key)} ${value === null ? 'null' : hex(value)}`).join('\n')}\n`);
}
