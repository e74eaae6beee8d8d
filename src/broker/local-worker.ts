// The worker of a broker without threads, in the thread of its caller. Loaded by such a broker alone: it brings all that a worker needs.
// Runs on: the main thread.
import type { Acceptance } from '../network/connection-info.ts';
import { SocketTransport } from '../network/socket-transport.ts';
import type { WorkerFactory } from '../scheduler/runtime.ts';
import { type LocalOptions, startLocal, type Workers } from '../scheduler/worker-runtime.ts';
import type { ConnectionDeskOptions } from './connection-desk.ts';
import { POOL_ENTRY } from './pool-entry.ts';
import { createBrokerWorker } from './worker.ts';
import type { BrokerWorkerData } from './worker-data.ts';

export type LocalWorkerOptions = Pick<LocalOptions<BrokerWorkerData>, 'data' | 'sharedBytes' | 'arenaBytes' | 'listener'> & {
  /** Hears, before the worker is ready, what gives it an accepted socket's handle. */
  readonly onAdopter: (adopt: ConnectionDeskOptions['adopt']) => void;
};

export function startLocalWorker({ onAdopter, ...options }: LocalWorkerOptions): Promise<Workers> {
  const factory: WorkerFactory<BrokerWorkerData> = (runtime, workerData, supervisor) => {
    const worker = createBrokerWorker(runtime, workerData, supervisor);
    onAdopter((handle, acceptance: Acceptance, taken) =>
      runtime.post(() => {
        worker.network.adopt(new SocketTransport(handle), acceptance);
        taken();
      }),
    );
    return worker;
  };
  return startLocal({ ...options, factory, poolEntry: POOL_ENTRY });
}
