// What a worker offers to the actors on it: time, randomness, timers, slow jobs, the disk, other workers.
// Implemented by WorkerRuntime (threads, real files) and SimRuntime (one thread, a seed, virtual time).
// Pure (types only).
import type { TurnEndActor } from '../actors/actor.ts';
import type { Exchange } from '../actors/exchange.ts';
import type { SlabArena } from '../actors/slab-arena.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Storage } from '../log/storage.ts';
import type { WorkerSlots } from '../telemetry/worker-slots.ts';
import type { ColdReads } from './cold-reads.ts';

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
  /** Has files of `storage` throw instead of waiting for the disk, while somebody asks for that. */
  readonly coldReads: ColdReads;
  /** Requests and replies between workers (this one included), with credits. */
  readonly exchange: Exchange;
  /** Slabs of this worker's shared memory. */
  readonly arena: SlabArena;
  /** All workers' arenas as bytes, by worker: what a descriptor's (arena, position, length) points into. */
  readonly arenaBytes: readonly Uint8Array[];
  /** Shared counters and words; laid out in docs/internals/shared-memory.md. */
  readonly shared: SharedArrayBuffer;
  /** Where this worker counts what it does, for the main thread to read. */
  readonly slots: WorkerSlots;
  /** Calls `task` in a turn at least `delayMs` from now. */
  after(delayMs: number, task: Task): TimerHandle;
  /** Calls `task` in this turn's mailbox phase, or the next turn's: a queue, never a nested call. */
  post(task: Task): void;
  /** Asks for `onTurnEnd` of `actor` in the current turn (starts one where none runs). */
  touch(actor: TurnEndActor): void;
  /**
   * The same, but once a turn and behind all others, when the turn hears nothing more: for who flushes what the turn has
   * brought (replies to sockets), so that one write carries all of it.
   */
  touchLast(actor: TurnEndActor): void;
  /**
   * Ends the broker instance with an error of our own, as if a handler of a turn had thrown it. For code that Node calls
   * outside of turns (socket callbacks): there a thrown error would end the process of whoever embeds the broker.
   */
  fail(error: unknown): void;
  /** Makes sure that a turn follows soon (sockets call this when they brought something). */
  wake(): void;
  /**
   * A structured-clone message to a worker's `onControl` (this worker's too: queued and cloned like any other), in order per
   * pair. For the control plane only: metadata, stop. A view carries the whole buffer below it: copy small pieces out of
   * large buffers first. Buffers arrive as Uint8Array.
   */
  sendControl(worker: number, message: unknown): void;
  /** Runs a promise-returning job outside the turn (disk pool); `done` comes back inside a later turn. */
  submit<T>(job: () => Promise<T>, done: (error: Error | null, value: T | undefined) => void): void;
  /** How many jobs of `compute` are worked on at a time. */
  readonly poolThreadCount: number;
  /** Has a thread of the pool do the job `name` (broker/pool-jobs.ts), outside the turn; `done` comes back inside a later turn. */
  compute<T>(name: string, task: unknown, done: (error: Error | null, value: T | undefined) => void): void;
}

/** What the composition root builds on a worker: the actors, behind what the outside may say to them. */
export interface WorkerApp {
  /** A message that worker `from` (this one too) gave to sendControl. Inside a turn. */
  onControl(from: number, message: unknown): void;
  /** A message from the supervisor's `send`. Inside a turn. */
  onSupervisor(message: unknown): void;
  /** An accepted connection now belongs to this worker: its descriptor, nothing read yet, and what `handOver` told of it. Inside a turn. */
  onConnection(descriptor: number, about: unknown): void;
  /** Ends the actors: sockets, files. `done` once that is through; other workers still answer until all have called it. Inside a turn. */
  stop(done: () => void): void;
  /** The worker has failed in a thread that lives on: gives its sockets up at once. Nothing else here is called any more. */
  abandon?(): void;
}

/** What a worker may say to the supervisor: a structured-clone message, heard in order by its `onMessage`. */
export interface SupervisorPort {
  send(message: unknown): void;
}

/**
 * Builds the actors of one worker. When it returns (or its promise resolves) every handler of the exchange is registered;
 * only then does this worker hear its rings and its control messages. So it must not wait for other workers:
 * what needs them happens afterwards, and is reported through `supervisor`.
 */
export type WorkerFactory<Data> = (runtime: Runtime, data: Data, supervisor: SupervisorPort) => WorkerApp | Promise<WorkerApp>;
