// The turn: one round of a worker's run loop, the same in a thread and in the simulator.
//   due timers
//   rounds:  posted tasks (I/O completions, control messages among them) → inbound rings → onTurnEnd of the touched actors,
//            again as long as that brought local work (a reply to oneself is heard in the turn in which it was written)
//   onTurnEnd of the actors that asked to come last (they flush replies to sockets, once for all rounds)
//   doorbells for sleeping workers → another turn where work is left, else sleep
// Invariants: turns do not nest; a task, a handler or an onTurnEnd that throws is the last thing this loop runs, and onFailure
// hears of it exactly once. A turn is bounded by time and by counts: what is left waits for the next one, sockets come first.
// Runs on: every worker. Not here: threads, ports, Node's timers (worker-runtime.ts), virtual time (sim-runtime.ts).
import type { Turn, TurnEndActor } from '../actors/actor.ts';
import type { Exchange } from '../actors/exchange.ts';
import { Mailbox } from '../actors/mailbox.ts';
import { assert, unreachable } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { LoopMeter } from './loop-meter.ts';
import type { Task, TimerHandle } from './runtime.ts';
import { TimerWheel } from './timer-wheel.ts';

/** After this many ms a turn starts no further round. */
const TURN_BUDGET_MS = 1;
/** Rounds of a turn; what bounds it where time stands still (the simulator). */
const ROUNDS_MAX = 16;
/** Replies and requests heard in one round, each. At about 1 µs a message a round stays well below the budget. */
const MESSAGES_PER_ROUND = 256;
const TASKS_PER_ROUND = 256;
const TIMERS_PER_TURN = 1024;
/** Tasks that wait at a time. Each belongs to something bounded (a job in flight, a control message), so more is a leak of our own. */
const TASKS_WAITING_MAX = 2 ** 20;

/** What makes a loop turn: a thread's event loop, or the simulator. */
export interface LoopDriver {
  /** Makes runTurn() be called soon. Asked for once between two turns. */
  scheduleTurn(): void;
  /** Makes wake() be called when the monotonic clock reads `deadlineMs`, or earlier; replaces what was asked before. Infinity: never. */
  armTimer(deadlineMs: number): void;
}

export interface RunLoopOptions {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly driver: LoopDriver;
  /** Hears the one error that ended this loop. */
  readonly onFailure: (error: Error) => void;
  readonly meter: LoopMeter;
}

/**
 * Actors in the order in which they were asked for, each once. They are few and live as long as the worker, so a list is searched faster
 * than a set is emptied (0.15 µs), and it keeps its places: emptied by its length, it would be allocated anew in each turn.
 */
class TouchedActors {
  readonly #actors: TurnEndActor[] = [];
  count = 0;

  add(actor: TurnEndActor): void {
    const actors = this.#actors;
    for (let i = 0; i < this.count; i++) if (actors[i] === actor) return;
    actors[this.count++] = actor;
  }

  /** Calls them all, and is empty. How many they were. */
  endTurn(turn: Turn): number {
    const { count } = this;
    for (let i = 0; i < count; i++) (this.#actors[i] as TurnEndActor).onTurnEnd(turn);
    this.count = 0;
    return count;
  }
}

export class RunLoop implements Turn {
  nowMs: number;
  monotonicMs: number;
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #driver: LoopDriver;
  readonly #onFailure: (error: Error) => void;
  readonly #meter: LoopMeter;
  readonly #timers: TimerWheel;
  readonly #mailbox = new Mailbox(TASKS_WAITING_MAX);
  // Those asked for while their list is being heard go to the other one: a list is never changed under its reader.
  #touched = new TouchedActors();
  #touchedSpare = new TouchedActors();
  #last = new TouchedActors();
  #lastSpare = new TouchedActors();
  #isOpen = false;
  #isStopped = false;
  #isTurning = false;
  #isScheduled = false;
  #isAsleep = false;
  #turnCount = 0;
  #armedMs = Number.POSITIVE_INFINITY;

  constructor(options: RunLoopOptions) {
    this.#exchange = options.exchange;
    this.#clock = options.clock;
    this.#driver = options.driver;
    this.#onFailure = options.onFailure;
    this.#meter = options.meter;
    this.nowMs = options.clock.wallMs();
    this.monotonicMs = options.clock.monotonicMs();
    this.#timers = new TimerWheel(this.monotonicMs);
  }

  get turnCount(): number {
    return this.#turnCount;
  }

  /** Whether this worker has said that it sleeps and no turn has followed. */
  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** From here on the rings are heard: all their handlers must be there. Timers and posted tasks run before, too. */
  open(): void {
    this.#isOpen = true;
    this.wake();
  }

  /** No further turn, no timer. Nothing that is left in the mailbox runs. */
  stop(): void {
    this.#isStopped = true;
    this.#driver.armTimer(Number.POSITIVE_INFINITY);
  }

  /** Ends this loop with `error`, as if a handler had thrown it. For code that runs outside of turns: socket callbacks. */
  fail(error: unknown): void {
    if (this.#isStopped) return;
    this.stop();
    this.#onFailure(Error.isError(error) ? error : new Error(`thrown: ${String(error)}`));
  }

  /** Makes sure that a turn follows soon. Within a turn nothing is needed: what is left at its end brings another one. */
  wake(): void {
    if (this.#isScheduled || this.#isTurning || this.#isStopped) return;
    this.#isScheduled = true;
    this.#driver.scheduleTurn();
  }

  post(task: Task): void {
    if (this.#isStopped) return;
    if (!this.#mailbox.push(task)) unreachable(`more than ${TASKS_WAITING_MAX} tasks wait for a turn`);
    this.wake();
  }

  touch(actor: TurnEndActor): void {
    this.#touched.add(actor);
    this.wake();
  }

  /** Asks for one onTurnEnd of `actor` after those of all touched actors, when this turn hears nothing more. */
  touchLast(actor: TurnEndActor): void {
    this.#last.add(actor);
    this.wake();
  }

  after(delayMs: number, task: Task): TimerHandle {
    const timer = this.#timers.add(this.#clock.monotonicMs() + delayMs, task);
    this.wake(); // The end of a turn arms the driver.
    return timer;
  }

  /** One turn. Called by the driver alone. */
  runTurn(): void {
    this.#isScheduled = false;
    if (this.#isStopped) return;
    assert(!this.#isTurning, 'a turn within a turn');
    this.#isTurning = true;
    try {
      this.#turn();
      this.#isTurning = false;
      if (!this.#isStopped) this.#settle();
    } catch (error) {
      this.fail(error);
    } finally {
      this.#isTurning = false;
    }
  }

  #turn(): void {
    this.#turnCount++;
    if (this.#isAsleep) {
      this.#isAsleep = false;
      this.#exchange.awake();
    }
    this.nowMs = this.#clock.wallMs();
    this.monotonicMs = this.#clock.monotonicMs();
    if (this.monotonicMs >= this.#armedMs) {
      this.#meter.late(this.monotonicMs - this.#armedMs);
      this.#armedMs = Number.POSITIVE_INFINITY; // Heard; armed anew when the turn is over.
    }
    this.#timers.expire(this.monotonicMs, TIMERS_PER_TURN);
    const endMs = this.monotonicMs + TURN_BUDGET_MS;
    for (let round = 1; ; round++) {
      const posted = this.#mailbox.drain(TASKS_PER_ROUND);
      const heard = this.#isOpen ? this.#exchange.poll(MESSAGES_PER_ROUND) : 0;
      const touched = this.#endTouched();
      if (this.#isStopped || posted + heard + touched === 0) break;
      if (round === ROUNDS_MAX || this.#clock.monotonicMs() >= endMs) break;
    }
    if (this.#isStopped) return; // A task called stop(): what is left is dropped.
    const last = this.#last;
    this.#last = this.#lastSpare;
    this.#lastSpare = last;
    last.endTurn(this);
  }

  #endTouched(): number {
    const touched = this.#touched;
    if (touched.count === 0) return 0;
    this.#touched = this.#touchedSpare;
    this.#touchedSpare = touched;
    return touched.endTurn(this);
  }

  /** The end of a turn: bells, then another turn or sleep. */
  #settle(): void {
    this.#exchange.ringDoorbells();
    if (this.#mailbox.count > 0 || this.#touched.count > 0 || this.#last.count > 0) {
      this.wake();
    } else if (this.#isOpen) {
      if (this.#exchange.trySleep()) this.#isAsleep = true;
      else this.wake();
    }
    if (!this.#isScheduled) {
      this.#armedMs = this.#timers.nextMs();
      this.#driver.armTimer(this.#armedMs);
    }
    this.#meter.creditsOutstanding = this.#exchange.outstandingTotal;
    this.#meter.turned(this.#clock.monotonicMs() - this.monotonicMs);
  }
}
