// What `naru start` writes besides the log: the ready line on stdout, the reason of a failure on stderr; for people, or as JSON like the
// lines of the log.
// Invariant: with naru.log.format=json every line of either stream is an object, from the first one on.
// Runs on: the main thread.
import { VERSION } from '../../base/version.ts';
import type { BrokerFacts } from '../../broker/broker.ts';
import { formatListener } from '../../config/listeners.ts';
import { naruOptions } from '../../config/naru-options.ts';
import { type ConfigSources, gatherValues } from '../../config/parse.ts';
import { jsonSink, type LogFields, type LogSink, plainSink } from '../../telemetry/logger.ts';

export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

export interface StartOutput {
  /** Takes the lines of the log. */
  readonly log: LogSink;
  ready(facts: BrokerFacts): void;
  failure(message: string): void;
}

export function plainOutput(streams: Streams): StartOutput {
  return {
    log: plainSink((text) => streams.err(text)),
    ready: (facts) => streams.out(readyLine(facts)),
    failure: (message) => streams.err(`naru: ${message}\n`),
  };
}

export async function jsonOutput(streams: Streams): Promise<StartOutput> {
  const log = await jsonSink((text) => streams.err(text));
  const out = await jsonSink((text) => streams.out(text));
  return {
    log,
    ready: (facts) => out({ level: 'info', timestampMs: Date.now(), component: 'broker', message: 'ready', fields: readyFields(facts) }),
    failure: (message) => log({ level: 'error', timestampMs: Date.now(), component: 'broker', message, fields: { exitCode: 1 } }),
  };
}

/** Whether lines are wanted as JSON by what was given, which may be refused for something else in it. */
export function isJsonAskedFor(sources: ConfigSources): boolean {
  const { name } = naruOptions.naruLogFormat;
  return gatherValues(sources, [name]).given.get(name)?.text.trim() === 'json';
}

function readyFields(facts: BrokerFacts): LogFields {
  return {
    version: VERSION,
    listeners: facts.listeners.map(formatListener).join(','),
    http: facts.httpListener ?? undefined,
    clusterId: facts.clusterId,
    directories: facts.dataDirectories.join(','),
    workers: facts.workers,
    crc: facts.crc,
    native: facts.nativeCalls.length === 0 ? 'none' : facts.nativeCalls.join(' '),
    descriptors: facts.descriptorLimit === null ? undefined : limitText(facts.descriptorLimit),
    tookMs: Math.round(performance.now()),
  };
}

function readyLine(facts: BrokerFacts): string {
  const { listeners, http, clusterId, directories, workers, crc, native, descriptors, tookMs } = readyFields(facts);
  const parts = [
    listeners,
    ...(http === undefined ? [] : [http]),
    `cluster ${clusterId}`,
    `data ${directories}`,
    workers === 1 ? '1 worker' : `${workers} workers`,
    `crc ${crc}`,
    `native ${native}`,
    ...(descriptors === undefined ? [] : [`${descriptors} descriptors`]),
    `${tookMs} ms`,
  ];
  return `naru ${VERSION} ready: ${parts.join(', ')}\n`;
}

function limitText(limit: number): number | 'unlimited' {
  return Number.isFinite(limit) ? limit : 'unlimited';
}
