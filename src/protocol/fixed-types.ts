// The types of fixed size, as code: how each is read and written at a position, and how several in a row share one.
// Pure. For codec-source.ts alone.
import type { Field, Primitive } from './schema.ts';

/** A type of fixed size: `b` are the bytes, `p` the expression of a position in them, `r` their reader. */
interface FixedType {
  readonly sizeBytes: number;
  readonly read: (p: string) => string;
  readonly write: (p: string, value: string) => string;
}

export const FIXED: Partial<Record<Primitive, FixedType>> = {
  bool: { sizeBytes: 1, read: (p) => `b[${p}] !== 0`, write: (p, value) => `b[${p}] = ${value} ? 1 : 0` },
  int8: { sizeBytes: 1, read: (p) => `(b[${p}] << 24) >> 24`, write: (p, value) => `b[${p}] = ${value}` },
  int16: { sizeBytes: 2, read: (p) => `readInt16(b, ${p})`, write: (p, value) => `writeInt16(b, ${p}, ${value})` },
  uint16: { sizeBytes: 2, read: (p) => `readInt16(b, ${p}) & 0xffff`, write: (p, value) => `writeInt16(b, ${p}, ${value})` },
  int32: { sizeBytes: 4, read: (p) => `readInt32(b, ${p})`, write: (p, value) => `writeInt32(b, ${p}, ${value})` },
  uint32: { sizeBytes: 4, read: (p) => `readInt32(b, ${p}) >>> 0`, write: (p, value) => `writeInt32(b, ${p}, ${value})` },
  int64: { sizeBytes: 8, read: (p) => `safeInt64(b, ${p}, r)`, write: (p, value) => `writeSafeInt64(b, ${p}, ${value})` },
  int64Rounded: { sizeBytes: 8, read: (p) => `readInt64(b, ${p})`, write: (p, value) => `writeRoundedInt64(b, ${p}, ${value})` },
  int64Opaque: { sizeBytes: 8, read: (p) => `b.readBigInt64BE(${p})`, write: (p, value) => `b.writeBigInt64BE(${value}, ${p})` },
  float64: { sizeBytes: 8, read: (p) => `b.readDoubleBE(${p})`, write: (p, value) => `b.writeDoubleBE(${value}, ${p})` },
  uuid: { sizeBytes: 16, read: (p) => `rememberedUuid(b, ${p})`, write: (p, value) => `writeUuid(${value}, b, ${p})` },
};

/** Undefined where the size depends on the value. */
export function fixedOf(field: Field<unknown>): FixedType | undefined {
  return field.primitive === undefined ? undefined : FIXED[field.primitive];
}

/** Fields of fixed size that follow each other: one position for all of them. */
export class FixedRun {
  #sizeBytes = 0;
  #count = 0;
  #code: ((p: string) => string)[] = [];
  readonly #start: string;
  readonly #after: (p: string) => string;

  constructor(start: string, after: (p: string) => string) {
    this.#start = start;
    this.#after = after;
  }

  add(sizeBytes: number, code: (p: string) => string): void {
    const at = this.#sizeBytes;
    this.#code.push((p) => code(at === 0 ? p : `${p} + ${at}`));
    this.#sizeBytes += sizeBytes;
  }

  flush(start: (sizeBytes: number) => string = () => this.#start): string {
    if (this.#code.length === 0) return '';
    const p = `p${this.#count++}`;
    const code = `const ${p} = ${start(this.#sizeBytes)};\n${this.#code.map((line) => line(p)).join('')}${this.#after(`${p} + ${this.#sizeBytes}`)}`;
    this.#code = [];
    this.#sizeBytes = 0;
    return code;
  }
}
