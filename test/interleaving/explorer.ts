// Runs every schedule of a few small threads over shared words, with the product's own code as their bodies.
//
// How a synchronous function is stopped between two accesses: it is not, it is run again. A thread's run depends on
// nothing but what its accesses returned; so to go one step further, it is run from its start, its known accesses are
// answered from its history, the next one is done on the memory, and the one after that throws PAUSE.
//
// A step is one atomic access (or a bell) and the plain accesses behind it. Plain accesses need no schedule point: vector
// clocks check that each is ordered, by atomic accesses, after every access of another thread that it could disturb. An
// unordered one is a data race and fails; where there is none, sequential consistency is all there is to explore.
//
// States that were seen before (memory, histories, clocks, by a 64-bit hash) are not entered again.
import type { Words } from '../../src/actors/shared-words.ts';

export interface ThreadContext {
  readonly words: Words;
  /** Rings `target`'s bell: its next waitForBell() returns. */
  ringBell(target: number): void;
  /** Blocks until this thread's bell has rung since the last waitForBell(). */
  waitForBell(): void;
  /** What `check` gets to see. */
  report(value: unknown): void;
}

/** Makes what the thread needs (its shared accesses see the memory as it is before anything runs), then gives its body. */
export type Thread = (context: ThreadContext) => () => void;

export interface Program {
  readonly wordCount: number;
  /** Writes the memory at the start. */
  readonly prepare?: (words: Words) => void;
  readonly threads: readonly Thread[];
  /** Looks at the reports of all threads after each complete schedule; throws when they are wrong. */
  readonly check?: (reports: readonly (readonly unknown[])[], memory: Int32Array) => void;
}

export interface Explored {
  /** Different states, and complete schedules among them that ended in different states. */
  states: number;
  ends: number;
  longest: number;
}

/** A schedule went wrong; the message tells its events. */
export class ScheduleFailure extends Error {
  override readonly name = 'ScheduleFailure';
}

/** Runs all schedules of `program`; throws ScheduleFailure for the first that fails, or when there are more states than `statesMax`. */
export function explore(program: Program, statesMax = 2_000_000): Explored {
  return new Explorer(program, statesMax).run();
}

/** Thrown through a thread's body at the access that comes after its step. */
const PAUSE = { name: 'PAUSE' };

type Clock = readonly number[];

interface ThreadState {
  readonly history: number[];
  hashLow: number;
  hashHigh: number;
  clock: Clock;
  reports: readonly unknown[];
  isFinished: boolean;
  /** Its next access is waitForBell(). */
  isWaiting: boolean;
}

/** Who wrote a plain word last and who read it since, at which of their own times. */
interface PlainWord {
  writer: number;
  writtenAt: number;
  readAt: readonly number[];
}

class Explorer {
  readonly #program: Program;
  readonly #statesMax: number;
  readonly #memory: Int32Array;
  readonly #initial: Int32Array;
  readonly #bells: number[];
  readonly #threads: ThreadState[];
  readonly #released = new Map<number, Clock>(); // By atomic word (bells: -1 - thread): what a reader of it gets to know.
  readonly #plain = new Map<number, PlainWord>();
  readonly #seen = new Set<string>();
  readonly #events: string[] = [];
  #undo: (() => void)[] = [];
  #low = 0; // Hash of memory, bells and clocks; kept up to date by each change.
  #high = 0;
  readonly #explored: Explored = { states: 0, ends: 0, longest: 0 };

  constructor(program: Program, statesMax: number) {
    this.#program = program;
    this.#statesMax = statesMax;
    this.#memory = new Int32Array(program.wordCount);
    program.prepare?.(directWords(this.#memory));
    this.#initial = this.#memory.slice();
    this.#bells = program.threads.map(() => 0);
    this.#threads = program.threads.map((_, self) => ({
      history: [],
      hashLow: 0,
      hashHigh: 0,
      clock: program.threads.map((__, other) => (other === self ? 1 : 0)),
      reports: [],
      isFinished: false,
      isWaiting: false,
    }));
  }

  run(): Explored {
    for (let self = 0; self < this.#threads.length; self++) this.#advance(self, false);
    this.#visit();
    return this.#explored;
  }

  #visit(): void {
    if (!this.#isNew()) return;
    const explored = this.#explored;
    explored.states++;
    explored.longest = Math.max(explored.longest, this.#events.length);
    if (explored.states > this.#statesMax) throw new ScheduleFailure(`more than ${this.#statesMax} states`);
    let canRun = false;
    for (let self = 0; self < this.#threads.length; self++) {
      const thread = this.#threads[self] as ThreadState;
      if (thread.isFinished || (thread.isWaiting && this.#bells[self] === 0)) continue;
      canRun = true;
      const undo = this.#undo;
      const depth = this.#events.length;
      this.#undo = [];
      this.#advance(self, true);
      this.#visit();
      for (const step of this.#undo.reverse()) step();
      this.#undo = undo;
      this.#events.length = depth;
    }
    if (canRun) return;
    explored.ends++;
    const sleepers = this.#threads.flatMap((thread, self) => (thread.isFinished ? [] : [self]));
    if (sleepers.length > 0) this.#fail(`lost wake-up: thread ${sleepers.join(' and ')} waits for a bell that nobody will ring`);
    try {
      this.#program.check?.(
        this.#threads.map((thread) => thread.reports),
        this.#memory,
      );
    } catch (error) {
      this.#fail(String(error instanceof Error ? error.message : error));
    }
  }

  #isNew(): boolean {
    let key = `${this.#low},${this.#high}`;
    for (const thread of this.#threads) key += `,${thread.hashLow},${thread.hashHigh}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #fail(reason: string): never {
    const told = this.#events.map((event, i) => `${String(i + 1).padStart(4)}  ${event}`).join('\n');
    throw new ScheduleFailure(`${reason}\n${told}`);
  }

  /** Runs thread `self` again: known accesses from its history, then (`withStep`) one atomic access, then plain ones up to the next. */
  #advance(self: number, withStep: boolean): void {
    const thread = this.#threads[self] as ThreadState;
    const { history, hashLow, hashHigh, clock, reports, isFinished, isWaiting } = thread;
    const known = history.length;
    this.#undo.push(() => {
      history.length = known;
      Object.assign(thread, { hashLow, hashHigh, clock, reports, isFinished, isWaiting });
    });
    let position = 0;
    let canStep = withStep;
    let isBuilt = false;
    let isPaused = false;
    const said: unknown[] = [];
    const record = (value: number): number => {
      history.push(value);
      position++;
      thread.hashLow = mix(thread.hashLow ^ value, position);
      thread.hashHigh = mix(thread.hashHigh + value, ~position);
      return value;
    };
    const pause = (isWait: boolean): never => {
      if (!isPaused) thread.isWaiting = isWait; // While it unwinds, a finally block may come here again.
      isPaused = true;
      throw PAUSE;
    };
    const step = (isWait: boolean, event: string, act: () => number): number => {
      if (position < known) return history[position++] as number;
      if (!canStep || isPaused) return pause(isWait);
      canStep = false;
      const value = act();
      this.#events.push(`thread ${self}  ${event}${value === 0 && isWait ? '' : ` → ${value}`}`);
      return record(value);
    };
    const plain = (act: () => number): number => {
      if (position < known) return history[position++] as number;
      return isPaused ? pause(false) : record(act());
    };
    const atomic = (name: string, index: number, change: (old: number) => number, reads: boolean, writes: boolean): number =>
      isBuilt
        ? step(false, `${name} [${index}]`, () => this.#atomic(self, index, change, reads, writes))
        : (this.#initial[index] as number);

    const words: Words = {
      load: (index) => atomic('load', index, (old) => old, true, false),
      store: (index, value) => void atomic(`store ${value} in`, index, () => value, false, true),
      add: (index, value) => atomic(`add ${value} to`, index, (old) => old + value, true, true),
      or: (index, bits) => atomic(`or ${bits} into`, index, (old) => old | bits, true, true),
      and: (index, bits) => atomic(`and ${bits} into`, index, (old) => old & bits, true, true),
      exchange: (index, value) => atomic(`exchange ${value} with`, index, () => value, true, true),
      compareExchange: (index, expected, value) =>
        atomic(`compare ${expected}, exchange ${value} with`, index, (old) => (old === expected ? value : old), true, true),
      // One indivisible access; small values suffice for an exploration.
      load64: (index) => atomic('load64', index, (old) => old, true, false),
      store64: (index, value) => void atomic(`store64 ${value} in`, index, () => value, false, true),
      loadPlain: (index) => plain(() => this.#plainLoad(self, index)),
      storePlain: (index, value) => void plain(() => this.#plainStore(self, index, value)),
    };
    const context: ThreadContext = {
      words,
      ringBell: (target) => void step(false, `ring the bell of thread ${target}`, () => this.#ringBell(self, target)),
      waitForBell: () => void step(true, 'wake up by the bell', () => this.#hearBell(self)),
      report: (value) => said.push(value),
    };
    try {
      const body = (this.#program.threads[self] as Thread)(context);
      isBuilt = true;
      body();
      thread.isFinished = true;
      thread.isWaiting = false;
    } catch (error) {
      if (error !== PAUSE) {
        if (error instanceof ScheduleFailure) throw error;
        this.#fail(`thread ${self}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
    }
    thread.reports = said;
  }

  #atomic(self: number, index: number, change: (old: number) => number, reads: boolean, writes: boolean): number {
    if (this.#plain.has(index)) this.#fail(`word ${index} is accessed plainly and atomically`);
    const old = this.#memory[index] as number;
    this.#synchronize(self, index, reads, writes);
    if (writes) this.#put(index, change(old));
    return old;
  }

  #plainLoad(self: number, index: number): number {
    const { word, clock, now } = this.#plainWord(self, index);
    if (word.writer !== self && word.writtenAt > (clock[word.writer] ?? 0)) {
      this.#fail(`data race: thread ${self} reads word ${index} while thread ${word.writer} writes it`);
    }
    this.#setPlain(index, { ...word, readAt: word.readAt.map((at, other) => (other === self ? now : at)) });
    return this.#memory[index] as number;
  }

  #plainStore(self: number, index: number, value: number): number {
    const { word, clock, now } = this.#plainWord(self, index);
    if (word.writer !== self && word.writtenAt > (clock[word.writer] ?? 0)) {
      this.#fail(`data race: threads ${self} and ${word.writer} write word ${index}`);
    }
    for (const [other, at] of word.readAt.entries()) {
      if (other !== self && at > (clock[other] as number)) {
        this.#fail(`data race: thread ${self} overwrites word ${index} while thread ${other} reads it`);
      }
    }
    this.#setPlain(index, { writer: self, writtenAt: now, readAt: word.readAt.map(() => 0) });
    this.#put(index, value);
    return 0;
  }

  #plainWord(self: number, index: number): { word: PlainWord; clock: Clock; now: number } {
    if (this.#released.has(index)) this.#fail(`word ${index} is accessed plainly and atomically`);
    const clock = (this.#threads[self] as ThreadState).clock;
    const word = this.#plain.get(index) ?? { writer: -1, writtenAt: 0, readAt: clock.map(() => 0) };
    return { word, clock, now: clock[self] as number };
  }

  #setPlain(index: number, word: PlainWord): void {
    const old = this.#plain.get(index);
    this.#undo.push(() => (old === undefined ? this.#plain.delete(index) : this.#plain.set(index, old)));
    this.#plain.set(index, word);
  }

  #ringBell(self: number, target: number): number {
    this.#synchronize(self, -1 - target, true, true);
    this.#setBell(target, (this.#bells[target] as number) + 1);
    return 0;
  }

  #hearBell(self: number): number {
    this.#synchronize(self, -1 - self, true, true);
    this.#setBell(self, 0);
    return 0;
  }

  #setBell(target: number, value: number): void {
    const old = this.#bells[target] as number;
    this.#flip(1_000_000 + target, old);
    this.#flip(1_000_000 + target, value);
    this.#bells[target] = value;
    this.#undo.push(() => {
      this.#bells[target] = old;
    });
  }

  #put(index: number, value: number): void {
    const old = this.#memory[index] as number;
    this.#flip(index, old);
    this.#flip(index, value | 0);
    this.#memory[index] = value;
    this.#undo.push(() => {
      this.#memory[index] = old;
    });
  }

  /** A reader learns what the writer of the word knew; a writer leaves what it knows, and its own time goes on. */
  #synchronize(self: number, index: number, reads: boolean, writes: boolean): void {
    const thread = this.#threads[self] as ThreadState;
    const released = this.#released.get(index);
    if (reads && released !== undefined) thread.clock = join(thread.clock, released);
    // The word is known as atomic from now on even where it was only read.
    const left = writes ? thread.clock : (released ?? thread.clock.map(() => 0));
    if (left !== released) {
      this.#undo.push(() => (released === undefined ? this.#released.delete(index) : this.#released.set(index, released)));
      this.#released.set(index, left);
      for (const [other, time] of left.entries()) {
        this.#flip(2_000_000 + index * 4 + other, released?.[other] ?? 0);
        this.#flip(2_000_000 + index * 4 + other, time);
      }
    }
    if (writes) thread.clock = thread.clock.map((time, other) => (other === self ? time + 1 : time));
  }

  /** Takes `value` at `place` into the hash, or out of it. The undo of a change flips nothing: the hash is restored whole. */
  #flip(place: number, value: number): void {
    const low = this.#low;
    const high = this.#high;
    this.#undo.push(() => {
      this.#low = low;
      this.#high = high;
    });
    this.#low ^= mix(Math.imul(place + 1, 0x9e3779b1), value);
    this.#high ^= mix(Math.imul(place + 1, 0x85ebca6b), value + 0x5bd1e995);
  }
}

function join(one: Clock, other: Clock): Clock {
  return one.map((time, i) => Math.max(time, other[i] as number));
}

function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15) ^ value, 0x2c1b3c6d) + 0x68bc21eb;
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ value;
  return (mixed ^ (mixed >>> 15)) | 0;
}

/** Words over an array of this thread alone: for preparing a memory, and for tests that need no schedule. */
export function directWords(memory: Int32Array): Words {
  const change = (index: number, value: number): number => {
    const old = memory[index] as number;
    memory[index] = value;
    return old;
  };
  const load = (index: number): number => memory[index] as number;
  return {
    load,
    loadPlain: load,
    load64: load,
    store: change,
    storePlain: change,
    store64: change,
    exchange: change,
    add: (index, value) => change(index, load(index) + value),
    or: (index, bits) => change(index, load(index) | bits),
    and: (index, bits) => change(index, load(index) & bits),
    compareExchange: (index, expected, value) => (load(index) === expected ? change(index, value) : load(index)),
  };
}
