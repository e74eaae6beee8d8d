// A worker's network actor over toy APIs, on a runtime of this thread, with a listener: what the network tests talk to.
import type { SlabArena } from '../../src/actors/slab-arena.ts';
import type { Clock } from '../../src/base/clock.ts';
import { MIB } from '../../src/base/units.ts';
import type { ApiRow } from '../../src/network/api-row.ts';
import { takeHandle } from '../../src/network/hand-over.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { Listener } from '../../src/network/listener.ts';
import { NetworkActor, type NetworkOptions } from '../../src/network/network-actor.ts';
import { SocketTransport } from '../../src/network/socket-transport.ts';
import { createLocalRuntime, type WorkerRuntime } from '../../src/scheduler/worker-runtime.ts';

export const PRODUCE = 0;
export const FETCH = 1;
export const METADATA = 3;
export const API_VERSIONS = 18;
/** Versions whose headers have no tag sections. */
export const PRODUCE_V = 7;
export const FETCH_V = 11;
export const METADATA_V = 8;

/** Answers with the request's own body. */
export function echo(request: IncomingRequest): boolean {
  const at = request.tryBeginReply(request.length);
  if (at < 0) return false;
  request.bytes.copy(request.replyBytes, at, request.position, request.position + request.length);
  request.endReply();
  return true;
}

export function row(apiKey: number, handle: ApiRow['handle'], options: Partial<ApiRow> = {}): ApiRow {
  return { apiKey, minVersion: 0, maxVersion: 12, keepsBody: false, order: 'barrier', handle, ...options };
}

export interface Harness {
  readonly port: number;
  readonly listener: Listener;
  readonly network: NetworkActor;
  readonly runtime: WorkerRuntime;
  readonly arena: SlabArena;
  readonly lines: string[];
  readonly failures: Error[];
  stop(): Promise<void>;
}

export type HarnessOptions = Partial<NetworkOptions> & { arenaBytes?: number; descriptorsMax?: number; clock?: Clock };

/** Time that passes only when a test says so. */
export class HandClock implements Clock {
  nowMs = 0;
  readonly wallMs = (): number => this.nowMs;
  readonly monotonicMs = (): number => this.nowMs;
}

export function createNetwork(
  rows: readonly ApiRow[],
  options: HarnessOptions = {},
): Omit<Harness, 'port' | 'listener' | 'stop'> & { open(): void } {
  const lines: string[] = [];
  const failures: Error[] = [];
  const runtime = createLocalRuntime({
    sharedBytes: 64,
    arenaBytes: options.arenaBytes ?? 64 * MIB,
    onFailure: (error) => failures.push(error),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const network = new NetworkActor(runtime, {
    rows,
    log: (line) => lines.push(line),
    requestBytesMax: 100 * MIB,
    inflightMax: 128,
    stallMs: 10_000,
    ...options,
  });
  const open = (): void => runtime.open({ onControl() {}, onSupervisor() {}, onConnection() {}, stop: (done) => done() });
  return { network, runtime, arena: runtime.arena, lines, failures, open };
}

export async function startNetwork(rows: readonly ApiRow[], options: HarnessOptions = {}): Promise<Harness> {
  const { open, ...created } = createNetwork(rows, options);
  open();
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    backlog: 511,
    ...(options.descriptorsMax === undefined ? {} : { descriptorsMax: options.descriptorsMax }),
    onConnection(socket) {
      const handle = takeHandle(socket);
      if (handle !== null) created.network.adopt(new SocketTransport(handle));
    },
  });
  return {
    ...created,
    port: listener.port,
    listener,
    async stop() {
      await listener.close();
      await new Promise<void>((done) => created.network.closeAll(done));
      created.runtime.close();
    },
  };
}

/** Resolves when `condition` holds; the test's own time limit is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((next) => setTimeout(next, 2));
}

/** `length` bytes that say which message they are of. */
export function pattern(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let word = (seed * 2654435761) >>> 0;
  for (let i = 0; i < length; i++) {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    bytes[i] = word >>> 24;
  }
  return bytes;
}
