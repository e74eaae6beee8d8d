// A log on the simulated disk: power fails at any time, writes fall short, the disk fills up, syncs fail.
// What a flush vouched for is there afterwards, whole; what is there beyond is a beginning of what was appended.
import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Log } from '../../src/log/log.ts';
import { LogDirectory as Directory, type LogDirectory } from '../../src/log/log-directory.ts';
import { StorageError } from '../../src/log/storage.ts';
import type { StorageFaults } from '../../src/scheduler/sim-faults.ts';
import { SimStorage } from '../../src/scheduler/sim-storage.ts';
import { append, batch, openLog, readValues, stage } from './log-fixtures.ts';

const SEEDS = Number(process.env.NARU_SIM_SEEDS ?? 150);
const STEPS = 60;
const PRODUCER = 31;
const CONFIG = { segmentBytes: 1500, indexIntervalBytes: 200, segmentIndexBytes: 400 };

interface Appended {
  readonly offset: number;
  readonly value: string;
  readonly epoch: number;
}

class Node {
  storage: SimStorage;
  directory!: LogDirectory;
  log!: Log;
  /** Written, in order; a crash may shorten it, never below `flushed`. */
  appended: Appended[] = [];
  /** What a checkpoint on the medium vouches for. */
  flushed = 0;
  epoch = 0;
  producerEpoch = 0;
  sequence = 0;
  stepCount = 0;
  /** Ends of what runs in the pool, in order. */
  readonly #jobs: (() => void)[] = [];
  #asked = { isFlushing: false, hasEnded: false, error: null as StorageError | null };
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.storage = new SimStorage({ random, later: (task) => this.#jobs.push(task) });
    this.open();
  }

  open(): void {
    this.directory = Directory.open({ storage: this.storage, path: 'data', clusterId: null, nodeId: 1, random: this.#random });
    this.log = openLog({
      storage: this.storage,
      directory: this.directory.partitionPath('t', 0),
      config: CONFIG,
      cleanShutdown: this.directory.hadCleanShutdown,
      recoveryPoint: this.directory.recoveryPoint('t', 0),
    });
    this.epoch++;
    this.producerEpoch++;
    this.sequence = 0;
    this.#asked = { isFlushing: false, hasEnded: false, error: null };
    this.check();
  }

  append(count: number): void {
    const staged: Appended[] = [];
    for (let n = 0; n < count; n++) {
      const offset = this.log.stagedEnd;
      const value = `${offset}/${this.epoch}/${this.stepCount}`.padEnd(20 + this.#random.below(150), '.');
      const isIdempotent = this.#random.below(2) === 0;
      const producer = isIdempotent ? { producerId: PRODUCER, producerEpoch: this.producerEpoch, baseSequence: this.sequence } : {};
      const result = stage(this.log, batch({ values: [value], ...producer }), { epoch: this.epoch });
      expect(result.error, `${result.errorMessage}`).toBe(0);
      expect(result.baseOffset).toBe(offset);
      staged.push({ offset, value, epoch: this.epoch });
      if (isIdempotent) this.sequence++;
    }
    this.log.writeStaged();
    this.appended.push(...staged);
  }

  flush(): void {
    this.runJobs(); // A sync in the pool has its error to itself.
    this.log.flush();
    this.#checkpoint();
  }

  flushLater(): void {
    const asked = this.#asked;
    if (asked.isFlushing) return;
    asked.isFlushing = true;
    this.log.flushLater((error) => {
      asked.isFlushing = false;
      asked.hasEnded = true;
      asked.error = error;
    });
  }

  /** Some of what the pool has to do. Throws what a flush has met. */
  runJobs(countMax = Number.POSITIVE_INFINITY): void {
    const asked = this.#asked;
    for (let count = 0; count < countMax && this.#jobs.length > 0; count++) this.#jobs.shift()?.();
    if (!asked.hasEnded) return;
    asked.hasEnded = false;
    if (asked.error !== null) throw asked.error;
    this.#checkpoint();
  }

  #checkpoint(): void {
    this.directory.checkpointRecoveryPoints([{ topic: 't', partition: 0, offset: this.log.recoveryPoint }]);
    this.flushed = this.log.recoveryPoint;
  }

  restart(): void {
    this.runJobs();
    this.log.close({ clean: true });
    this.directory.checkpointRecoveryPoints([{ topic: 't', partition: 0, offset: this.log.recoveryPoint }]);
    this.flushed = this.log.recoveryPoint;
    this.directory.close({ isClean: true, brokerEpoch: 1 });
    this.open();
  }

  powerLoss(): void {
    this.storage = this.storage.crash();
    this.storage.setFaults({});
    this.open();
  }

  /** The process dies, or drops a log whose disk refused something. */
  kill(): void {
    this.log.closeFiles();
    this.storage.setFaults({});
    this.open();
    this.runJobs(); // What the log before has left in the pool.
  }

  check(): void {
    const end = this.log.writtenEnd;
    expect(end, 'what was flushed is there').toBeGreaterThanOrEqual(this.flushed);
    expect(end, 'nothing comes from nowhere').toBeLessThanOrEqual(this.log.stagedEnd);
    // Batches of a write that failed half-way may have reached the file: they were answered with an error, and may stay or go.
    const values = readValues(this.log);
    const known = this.appended.filter(({ offset }) => offset < end);
    expect(values.slice(0, known.length)).toEqual(known.map(({ offset, value }) => [offset, value]));
    for (const { offset, epoch } of known) expect(this.log.epochForOffset(offset)).toBe(epoch);
    this.appended = values.map(([offset, value]) => ({ offset, value, epoch: Number(value.split('/')[1]) }));
  }
}

const FAULTS: readonly StorageFaults[] = [{}, {}, { shortWritesIn1000: 100 }, { writeErrorsIn1000: 30 }, { syncErrorsIn1000: 60 }];

test('what was flushed survives the loss of power, and the rest is a beginning', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    const node = new Node(random);
    try {
      for (; node.stepCount < STEPS; node.stepCount++) {
        try {
          node.runJobs(random.below(4));
          const die = random.below(100);
          if (die < 55) node.append(1 + random.below(6));
          else if (die < 65) node.flush();
          else if (die < 75) node.flushLater();
          else if (die < 80) node.restart();
          else if (die < 88) node.powerLoss();
          else if (die < 92) node.kill();
          else node.storage.setFaults(FAULTS[random.below(FAULTS.length)] ?? {});
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          // After a failed sync the system's cache and the medium differ. A process that starts again without a reboot must not trust it.
          if (error.message.startsWith('syncing') && random.below(2) === 0) node.powerLoss();
          else node.kill();
        }
      }
    } catch (error) {
      throw new Error(`seed ${seed}, step ${node.stepCount}`, { cause: error });
    }
  }
});

test('what a failed sync has lost is written again by the next start, before a sync is trusted', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new SimStorage({ random: seededRandom(seed), later: (task) => task() });
    disk.makeDirectory('data');
    disk.syncDirectory('.');
    const config = { segmentBytes: seed % 2 === 0 ? 1500 : 1 << 20, indexIntervalBytes: 200 }; // With several segments, and with one.
    const first = openLog({ storage: disk, directory: 'data/t-0', config });
    append(first, batch({ values: ['flushed'.padEnd(300, '.')] }));
    first.flush();
    const { recoveryPoint } = first;
    for (let i = 0; i < 8; i++) append(first, batch({ values: [`${i}`.padEnd(700, '.')] }));
    disk.setFaults({ syncErrorsIn1000: 1000 });
    expect(() => first.flush()).toThrow(StorageError);
    expect(first.recoveryPoint).toBe(recoveryPoint);
    first.closeFiles(); // The process dies; the machine goes on, and with it the page cache.
    disk.setFaults({});

    const second = openLog({ storage: disk, directory: 'data/t-0', config, cleanShutdown: false, recoveryPoint });
    const values = readValues(second);
    expect(values).toHaveLength(9);
    second.flush();
    expect(second.recoveryPoint).toBe(9);
    const after = disk.crash();
    const third = openLog({ storage: after, directory: 'data/t-0', config, cleanShutdown: false, recoveryPoint: 9 });
    expect(readValues(third), `seed ${seed}`).toEqual(values);
    third.closeFiles();
  }
});

test('what recovery has cut does not come back behind what is written in its place', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const disk = new SimStorage({ random: seededRandom(seed), later: (task) => task() });
    disk.makeDirectory('data');
    disk.syncDirectory('.');
    // A batch fills a sector or two: the next one's place is where the one that was cut had it.
    const one = (letter: string): Uint8Array => batch({ values: [letter.repeat(600)] });
    const first = openLog({ storage: disk, directory: 'data/t-0' });
    append(first, one('a'));
    first.flush();
    const { recoveryPoint } = first;
    append(first, one('b'));
    append(first, one('c'));
    first.closeFiles();
    // A power loss has left the second batch torn, the third whole, both on the medium.
    const file = disk.open('data/t-0/00000000000000000000.log', 'read-write');
    file.write(Uint8Array.of(0), 0, 1, one('a').length + 100);
    file.sync();
    file.close();

    const second = openLog({ storage: disk, directory: 'data/t-0', cleanShutdown: false, recoveryPoint });
    expect(second.recoveredCutBytes).toBe(2 * one('b').length);
    append(second, one('d'));
    const third = openLog({ storage: disk.crash(), directory: 'data/t-0', cleanShutdown: false, recoveryPoint });
    const letters = readValues(third).map(([, value]) => value[0]);
    expect(['a', 'ad'], `seed ${seed}`).toContain(letters.join(''));
    third.closeFiles();
  }
});
