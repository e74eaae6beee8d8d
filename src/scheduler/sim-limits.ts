// The limits under which a simulation runs, drawn from its seed down to their minimum: limits at their minimum find the most.
// Pure.
import { RING_CAPACITY_MIN_BYTES } from '../actors/ring-layout.ts';
import { SLAB_MIN_BYTES } from '../actors/slab-arena.ts';
import type { Random } from '../base/random.ts';
import { KIB, MIB } from '../base/units.ts';

export interface SimLimits {
  readonly workerCount: number;
  /** At the minimum one request of up to 12 words is under way for each pair of workers: one credit. */
  readonly ringCapacityBytes: number;
  /** Where all ring counters start, in words: overflows of 31 and 32 bits are near. */
  readonly ringCounterStart: number;
  /** At the minimum: one slab. */
  readonly arenaBytes: number;
  readonly ioConcurrency: number;
}

const WORKER_COUNTS = [1, 2, 3, 4];
const RING_CAPACITIES = [RING_CAPACITY_MIN_BYTES, 2 * RING_CAPACITY_MIN_BYTES, KIB, 8 * KIB, 256 * KIB];
const RING_COUNTER_STARTS = [0, 2 ** 31 - 64, 2 ** 32 - 64];
const ARENAS = [SLAB_MIN_BYTES, 3 * SLAB_MIN_BYTES, 64 * KIB, 16 * MIB];
const IO_CONCURRENCIES = [1, 2, 4];

/** Limits for one run. An actor that needs larger messages overrides what is too small for it. */
export function drawLimits(random: Random): SimLimits {
  const pick = (choices: readonly number[]): number => choices[random.below(choices.length)] ?? 0;
  return {
    workerCount: pick(WORKER_COUNTS),
    ringCapacityBytes: pick(RING_CAPACITIES),
    ringCounterStart: pick(RING_COUNTER_STARTS),
    arenaBytes: pick(ARENAS),
    ioConcurrency: pick(IO_CONCURRENCIES),
  };
}
