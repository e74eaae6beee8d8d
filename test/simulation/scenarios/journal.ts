// Journals on several workers, killed and cut off from power again and again: every value that was acknowledged is there, once,
// and nothing that nobody sent. Without power loss, whatever an owner wrote is there.

import type { Random } from '../../../src/base/random.ts';
import type { StorageFaults } from '../../../src/scheduler/sim-faults.ts';
import { Simulation } from '../../../src/scheduler/sim-runtime.ts';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from '../scenario.ts';
import { type JournalWorld, journalApp } from './journal-app.ts';

const CRASHES = 5;

export const journal: Scenario = {
  name: 'journal',
  about: 'actors that journal what they acknowledge, through kills, power losses and disk faults',
  run: (seed, options) => runJournal(seed, options, false),
};

/** `acknowledgesEarly` plants the mistake that the scenario is there to find. */
export async function runJournal(seed: number, options: ScenarioOptions, acknowledgesEarly: boolean): Promise<ScenarioOutcome> {
  const simulation = new Simulation({ seed, keepsTrace: options.keepsTrace });
  const { random, limits } = simulation;
  const world: JournalWorld = {
    nextValue: 1,
    acknowledged: new Set(),
    refusedCount: 0,
    creditlessCount: 0,
    recovered: [],
    acknowledgesEarly,
  };
  const faults = drawFaults(random);
  const boot = async (): Promise<void> => {
    world.recovered.length = 0;
    await simulation.boot({ factory: journalApp, data: world, sharedBytes: 64 });
  };
  for (let crash = 0; crash < CRASHES; crash++) {
    simulation.disk.setFaults(faults);
    await boot();
    check(world, limits.workerCount);
    await simulation.runFor(1 + random.below(200));
    if (random.below(2) === 0) simulation.losePower();
    else simulation.kill();
  }
  simulation.disk.setFaults({}); // A healthy disk at the end, so that every journal can be read.
  await boot();
  check(world, limits.workerCount);
  const found = world.recovered.reduce((sum, values) => sum + values.length, 0);
  if (world.recovered.filter((values) => values !== undefined).length < limits.workerCount)
    throw new Error('a journal could not be read on a healthy disk');
  await simulation.process?.stop();
  return {
    traceHash: simulation.traceHash,
    trace: simulation.trace,
    counts: {
      sent: world.nextValue - 1,
      acknowledged: world.acknowledged.size,
      refused: world.refusedCount,
      creditless: world.creditlessCount,
      found,
      workers: limits.workerCount,
    },
  };
}

function check(world: JournalWorld, workerCount: number): void {
  const seen = new Set<number>();
  for (const values of world.recovered) {
    for (const value of values ?? []) {
      if (seen.has(value)) throw new Error(`value ${value} is there twice`);
      if (value < 1 || value >= world.nextValue) throw new Error(`value ${value} was never sent`);
      seen.add(value);
    }
  }
  const readCount = world.recovered.filter((values) => values !== undefined).length;
  if (readCount < workerCount) return; // The disk refused one of them: its values are not known in this boot.
  for (const value of world.acknowledged) if (!seen.has(value)) throw new Error(`value ${value} was acknowledged and is gone`);
}

function drawFaults(random: Random): StorageFaults {
  const chance = (): number => (random.below(3) === 0 ? random.below(30) : 0);
  return {
    shortWritesIn1000: chance() * 10,
    writeErrorsIn1000: chance(),
    readErrorsIn1000: chance(),
    syncErrorsIn1000: chance(),
    ...(random.below(4) === 0 ? { capacityBytes: 500 + random.below(20_000) } : {}),
  };
}
