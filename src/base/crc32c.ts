// CRC-32C (Castagnoli), the checksum of record batches: the fastest implementation that answers correctly here.
// Probed once, when it is first worth it, in this order, and only the one chosen stays loaded: the SSE 4.2 addon below `fast-crc32c` (asked
// for directly, since the package's own entry falls back to slow JavaScript without a word), `@node-rs/crc32`, our own JavaScript.
// Invariant: all three give the same 32 bits for the same bytes, over shared memory too.
// Runs on: every worker. Imports node:module alone, to reach packages that may be missing; NARU_NATIVE=off hides them.
import { createRequire } from 'node:module';

type Checksum = (bytes: Uint8Array) => number;

interface Implementation {
  readonly name: string;
  readonly checksum: Checksum;
}

/** The reflected form of 0x1EDC6F41. */
const POLYNOMIAL = 0x82f63b78;

/**
 * Below this many bytes our own loop beats a view plus a native call.
 * Measured with bench/micro/records.bench.ts: 56 bytes 40 ns against 91 (140 with @node-rs/crc32), 120 bytes 80 against 94 (151),
 * 248 bytes 162 against 105 (168), 1 MiB 638 µs against 103 (148).
 */
const NATIVE_MIN_BYTES = 128;

/** Eight tables of 256 words: table k holds the checksum of a byte followed by k zero bytes. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (-(crc & 1) & POLYNOMIAL);
    tables[byte] = crc;
  }
  for (let i = 256; i < 8 * 256; i++) {
    const shorter = tables[i - 256] as number;
    tables[i] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number);
  }
  return tables;
}

/** The portable floor: eight bytes a step. The unsigned checksum of bytes [start, end). */
export function crc32cJavaScript(bytes: Uint8Array, start: number, end: number): number {
  const tables = TABLES;
  let crc = -1;
  let i = start;
  for (const wordsEnd = start + ((end - start) & ~7); i < wordsEnd; i += 8) {
    const low =
      crc ^ ((bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24));
    crc =
      (tables[0x700 | (low & 0xff)] as number) ^
      (tables[0x600 | ((low >>> 8) & 0xff)] as number) ^
      (tables[0x500 | ((low >>> 16) & 0xff)] as number) ^
      (tables[0x400 | (low >>> 24)] as number) ^
      (tables[0x300 | (bytes[i + 4] as number)] as number) ^
      (tables[0x200 | (bytes[i + 5] as number)] as number) ^
      (tables[0x100 | (bytes[i + 6] as number)] as number) ^
      (tables[bytes[i + 7] as number] as number);
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (tables[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/** Every native implementation that loads and answers correctly here, best first. For tests and benchmarks; loads them all. */
export function nativeCrc32cImplementations(): Implementation[] {
  return NATIVE.map(({ name, load }) => probe(name, load)).filter((found) => found !== null);
}

const require = createRequire(import.meta.url);

const NATIVE: readonly { readonly name: string; readonly load: () => unknown }[] = [
  { name: 'fast-crc32c', load: () => member(require('fast-crc32c/impls/sse4_crc32c'), 'calculate') },
  { name: '@node-rs/crc32', load: () => member(require('@node-rs/crc32'), 'crc32c') },
];

function member(module: unknown, name: string): unknown {
  return typeof module === 'object' && module !== null ? Reflect.get(module, name) : undefined;
}

/** Loads one and asks it for a known answer, over shared memory and at an odd position; null when anything is amiss. */
function probe(name: string, load: () => unknown): Implementation | null {
  try {
    const loaded = load();
    if (typeof loaded !== 'function') return null;
    const checksum: Checksum = (bytes) => loaded(bytes);
    const sample = Buffer.from(new SharedArrayBuffer(48)).subarray(3);
    sample.write('.The quick brown fox jumps over the lazy dog.');
    return checksum(sample.subarray(1, 44)) === 0x22620404 && checksum(sample.subarray(0, 0)) === 0 ? { name, checksum } : null;
  } catch {
    return null; // Not installed, not built for this platform, or refuses shared memory: the next one answers.
  }
}

function choose(): Implementation | null {
  if (process.env.NARU_NATIVE === 'off') return null;
  for (const { name, load } of NATIVE) {
    const found = probe(name, load);
    if (found !== null) return found;
  }
  return null;
}

/**
 * So many bytes are summed in JavaScript before a native implementation is looked for, which takes 2 to 3 ms: a start, which sums a few
 * kilobytes, would wait for it. They take 10 µs.
 */
const NATIVE_AFTER_BYTES = 16 * 1024;

/** Undefined: not looked for yet. */
let chosen: Implementation | null | undefined;
let nativeChecksum: Checksum | null = null;
let bytesBefore = 0;

/** Which implementation answers in this thread: `fast-crc32c`, `@node-rs/crc32` or `javascript`. Looks for it, where that has not been done. */
export function crc32cImplementation(): string {
  if (chosen === undefined) {
    chosen = choose();
    nativeChecksum = chosen === null ? null : chosen.checksum;
  }
  return chosen === null ? 'javascript' : chosen.name;
}

/** The unsigned CRC-32C of all of `bytes`. */
export function crc32c(bytes: Uint8Array): number {
  return crc32cRange(bytes, 0, bytes.length);
}

/** The unsigned CRC-32C of bytes [start, end); both lie within `bytes`. */
export function crc32cRange(bytes: Uint8Array, start: number, end: number): number {
  if (chosen === undefined) {
    bytesBefore += end - start;
    if (bytesBefore > NATIVE_AFTER_BYTES) crc32cImplementation();
  }
  if (nativeChecksum === null || end - start < NATIVE_MIN_BYTES) return crc32cJavaScript(bytes, start, end);
  return nativeChecksum(end - start === bytes.length ? bytes : bytes.subarray(start, end));
}
