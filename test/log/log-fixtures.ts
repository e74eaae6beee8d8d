// What the tests of the log share: batches that say who they are, logs on either storage.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parentDirectory } from '../../src/log/file-names.ts';
import { FileStorage } from '../../src/log/file-storage.ts';
import {
  type AppendResult,
  createAppendResult,
  createReadPlan,
  DEFAULT_LOG_CONFIG,
  Log,
  type LogConfig,
  type LogOptions,
} from '../../src/log/log.ts';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import type { Storage } from '../../src/log/storage.ts';
import { BatchBuilder, type BatchOptions } from '../../src/protocol/records/batch-builder.ts';
import { readAllRecords } from '../../src/protocol/records/records.ts';

export const NOW_MS = 1_700_000_000_000;
export const TOPIC_ID = 'HbwrFzDRSlKLpRs_d8iVNw';

export interface BatchShape extends BatchOptions {
  readonly values?: readonly string[];
  readonly timestampMs?: number;
  readonly key?: string | null;
}

/** One batch as a producer sends it. */
export function batch({ values = ['value'], timestampMs = NOW_MS, key = null, ...options }: BatchShape = {}): Uint8Array {
  const builder = new BatchBuilder(options);
  for (const value of values) builder.append({ key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestampMs });
  return builder.build();
}

export interface OpenShape extends Omit<Partial<LogOptions>, 'config'> {
  readonly config?: Partial<LogConfig>;
}

export function openLog({ config, ...options }: OpenShape = {}): Log {
  const { storage = new MemoryStorage(), directory = 'data/topic-0' } = options;
  const logDirectory = parentDirectory(directory);
  if (!storage.isDirectory(logDirectory)) storage.makeDirectories(logDirectory);
  return Log.open({
    topicId: TOPIC_ID,
    nowMs: NOW_MS,
    cleanShutdown: false,
    recoveryPoint: 0,
    logStartOffset: 0,
    ...options,
    storage,
    directory,
    config: { ...DEFAULT_LOG_CONFIG, ...config },
  });
}

/** Stages one batch; the result is a new object. */
export function stage(log: Log, bytes: Uint8Array, { epoch = 0, nowMs = NOW_MS } = {}): AppendResult {
  const result = createAppendResult();
  log.stage(bytes, 0, bytes.length, epoch, nowMs, result);
  return result;
}

export function append(log: Log, bytes: Uint8Array, options: { epoch?: number; nowMs?: number } = {}): AppendResult {
  const result = stage(log, bytes, options);
  if (result.error === 0) log.writeStaged();
  return result;
}

/** Appends batches of the given values, one record each. */
export function appendValues(log: Log, ...values: string[]): void {
  for (const value of values) {
    const result = append(log, batch({ values: [value] }));
    if (result.error !== 0) throw new Error(`append: ${result.error} ${result.errorMessage}`);
  }
}

/** All values from `offset` to the log's end, read plan by plan. */
export function readValues(log: Log, offset = log.logStartOffset, maxBytes = 1024): Array<[offset: number, value: string]> {
  const plan = createReadPlan();
  const values: Array<[number, string]> = [];
  for (let at = offset; at < log.writtenEnd; ) {
    log.planRead(at, maxBytes, log.writtenEnd, true, plan);
    if (plan.error !== 0 || plan.file === null || plan.length === 0) throw new Error(`nothing planned at ${at}: error ${plan.error}`);
    const bytes = new Uint8Array(plan.length);
    if (plan.file.read(bytes, 0, plan.length, plan.position) !== plan.length) throw new Error(`the file ends inside the plan at ${at}`);
    const next = at;
    for (const record of readAllRecords(bytes)) {
      if (record.offset < at) continue;
      values.push([record.offset, Buffer.from(record.value ?? []).toString()]);
      at = record.offset + 1;
    }
    if (at === next) throw new Error(`no progress at ${at}`);
  }
  return values;
}

export function wholeFile(storage: Storage, path: string): Uint8Array {
  const file = storage.open(path, 'read');
  const bytes = new Uint8Array(file.sizeBytes());
  file.read(bytes, 0, bytes.length, 0);
  file.close();
  return bytes;
}

export function replaceFile(storage: Storage, path: string, bytes: Uint8Array): void {
  const file = storage.open(path, 'create');
  file.truncate(0);
  file.write(bytes, 0, bytes.length, 0);
  file.close();
}

export interface StorageCase {
  readonly name: string;
  /** A storage and a directory in it that exists. */
  readonly make: () => { storage: Storage; root: string; dispose: () => void };
}

export const storageCases: readonly StorageCase[] = [
  {
    name: 'memory',
    make: () => {
      const storage = new MemoryStorage();
      storage.makeDirectory('root');
      return { storage, root: 'root', dispose: () => {} };
    },
  },
  {
    name: 'files',
    make: () => {
      const root = mkdtempSync(`${tmpdir()}/naru-log-`);
      return { storage: new FileStorage(), root, dispose: () => rmSync(root, { recursive: true, force: true }) };
    },
  },
];
