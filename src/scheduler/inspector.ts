// What can be asked of a running worker from outside: numbers and a CPU profile. Served through comlink, which is loaded when
// it is first asked for: start, stop and connections do not wait for it (docs/decisions/0002-control-plane.md).
// Invariant: asking changes nothing that an actor could notice; answers are taken between turns.
// Runs on: every worker (serveInspector) and the supervisor (connectInspector).
import { type MessagePort, threadId } from 'node:worker_threads';
import type { Remote } from 'comlink';

/** As much of a worker's runtime as is shown. */
export interface Inspected {
  readonly workerIndex: number;
  readonly inflightJobCount: number;
  readonly arena: { readonly usedBytes: number; readonly capacityBytes: number };
  readonly loop: { readonly turnCount: number; readonly isAsleep: boolean };
}

export interface WorkerStats {
  readonly workerIndex: number;
  readonly threadId: number;
  readonly turnCount: number;
  readonly inflightJobCount: number;
  readonly arenaUsedBytes: number;
  readonly arenaCapacityBytes: number;
  readonly heapUsedBytes: number;
  /** Of this thread since it started, in ms: busy and waiting. */
  readonly activeMs: number;
  readonly idleMs: number;
}

/** What runs on the worker; the supervisor calls it through a Remote. */
export class WorkerInspector {
  readonly #inspected: Inspected;
  #session: import('node:inspector/promises').Session | null = null;

  constructor(inspected: Inspected) {
    this.#inspected = inspected;
  }

  stats(): WorkerStats {
    const { workerIndex, inflightJobCount, arena, loop } = this.#inspected;
    const utilization = performance.eventLoopUtilization();
    return {
      workerIndex,
      threadId,
      turnCount: loop.turnCount,
      inflightJobCount,
      arenaUsedBytes: arena.usedBytes,
      arenaCapacityBytes: arena.capacityBytes,
      heapUsedBytes: process.memoryUsage().heapUsed,
      activeMs: utilization.active,
      idleMs: utilization.idle,
    };
  }

  /** Starts sampling this thread every `intervalUs` µs; nothing happens while it is being sampled already. */
  async startProfile(intervalUs = 500): Promise<void> {
    if (this.#session !== null) return;
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    this.#session = session;
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: intervalUs });
    await session.post('Profiler.start');
  }

  /** The samples since startProfile, in the format of Chrome's .cpuprofile, as JSON text; null when none were taken. */
  async stopProfile(): Promise<string | null> {
    const session = this.#session;
    if (session === null) return null;
    this.#session = null;
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return JSON.stringify(profile);
  }
}

/** Answers on `port` from here on. */
export async function serveInspector(port: MessagePort, inspected: Inspected): Promise<void> {
  const { expose } = await import('comlink');
  expose(new WorkerInspector(inspected), port); // A port of Node's is an endpoint as it is; comlink's adapter would wrap what needs none.
  port.unref(); // Being inspected keeps no thread alive.
}

/** The other side of a port that a worker serves. */
export async function connectInspector(port: MessagePort): Promise<Remote<WorkerInspector>> {
  const { wrap } = await import('comlink');
  return wrap<WorkerInspector>(port);
}
