// Which leader epoch began at which offset, and Kafka's `leader-epoch-checkpoint` file that keeps it.
// Invariants: epochs and start offsets rise strictly; every epoch of a batch in the log has its entry.
// The file is written by save(), before the recovery point passes an entry: what lies behind the recovery point is read again
// from the batches, what lies behind the log's end is cut at the next open, so that a leader change costs no sync.
// saveLater() does the same off the loop; of two saves the one that was begun last has the file, and the other leaves it alone.
// Runs on: the log's owner.
import { formatCheckpoint, MalformedFileError, parseCheckpoint, parseCount, replaceCheckpointLater } from './checkpoint-file.ts';
import { LEADER_EPOCH_CHECKPOINT_NAME } from './file-names.ts';
import type { Storage, StorageError } from './storage.ts';

export const UNDEFINED_EPOCH = -1;
export const UNDEFINED_EPOCH_OFFSET = -1;

/** The answer to OffsetForLeaderEpoch; reused by the caller. */
export interface EpochEndOffset {
  leaderEpoch: number;
  endOffset: number;
}

export class LeaderEpochCache {
  #storage: Storage;
  #directory: string;
  #epochs: number[] = [];
  #startOffsets: number[] = [];
  /** Rises with every change; the file says what stood at `#savedVersion`. */
  #version = 1;
  #savedVersion = 0;
  /** Rises with every save, and when one in the pool is of no use any more. */
  #saveCount = 0;

  constructor(storage: Storage, directory: string) {
    this.#storage = storage;
    this.#directory = directory;
  }

  /** Reads the file; one that is malformed counts as empty (recovery and appends fill it again) and is told by `false`. */
  load(): boolean {
    const path = this.#path();
    const text = this.#storage.readText(path);
    this.#epochs = [];
    this.#startOffsets = [];
    this.#version++;
    if (text === null) return true;
    try {
      for (const [epoch, startOffset] of parseCheckpoint(text, path, 2))
        this.#put(parseCount(epoch, path, 0), parseCount(startOffset, path, 0));
      this.#savedVersion = this.#version;
      return true;
    } catch (error) {
      if (!(error instanceof MalformedFileError)) throw error;
      this.#epochs = [];
      this.#startOffsets = [];
      return false;
    }
  }

  /** -1 where none is known. */
  get latestEpoch(): number {
    return this.#epochs.length === 0 ? UNDEFINED_EPOCH : (this.#epochs[this.#epochs.length - 1] as number);
  }

  /** Epochs with their start offsets, oldest first: a copy. */
  entries(): Array<[epoch: number, startOffset: number]> {
    return this.#epochs.map((epoch, i) => [epoch, this.#startOffsets[i] as number]);
  }

  /** Notes that `epoch` begins at `startOffset`; cheap where it is the latest already. */
  assign(epoch: number, startOffset: number): void {
    if (this.#put(epoch, startOffset)) this.#version++;
  }

  /** Writes the file where it differs from what is known. */
  save(): void {
    if (this.#savedVersion === this.#version) return;
    this.#saveCount++;
    this.#storage.replaceText(this.#path(), formatCheckpoint(this.#lines()));
    this.#savedVersion = this.#version;
  }

  /**
   * The same with the syncs in the pool: `done` is called once, later, or at once where nothing is to be saved. Without an error, too, where
   * the file has become another's business meanwhile: save() came in between, the directory was renamed, dropSave().
   */
  saveLater(done: (error: StorageError | null) => void): void {
    const version = this.#version;
    if (this.#savedVersion === version) {
      done(null);
      return;
    }
    const number = ++this.#saveCount;
    const isWanted = (): boolean => number === this.#saveCount;
    replaceCheckpointLater(this.#storage, this.#path(), this.#lines(), isWanted, (error) => {
      if (error === null && isWanted()) this.#savedVersion = version;
      done(error);
    });
  }

  /** The log is closing, and the file may soon be somebody else's: a save in the pool leaves it as it is. */
  dropSave(): void {
    this.#saveCount++;
  }

  /** The log ends at `endOffset` now: epochs that began there or later are gone. */
  truncateFromEnd(endOffset: number): void {
    let count = this.#epochs.length;
    while (count > 0 && (this.#startOffsets[count - 1] as number) >= endOffset) count--;
    if (count === this.#epochs.length) return;
    this.#epochs.length = count;
    this.#startOffsets.length = count;
    this.#version++;
  }

  /** The log starts at `startOffset` now: the epoch that reaches over it begins there, older ones are gone. */
  truncateFromStart(startOffset: number): void {
    let removed = 0;
    while (removed < this.#epochs.length && (this.#startOffsets[removed] as number) <= startOffset) removed++;
    if (removed === 0 || (removed === 1 && this.#startOffsets[0] === startOffset)) return;
    this.#epochs.splice(0, removed - 1);
    this.#startOffsets.splice(0, removed - 1);
    this.#startOffsets[0] = startOffset;
    this.#version++;
  }

  /** The epoch of the record at `offset`, -1 where it is not known. */
  epochForOffset(offset: number): number {
    let epoch = UNDEFINED_EPOCH;
    for (let i = 0; i < this.#epochs.length && (this.#startOffsets[i] as number) <= offset; i++) epoch = this.#epochs[i] as number;
    return epoch;
  }

  /**
   * The largest epoch that is at most `epoch`, and where the next one began (the log's end for the latest).
   * (-1, -1) for an epoch nobody knows. Source: KIP-101, KIP-279.
   */
  endOffsetFor(epoch: number, logEndOffset: number, answer: EpochEndOffset): void {
    answer.leaderEpoch = UNDEFINED_EPOCH;
    answer.endOffset = UNDEFINED_EPOCH_OFFSET;
    if (epoch === UNDEFINED_EPOCH) return;
    if (epoch === this.latestEpoch) {
      answer.leaderEpoch = epoch;
      answer.endOffset = logEndOffset;
      return;
    }
    const higher = this.#epochs.findIndex((known) => known > epoch);
    if (higher === -1) return;
    answer.leaderEpoch = higher === 0 ? epoch : (this.#epochs[higher - 1] as number);
    answer.endOffset = this.#startOffsets[higher] as number;
  }

  movedTo(directory: string): void {
    this.#directory = directory;
    this.dropSave();
  }

  /** Kafka's rule: the latest epoch is kept unless it would begin earlier; what contradicts the new entry goes. */
  #put(epoch: number, startOffset: number): boolean {
    const last = this.#epochs.length - 1;
    if (last >= 0 && this.#epochs[last] === epoch && startOffset >= (this.#startOffsets[last] as number)) return false;
    let count = this.#epochs.length;
    while (count > 0 && ((this.#epochs[count - 1] as number) >= epoch || (this.#startOffsets[count - 1] as number) >= startOffset)) count--;
    this.#epochs.length = count;
    this.#startOffsets.length = count;
    this.#epochs.push(epoch);
    this.#startOffsets.push(startOffset);
    return true;
  }

  #lines(): string[] {
    return this.#epochs.map((epoch, i) => `${epoch} ${this.#startOffsets[i]}`);
  }

  #path(): string {
    return `${this.#directory}/${LEADER_EPOCH_CHECKPOINT_NAME}`;
  }
}
