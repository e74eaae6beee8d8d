// What passes between the supervisor (main thread) and a worker thread: the message it starts with, and those after that.
// Plain typed messages over the thread's own port; docs/decisions/0002-control-plane.md says why.
// Pure (types only).
import type { MessagePort } from 'node:worker_threads';

/** What the memory of all workers looks like; the same for each of them. */
export interface SharedRegions {
  readonly workerCount: number;
  readonly exchangeRegion: SharedArrayBuffer;
  readonly ringCapacityBytes: number;
  /** One for each worker. */
  readonly arenas: readonly SharedArrayBuffer[];
  readonly shared: SharedArrayBuffer;
  /** What workers count, made by slotRegionBytes(workerCount). */
  readonly slots: SharedArrayBuffer;
}

export interface WorkerBoot<Data> {
  readonly workerIndex: number;
  readonly regions: SharedRegions;
  /** To each other worker, in both directions, by its number; null at this worker's own. */
  readonly ports: readonly (MessagePort | null)[];
  readonly isNativeEnabled: boolean;
  readonly ioConcurrency: number;
  readonly data: Data;
}

export type ToWorker =
  /** The first of all: a thread may have been started before this was known. */
  | { readonly type: 'boot'; readonly boot: WorkerBoot<unknown> }
  | { readonly type: 'message'; readonly message: unknown }
  | { readonly type: 'connection'; readonly descriptor: number; readonly about: unknown }
  /** End the actors, then say `stopped`. */
  | { readonly type: 'stop' }
  /** All workers have stopped: end the thread. */
  | { readonly type: 'exit' }
  /** Serve the inspector on this port (loaded when first asked for). */
  | { readonly type: 'inspect'; readonly port: MessagePort };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'message'; readonly message: unknown }
  | { readonly type: 'stopped' };

/** Between two workers: a number is a doorbell, an object a control message. */
export type BetweenWorkers = 0 | { readonly control: unknown };
