// The actors of the journal scenario, a partition in small: clients ask owners over the exchange to keep numbers; an owner writes
// what a turn brought in one gathered write, syncs, and answers when the sync is through. After a crash it reads its journal,
// cuts a torn tail and writes what is left anew. An owner whose disk has failed refuses everything until it is started again.
import { crc32c } from '../../../src/base/crc32c.ts';
import { StorageError, type StorageFile } from '../../../src/log/storage.ts';
import type { Runtime, WorkerApp } from '../../../src/scheduler/runtime.ts';

const KEEP = 1;
const KEPT = 0;
const REFUSED = 1;
/** Sequence number, value, checksum of both. Sectors are torn in the middle of records. */
const RECORD_BYTES = 12;
const INFLIGHT_MAX = 8;

/** What the scenario sees of all workers; in a simulation it is shared, not cloned. */
export interface JournalWorld {
  /** Every value that was ever sent, in whatever boot. */
  nextValue: number;
  readonly acknowledged: Set<number>;
  refusedCount: number;
  creditlessCount: number;
  /** By worker: what its owner found in its journal at the last start. */
  readonly recovered: number[][];
  /** Answers before the sync: what the scenario must find out. */
  readonly acknowledgesEarly: boolean;
}

export function journalApp(runtime: Runtime, world: JournalWorld): WorkerApp {
  const owner = new JournalOwner(runtime, world);
  owner.recover();
  new JournalClient(runtime, world).start();
  return {
    onControl() {},
    onSupervisor() {},
    onConnection() {},
    stop(done) {
      owner.whenIdle(done);
    },
  };
}

class JournalClient {
  readonly #runtime: Runtime;
  readonly #world: JournalWorld;
  #inflightCount = 0;
  #isRefused = false;

  constructor(runtime: Runtime, world: JournalWorld) {
    this.#runtime = runtime;
    this.#world = world;
    runtime.exchange.onReply(KEEP, (_from, value, words, _floats, index) => {
      this.#inflightCount--;
      this.#isRefused = words[index] !== KEPT;
      if (this.#isRefused) world.refusedCount++;
      else world.acknowledged.add(value);
    });
    runtime.exchange.onCredits(() => {
      if (!this.#isRefused) this.#fill(); // Else the timer does, so that a failed disk makes no storm.
    });
  }

  start(): void {
    this.#fill();
    this.#runtime.after(this.#runtime.random.below(10), () => this.start());
  }

  #fill(): void {
    const { exchange, random, workerCount } = this.#runtime;
    while (this.#inflightCount < INFLIGHT_MAX) {
      const target = random.below(workerCount);
      const value = this.#world.nextValue;
      const index = exchange.tryRequest(target, KEEP, value, 1, 1);
      if (index === -1) {
        this.#world.creditlessCount++;
        return; // onCredits or the timer comes back to it.
      }
      exchange.requestWords(target)[index] = value;
      exchange.commitRequest(target);
      this.#world.nextValue++;
      this.#inflightCount++;
    }
  }
}

interface Staged {
  readonly from: number;
  readonly value: number;
}

class JournalOwner {
  readonly #runtime: Runtime;
  readonly #world: JournalWorld;
  readonly #path: string;
  #file: StorageFile | null = null;
  #sequence = 0;
  #staged: Staged[] = [];
  /** Written, and not covered by a sync that has begun. */
  #written: Staged[] = [];
  #isSyncing = false;
  #idle: (() => void) | null = null;

  constructor(runtime: Runtime, world: JournalWorld) {
    this.#runtime = runtime;
    this.#world = world;
    this.#path = `data/worker-${runtime.workerIndex}/journal`;
    runtime.exchange.onRequest(KEEP, (from, _requestId, words, _floats, index) => {
      this.#staged.push({ from, value: words[index] as number });
      runtime.touch(this);
    });
  }

  /** Reads what is there, and makes sure that what it has read is on the medium before anything is built upon it. */
  recover(): void {
    const { storage, workerIndex } = this.#runtime;
    const directory = `data/worker-${workerIndex}`;
    try {
      storage.makeDirectories(directory);
      storage.syncDirectory('');
      storage.syncDirectory('data');
      const values = this.#read();
      storage.remove(`${this.#path}.new`);
      const file = storage.open(`${this.#path}.new`, 'create');
      values.forEach((value, sequence) => {
        if (file.write(record(sequence, value), 0, RECORD_BYTES, sequence * RECORD_BYTES) !== RECORD_BYTES) {
          throw new StorageError('EIO', this.#path, 'writing'); // A short write: this start is given up.
        }
      });
      file.sync();
      storage.rename(`${this.#path}.new`, this.#path);
      storage.syncDirectory(directory);
      this.#file = file;
      this.#sequence = values.length;
      this.#world.recovered[workerIndex] = values;
    } catch (error) {
      this.#goOffline(error); // Nothing is known of this journal in this boot.
    }
  }

  onTurnEnd(): void {
    const staged = this.#staged;
    this.#staged = [];
    const file = this.#file;
    if (file === null) {
      this.#answer(staged, REFUSED);
      return;
    }
    try {
      const pieces = staged.map(({ value }, i) => record(this.#sequence + i, value));
      const position = this.#sequence * RECORD_BYTES;
      const count = file.writeGathered(pieces, position);
      const rest = Buffer.concat(pieces).subarray(count);
      if (rest.length > 0 && file.write(rest, 0, rest.length, position + count) !== rest.length) {
        throw new StorageError('EIO', this.#path, 'writing');
      }
    } catch (error) {
      this.#goOffline(error);
      this.#answer(staged, REFUSED);
      return;
    }
    this.#sequence += staged.length;
    if (this.#world.acknowledgesEarly) this.#answer(staged, KEPT);
    else this.#written.push(...staged);
    if (!this.#isSyncing) this.#sync(file);
  }

  whenIdle(done: () => void): void {
    this.#idle = done;
    this.#tellIdle();
  }

  #sync(file: StorageFile): void {
    const covered = this.#written;
    this.#written = [];
    this.#isSyncing = true;
    const done = (error: Error | null): void => {
      this.#isSyncing = false;
      if (error !== null) {
        // What was written later stands behind what this sync may have lost: a later sync would not make it whole.
        this.#goOffline(error);
        this.#answer(covered.concat(this.#written.splice(0)), REFUSED);
      } else {
        this.#answer(covered, KEPT);
        if (this.#written.length > 0) this.#sync(file);
      }
      this.#tellIdle();
    };
    if (this.#runtime.random.below(2) === 0) file.syncLater(done);
    else this.#runtime.submit(async () => file.sync(), done);
  }

  #answer(staged: readonly Staged[], answer: number): void {
    const { exchange } = this.#runtime;
    for (const { from, value } of staged) {
      const index = exchange.beginReply(from, KEEP, value, 1);
      exchange.replyWords(from)[index] = answer;
      exchange.commitReply(from);
    }
  }

  #goOffline(error: unknown): void {
    if (!(error instanceof StorageError)) throw error;
    this.#file = null;
  }

  #tellIdle(): void {
    if (!this.#isSyncing && this.#staged.length === 0) this.#idle?.();
  }

  /** The values up to the first record that is not whole. */
  #read(): number[] {
    const { storage } = this.#runtime;
    if (!storage.exists(this.#path)) return [];
    const file = storage.open(this.#path, 'read');
    const bytes = Buffer.alloc(file.sizeBytes());
    file.read(bytes, 0, bytes.length, 0);
    file.close();
    const values: number[] = [];
    for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      const value = bytes.readUInt32LE(at + 4);
      if (!record(values.length, value).equals(bytes.subarray(at, at + RECORD_BYTES))) break;
      values.push(value);
    }
    return values;
  }
}

function record(sequence: number, value: number): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.writeUInt32LE(sequence, 0);
  bytes.writeUInt32LE(value, 4);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 8)), 8);
  return bytes;
}
