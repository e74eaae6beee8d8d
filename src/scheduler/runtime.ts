// What a worker offers to the actors on it: time, randomness, timers, slow jobs, the disk, other workers.
// Implemented by WorkerRuntime (threads, real files) and SimRuntime (one thread, a seed, virtual time).
// Pure (types only).
import type { TurnEndActor } from '../actors/actor.ts';
import type { Exchange } from '../actors/exchange.ts';
import type { SlabArena } from '../actors/slab-arena.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Storage } from '../log/storage.ts';

export interface TimerHandle {
  cancel(): void;
}

/** Runs when the loop reaches it, inside a turn, like every other message. */
export type Task = () => void;

export interface Runtime {
  /** This worker's number, 0 … workerCount-1. */
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  /** Requests and replies between workers (this one included), with credits. */
  readonly exchange: Exchange;
  /** Slabs of this worker's shared memory. */
  readonly arena: SlabArena;
  /** All workers' arenas as bytes, by worker: what a descriptor's (arena, position, length) points into. */
  readonly arenaBytes: readonly Uint8Array[];
  /** Shared counters and words; laid out in docs/internals/shared-memory.md. */
  readonly shared: SharedArrayBuffer;
  /** Calls `task` in a turn at least `delayMs` from now. */
  after(delayMs: number, task: Task): TimerHandle;
  /** Calls `task` in this turn's mailbox phase, or the next turn's: a queue, never a nested call. */
  post(task: Task): void;
  /** Asks for `onTurnEnd` of `actor` in the current turn (starts one where none runs). */
  touch(actor: TurnEndActor): void;
  /** Makes sure that a turn follows soon (sockets call this when they brought something). */
  wake(): void;
  /** A structured-clone message to another worker's `onControl`, in order per pair. For the control plane only: metadata, stop. */
  sendControl(worker: number, message: unknown): void;
  /** Runs a promise-returning job outside the turn (disk pool); `done` comes back inside a later turn. */
  submit<T>(job: () => Promise<T>, done: (error: Error | null, value: T | undefined) => void): void;
}
