// Words of shared memory, and the only door to them: every word that two workers touch goes through a SharedWords.
// Atomics are sequentially consistent: all workers agree on one order of all these accesses, on ARM too. What the
// algorithms above promise (rings, doorbells, bits, parking) rests on nothing else.
// The interface exists so that the interleaving explorer can stand where the memory stands and stop before each access.
// Runs on: any worker. Not an allocator: who owns which word is written down in docs/internals/shared-memory.md.
import { assert } from '../base/assert.ts';

export const WORD_BYTES = 4;
/** Words of different writers lie this far apart: two 64-byte lines, since processors fetch lines in pairs. */
export const LINE_BYTES = 128;
export const LINE_WORDS = LINE_BYTES / WORD_BYTES;

/** Shared 32-bit words by index. All but the two plain accesses are sequentially consistent. */
export interface Words {
  load(index: number): number;
  store(index: number, value: number): void;
  /** Adds, wrapping at 32 bits; returns the value before. So do or, and, exchange. */
  add(index: number, value: number): number;
  or(index: number, bits: number): number;
  and(index: number, bits: number): number;
  exchange(index: number, value: number): number;
  /** Stores `value` where `expected` stands; returns what stood there. */
  compareExchange(index: number, expected: number, value: number): number;
  /** The 64-bit integer in the words `index` (even) and `index + 1`; its value must be a safe integer. */
  load64(index: number): number;
  store64(index: number, value: number): void;
  /** Plain accesses, for memory that a ring's commit or read has handed over: no other worker touches it meanwhile. */
  loadPlain(index: number): number;
  storePlain(index: number, value: number): void;
}

/** Words over a region of shared memory; several instances, in several threads, may cover the same region. */
export class SharedWords implements Words {
  readonly wordCount: number;
  readonly #int32: Int32Array<SharedArrayBuffer>;
  readonly #int64: BigInt64Array<SharedArrayBuffer>;

  /** Covers `wordCount` words from `byteOffset` (a multiple of 8); all of the rest when left out. */
  constructor(region: SharedArrayBuffer, byteOffset = 0, wordCount = Math.floor((region.byteLength - byteOffset) / WORD_BYTES)) {
    assert(byteOffset % 8 === 0, `shared words must start at a multiple of 8 bytes, not at ${byteOffset}`);
    this.wordCount = wordCount;
    this.#int32 = new Int32Array(region, byteOffset, wordCount);
    this.#int64 = new BigInt64Array(region, byteOffset, wordCount >> 1);
  }

  load(index: number): number {
    return Atomics.load(this.#int32, index);
  }

  store(index: number, value: number): void {
    Atomics.store(this.#int32, index, value);
  }

  add(index: number, value: number): number {
    return Atomics.add(this.#int32, index, value);
  }

  or(index: number, bits: number): number {
    return Atomics.or(this.#int32, index, bits);
  }

  and(index: number, bits: number): number {
    return Atomics.and(this.#int32, index, bits);
  }

  exchange(index: number, value: number): number {
    return Atomics.exchange(this.#int32, index, value);
  }

  compareExchange(index: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.#int32, index, expected, value);
  }

  load64(index: number): number {
    return Number(Atomics.load(this.#int64, index >> 1));
  }

  store64(index: number, value: number): void {
    Atomics.store(this.#int64, index >> 1, BigInt(value));
  }

  loadPlain(index: number): number {
    return this.#int32[index] as number;
  }

  storePlain(index: number, value: number): void {
    this.#int32[index] = value;
  }
}
