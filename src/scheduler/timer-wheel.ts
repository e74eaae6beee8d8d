// Timers of one worker: a hierarchy of wheels, so that adding and cancelling cost the same for ten timers and for ten thousand.
// Level L has 64 slots of 64^L ms each. A timer lies in the lowest level whose span reaches its deadline, and moves down when
// the wheel turns into its slot; at level 0 a slot is one millisecond.
// Invariant: every waiting timer has `#nowMs <= deadlineMs`, and a slot's bit is set exactly while its list is not empty.
// Pure: time is handed in; who calls `expire` at `nextMs` is the driver (run-loop.ts).

const SLOT_BITS = 6;
const SLOT_COUNT = 2 ** SLOT_BITS;
/** 64^6 ms are 2.2 years; what is further away waits in the last level and is looked at again then. */
const LEVEL_COUNT = 6;
const SPAN_MS = 2 ** (SLOT_BITS * LEVEL_COUNT);
/** Behind the slots of all levels: timers that are due and have not run, in order of their deadlines. */
const DUE_SLOT = LEVEL_COUNT * SLOT_COUNT;

/** A worker that has few timers, as one that is idle, is not woken to spread their slots out. */
const LOOKS_MAX = 8;

export type TimerTask = () => void;

/** A timer that waits or is done; `cancel` is safe at any time. */
export class WheelTimer {
  readonly #wheel: TimerWheel;
  /** Whole milliseconds on the wheel's clock. */
  readonly deadlineMs: number;
  /** Null once it has fired or was cancelled. */
  task: TimerTask | null;
  // The wheel's: its list, by neighbours, and where that list hangs; -1 while it lies in none.
  previous: WheelTimer | null = null;
  next: WheelTimer | null = null;
  slot = -1;

  constructor(wheel: TimerWheel, deadlineMs: number, task: TimerTask) {
    this.#wheel = wheel;
    this.deadlineMs = deadlineMs;
    this.task = task;
  }

  /** It will not fire any more; nothing happens when it has. */
  cancel(): void {
    if (this.task === null) return;
    this.task = null;
    this.#wheel.remove(this);
  }
}

export class TimerWheel {
  readonly #heads: (WheelTimer | null)[] = new Array(DUE_SLOT + 1).fill(null);
  readonly #tails: (WheelTimer | null)[] = new Array(DUE_SLOT + 1).fill(null);
  // Two words of 32 slots for each level, one for the due slot.
  readonly #occupied = new Int32Array(LEVEL_COUNT * 2 + 1);
  /** All deadlines before this have fired. */
  #nowMs: number;
  #count = 0;
  #dueCount = 0;

  /** `startMs` is the clock's reading at the start, monotonic. */
  constructor(startMs: number) {
    this.#nowMs = Math.floor(startMs);
  }

  /** Timers that wait. */
  get count(): number {
    return this.#count;
  }

  /** Calls `task` by the first `expire` at or after `deadlineMs` (rounded up to whole milliseconds). */
  add(deadlineMs: number, task: TimerTask): WheelTimer {
    const timer = new WheelTimer(this, Math.max(Math.ceil(deadlineMs), this.#nowMs), task);
    this.#count++;
    this.#place(timer);
    return timer;
  }

  /** When `expire` has something to do at the earliest, in ms: a deadline, or a slot of many timers that must be spread out. Infinity: never. */
  nextMs(): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    if (this.#dueCount > 0) return this.#nowMs;
    let nearest = Number.POSITIVE_INFINITY;
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const at = this.#nextOccupied(level);
      if (at < nearest) nearest = Math.min(nearest, this.#firstDeadline(level, at));
    }
    return nearest;
  }

  /**
   * The first deadline in the slot of `level` that begins at `atMs`, or at most where the slot ends: what is beyond the span lies in one that is
   * too early for it. `atMs` where too many lie in the slot to look at each.
   */
  #firstDeadline(level: number, atMs: number): number {
    if (level === 0) return atMs;
    const width = widthOf(level);
    let first = (Math.floor(atMs / width) + 1) * width;
    let looks = 0;
    for (let timer = this.#heads[level * SLOT_COUNT + slotOf(atMs, level)] ?? null; timer !== null; timer = timer.next) {
      if (++looks > LOOKS_MAX) return atMs;
      if (timer.deadlineMs < first) first = timer.deadlineMs;
    }
    return first;
  }

  /**
   * Runs the tasks of all timers whose deadline is at or before `nowMs`, those of earlier deadlines first, at most `limit`
   * of them (the rest stays due); returns how many ran. A task may add and cancel timers; no more run than were due when the call began.
   */
  expire(nowMs: number, limit: number): number {
    this.#turnTo(Math.floor(nowMs));
    const ranMax = Math.min(limit, this.#dueCount);
    let ran = 0;
    while (ran < ranMax) {
      const timer = this.#heads[DUE_SLOT] ?? null;
      if (timer === null) break; // The others were cancelled by a task.
      const task = timer.task;
      this.remove(timer);
      timer.task = null;
      ran++;
      if (task !== null) task();
    }
    return ran;
  }

  /** Takes a timer out. For WheelTimer.cancel alone. */
  remove(timer: WheelTimer): void {
    if (timer.slot === -1) return;
    this.#count--;
    this.#unlink(timer);
  }

  /** Moves the wheel's time on: each occupied slot on the way is spread over the levels below, or becomes due. */
  #turnTo(now: number): void {
    while (this.#nowMs <= now) {
      let at = Number.POSITIVE_INFINITY;
      let level = 0;
      // The highest level first where several begin at the same time: its timers belong into the slots below.
      for (let i = LEVEL_COUNT - 1; i >= 0; i--) {
        const start = this.#nextOccupied(i);
        if (start < at) {
          at = start;
          level = i;
        }
      }
      if (at > now) break;
      this.#nowMs = Math.max(this.#nowMs, at);
      this.#spread(level, at);
    }
    if (this.#nowMs < now) this.#nowMs = now;
  }

  /** Empties the slot of `level` in which `atMs` lies: due ones to the due list, others to where they belong now. */
  #spread(level: number, atMs: number): void {
    const slot = level * SLOT_COUNT + slotOf(atMs, level);
    for (let timer = this.#heads[slot]; timer !== null && timer !== undefined; timer = this.#heads[slot]) {
      this.#unlink(timer);
      this.#place(timer);
    }
  }

  #place(timer: WheelTimer): void {
    const distance = timer.deadlineMs - this.#nowMs;
    if (distance <= 0) {
      this.#link(timer, DUE_SLOT);
      return;
    }
    // Beyond the span it lies in the slot that is reached last, and is placed again from there.
    const placedMs = distance < SPAN_MS - SPAN_MS / SLOT_COUNT ? timer.deadlineMs : this.#nowMs + SPAN_MS - SPAN_MS / SLOT_COUNT;
    let level = 0;
    // A level holds a deadline when fewer than 64 of its slots lie between: then the slot number alone says which turn is meant.
    while (Math.floor(placedMs / widthOf(level)) - Math.floor(this.#nowMs / widthOf(level)) >= SLOT_COUNT) level++;
    this.#link(timer, level * SLOT_COUNT + slotOf(placedMs, level));
  }

  /** Start in ms of the first occupied slot of `level` from the current one on; the current one of a higher level starts now. */
  #nextOccupied(level: number): number {
    const low = this.#occupied[level * 2] as number;
    const high = this.#occupied[level * 2 + 1] as number;
    if ((low | high) === 0) return Number.POSITIVE_INFINITY;
    const width = widthOf(level);
    const current = Math.floor(this.#nowMs / width);
    return Math.max(this.#nowMs, (current + distanceToSet(low, high, current % SLOT_COUNT)) * width);
  }

  #link(timer: WheelTimer, slot: number): void {
    const tail = this.#tails[slot] ?? null;
    timer.slot = slot;
    if (slot === DUE_SLOT) this.#dueCount++;
    timer.previous = tail;
    timer.next = null;
    if (tail === null) this.#heads[slot] = timer;
    else tail.next = timer;
    this.#tails[slot] = timer;
    this.#mark(slot, true);
  }

  #unlink(timer: WheelTimer): void {
    const slot = timer.slot;
    if (timer.previous === null) this.#heads[slot] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next === null) this.#tails[slot] = timer.previous;
    else timer.next.previous = timer.previous;
    if (this.#heads[slot] === null) this.#mark(slot, false);
    if (slot === DUE_SLOT) this.#dueCount--;
    timer.slot = -1;
  }

  #mark(slot: number, isOccupied: boolean): void {
    const word = slot >> 5;
    const bit = 1 << (slot & 31);
    this.#occupied[word] = isOccupied ? (this.#occupied[word] as number) | bit : (this.#occupied[word] as number) & ~bit;
  }
}

/** How many bits from bit `first` of the 64 on, and from bit 0 behind the last one, the first set one lies. One is set. */
function distanceToSet(low: number, high: number, first: number): number {
  const isHigh = first >= 32;
  const near = isHigh ? high : low;
  const far = isHigh ? low : high;
  const shift = first & 31;
  const ahead = near >>> shift;
  if (ahead !== 0) return lowestBit(ahead);
  if (far !== 0) return 32 - shift + lowestBit(far);
  return 64 - shift + lowestBit(near);
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** By shifting: a power is a call of the C library, and each turn asks for the widths of all levels. */
function widthOf(level: number): number {
  return 1 << (SLOT_BITS * level);
}

function slotOf(ms: number, level: number): number {
  return Math.floor(ms / widthOf(level)) % SLOT_COUNT;
}
