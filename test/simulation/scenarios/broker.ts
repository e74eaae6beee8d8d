// A whole broker, as production composes it, on one to three virtual workers: clients create topics, produce, fetch and delete, while
// the process is killed, the power goes, the disk fails. After each end the broker is booted on what the disk has, and audited.

import { RING_CAPACITY_MIN_BYTES } from '../../../src/actors/ring-layout.ts';
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { KIB, MIB } from '../../../src/base/units.ts';
import { type BrokerConfig, resolveBrokerConfig } from '../../../src/config/broker-config.ts';
import type { StorageFaults } from '../../../src/scheduler/sim-faults.ts';
import type { SimLimits } from '../../../src/scheduler/sim-limits.ts';
import { Simulation } from '../../../src/scheduler/sim-runtime.ts';
import { Admin } from '../broker/admin.ts';
import { audit } from '../broker/audit.ts';
import { Consumer } from '../broker/consumer.ts';
import { BrokerMachine, type Fate } from '../broker/machine.ts';
import { batchBytesMax, Producer } from '../broker/producer.ts';
import { Violation } from '../broker/violation.ts';
import { World } from '../broker/world.ts';
import type { Scenario, ScenarioOptions, ScenarioOutcome } from '../scenario.ts';

const LIVES_MAX = 4;
/** Virtual time in which somebody gets something, unless everyone who may has read everything. */
const CATCH_UP_MS = 1_000;
const LOOK_EACH_MS = 5;
const BRING_HOME_MS = 10_000;

export const broker: Scenario = {
  name: 'broker',
  about: 'a whole broker with clients, through kills, power losses, disk faults and stops',
  async run(seed, options) {
    const story = new Story(seed, options);
    try {
      return await story.run();
    } finally {
      story.end();
    }
  },
};

/** How a life of the broker ends. */
type End = 'kill' | 'power loss' | 'stop';

class Story {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #machine: BrokerMachine;
  readonly #world = new World();
  readonly #producers: Producer[];
  readonly #consumers: Consumer[];
  readonly #admin: Admin;
  /** Since the last audit that went through. */
  #hasLostPower = false;
  readonly #ends = { kills: 0, powerLosses: 0, stops: 0 };

  constructor(seed: number, options: ScenarioOptions) {
    const draws = seededRandom(seed ^ 0x5eed);
    this.#simulation = new Simulation({ seed, keepsTrace: options.keepsTrace, limits: drawLimits(draws) });
    this.#random = this.#simulation.random;
    const manners = {
      readBytesMax: pick(draws, [1, 50, 4096, MIB, MIB, MIB]),
      takeBytesMax: pick(draws, [100, 4096, MIB, MIB]),
      sendBufferBytes: pick(draws, [100, 1000, 64 * KIB, 64 * KIB]),
    };
    this.#machine = new BrokerMachine(this.#simulation, drawConfig(draws, drawDirectories(seed)), manners);
    const valueBytesMax = pick(draws, [20, 200, 200, 3000]);
    const producerCount = 1 + draws.below(3);
    this.#producers = Array.from({ length: producerCount }, (_, i) => new Producer(this.#machine, this.#world, `p${i}`, valueBytesMax));
    this.#consumers = Array.from({ length: 1 + draws.below(3) }, () => new Consumer(this.#machine, this.#world));
    this.#admin = new Admin(this.#machine, this.#world, batchBytesMax(valueBytesMax));
  }

  async run(): Promise<ScenarioOutcome> {
    const lives = 1 + this.#random.below(LIVES_MAX);
    for (let life = 0; life < lives; life++) {
      this.#setFaults(this.#random.below(3) === 0 ? drawFaults(this.#random, this.#simulation.disk.usedBytes()) : null);
      await this.#live();
    }
    this.#setFaults(null);
    if ((await this.#boot()) === 'died') throw new Violation('a healthy disk, and the broker died');
    await this.#work();
    await this.#quiesce();
    if (!(await this.#machine.stop())) throw new Violation('an orderly stop on a healthy disk was not clean');
    if (this.#random.below(2) === 0) this.#machine.losePower(); // Everything is on the medium: this costs nothing.
    if ((await this.#boot()) === 'died') throw new Violation('a healthy disk, and the broker died');
    await this.#quiesce();
    const { counts } = this.#world;
    return {
      traceHash: this.#simulation.traceHash,
      trace: this.#simulation.trace,
      counts: { ...counts, ...this.#ends, workers: this.#machine.workerCount, boots: this.#machine.bootCount },
    };
  }

  /** Nothing of it is left: files that are open have descriptors, which hold on to their disk. */
  end(): void {
    this.#machine.kill();
  }

  /** One boot, work, and the end. */
  async #live(): Promise<void> {
    const fate = await this.#boot();
    if (fate === 'lives') {
      const stillLives = (await this.#work()) === 'lives';
      if (stillLives && this.#random.below(2) === 0) await this.#quiesce();
    }
    if (!this.#machine.isUp) this.#world.counts.died++;
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#machine.isComputing) this.#world.counts.endsAtWork++;
    const end: End = (['kill', 'power loss', 'stop', 'kill'] as const)[this.#random.below(4)] ?? 'kill';
    if (end === 'stop' && this.#machine.isUp) {
      this.#ends.stops++;
      const isClean = await this.#machine.stop();
      if (!isClean && !this.#machine.hasFaults) throw new Violation('an orderly stop on a healthy disk was not clean');
      if (!isClean || this.#random.below(2) === 0) return;
      this.#simulation.losePower(); // A clean stop has promised that this costs nothing.
    } else if (end === 'power loss') {
      this.#ends.powerLosses++;
      this.#hasLostPower = true;
      this.#machine.losePower();
    } else {
      this.#ends.kills++;
      this.#machine.kill();
    }
  }

  async #boot(): Promise<Fate> {
    this.#world.forgetRequests();
    if ((await this.#machine.boot()) === 'died') return 'died';
    const hasLostPower = this.#hasLostPower;
    if (!(await audit(this.#machine, this.#world, hasLostPower))) return 'died';
    this.#hasLostPower = false;
    for (const producer of this.#producers) producer.start({ hasLostPower });
    for (const consumer of this.#consumers) consumer.start();
    this.#admin.start();
    return 'lives';
  }

  async #work(): Promise<Fate> {
    this.#setActive(true);
    return this.#machine.runFor(this.#random.below(4) === 0 ? this.#random.below(200) : this.#random.below(40));
  }

  /** Nobody begins anything new: what is under way is answered, consumers read to the end, and all memory comes back. */
  async #quiesce(): Promise<void> {
    const machine = this.#machine;
    this.#setActive(false);
    const areHome = (): boolean => this.#admin.isIdle && this.#producers.every((producer) => producer.isIdle);
    if ((await machine.until(areHome, BRING_HOME_MS, 'every batch is acknowledged')) === 'died') return;
    if (!machine.hasFaults) {
      const complaint = (): string | null => this.#consumers.map((consumer) => consumer.complaint).find((each) => each !== null) ?? null;
      if ((await machine.until(this.#untilStill(complaint), BRING_HOME_MS * 10, 'consumers read to the end')) === 'died') return;
      const left = complaint();
      if (left !== null) throw new Violation(`${left}, and gets nothing more`);
    }
    for (const client of [...this.#producers, ...this.#consumers, this.#admin]) client.closeConnection();
    machine.isStopping = true; // Nobody connects again.
    if ((await machine.runFor(500)) === 'died') return;
    machine.checkMemory();
    machine.isStopping = false;
  }

  /** However slow a connection is: as long as somebody gets something, they are catching up. */
  #untilStill(complaint: () => string | null): () => boolean {
    const { time } = this.#simulation;
    const { counts } = this.#world;
    let readBefore = -1;
    let stillSinceMs = 0;
    let nextLookMs = 0;
    return () => {
      if (counts.read !== readBefore) {
        readBefore = counts.read;
        stillSinceMs = time.nowMs;
      }
      if (time.nowMs < nextLookMs) return false;
      nextLookMs = time.nowMs + LOOK_EACH_MS;
      return time.nowMs - stillSinceMs > CATCH_UP_MS || complaint() === null;
    };
  }

  #setActive(isActive: boolean): void {
    for (const producer of this.#producers) producer.isActive = isActive;
    this.#admin.isActive = isActive;
  }

  #setFaults(faults: StorageFaults | null): void {
    this.#machine.hasFaults = faults !== null;
    this.#simulation.disk.setFaults(faults ?? {});
  }
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}

/** Down to what one partition message, one landing buffer and one slab beside it need. */
function drawLimits(random: Random): Partial<SimLimits> {
  return {
    workerCount: 1 + random.below(3),
    ringCapacityBytes: pick(random, [2 * RING_CAPACITY_MIN_BYTES, 2 * RING_CAPACITY_MIN_BYTES, KIB, 256 * KIB]),
    arenaBytes: pick(random, [128 * KIB, 256 * KIB, MIB, 16 * MIB]),
  };
}

/** One log directory, or several: of those a fault takes one after the other. */
function drawDirectories(seed: number): string {
  return pick(seededRandom(seed ^ 0xd15c), ['data', 'data,more', 'data,more,most']);
}

function drawConfig(random: Random, directories: string): BrokerConfig {
  const overrides: (readonly [string, string])[] = [
    ['log.dirs', directories],
    ['log.segment.delete.delay.ms', pick(random, ['0', '50'])],
    ['log.initial.task.delay.ms', pick(random, ['0', '20'])],
    ['log.retention.check.interval.ms', pick(random, ['2', '20'])],
    ['log.flush.start.offset.checkpoint.interval.ms', pick(random, ['3', '60000'])],
    ['log.flush.scheduler.interval.ms', pick(random, ['5', '9223372036854775807'])],
    ...(random.below(3) === 0 ? [['log.flush.interval.messages', pick(random, ['1', '1', '3'])] as const] : []),
    ['log.flush.offset.checkpoint.interval.ms', pick(random, ['5', '50', '60000'])],
    ['log.index.size.max.bytes', pick(random, ['64', '4096'])],
    ['log.index.interval.bytes', pick(random, ['0', '500', '4096'])],
    ['metadata.log.max.record.bytes.between.snapshots', pick(random, ['1', '3000', '20971520'])],
    ['naru.connection.inflight.max', pick(random, ['1', '2', '16'])],
  ];
  const { config } = resolveBrokerConfig({ overrides, coreCount: 1 });
  return { ...config, writebackBytes: pick(random, [500, 5000, config.writebackBytes]) };
}

function drawFaults(random: Random, usedBytes: number): StorageFaults {
  const chance = (): number => (random.below(3) === 0 ? 1 + random.below(10) : 0);
  return {
    shortWritesIn1000: chance() * 20,
    writeErrorsIn1000: chance(),
    readErrorsIn1000: chance(),
    syncErrorsIn1000: chance(),
    ...(random.below(3) === 0 ? { capacityBytes: usedBytes + random.below(100_000) } : {}),
  };
}
