// Message tables: one table describes a message at every version, and gives its one TypeScript type. What a table says, compile.ts
// turns into code for a version. Fields are in wire order; names are Kafka's, in camelCase.
// Pure. Source: KIP-482 (flexible versions, tagged fields) and the protocol guide.
import { ZERO_UUID } from '../base/uuid.ts';

export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'int64Rounded'
  | 'int64Opaque'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records';

/** Where record batches lie in the frame they came with. Encoded, a range is a gap of `length` bytes that its owner fills in, found at `position`. */
export interface RecordsRange {
  position: number;
  length: number;
  /** Encoding only: the gap's size where it is another one. 0: what belongs at `position` is sent without ever lying there. */
  readonly gapBytes?: number;
}

/** First and last version that has a field; left out: all of the message's. */
interface FieldOptions<T> {
  readonly since?: number;
  readonly until?: number;
  /** First version in which the field may be null; with `nullableUntil` the last one, too. */
  readonly nullableSince?: number;
  readonly nullableUntil?: number;
  /** Number in the tag section, from `tagSince` on (the field's first version where left out). */
  readonly tag?: number;
  readonly tagSince?: number;
  /** The value of a version that lacks the field, and of a tag that was not sent. */
  readonly default?: T;
  /** A value that a version cannot carry is dropped; otherwise it is an error to give one. */
  readonly ignorable?: boolean;
}

export interface Field<T> extends FieldOptions<T> {
  readonly kind: 'primitive' | 'struct' | 'array';
  readonly primitive?: Primitive;
  /** Of a struct, or of an array's structs. */
  readonly fields?: Fields;
  /** Of an array of primitives. */
  readonly element?: Primitive;
  /** The type of the value, for MessageOf alone. */
  readonly type?: T;
}

export type Fields = { readonly [name: string]: Field<unknown> };
type StructOf<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };
type Element<E> = E extends Field<infer T> ? T : E extends Fields ? StructOf<E> : never;

const primitive =
  <T>(name: Primitive, zero: T) =>
  (options: FieldOptions<T> = {}): Field<T> => ({ kind: 'primitive', primitive: name, default: zero, ...options });

/** Null is the default only where the options say so. */
const nullable =
  <T>(name: Primitive, zero: T) =>
  (options: FieldOptions<T | null> = {}): Field<T | null> => ({
    kind: 'primitive',
    primitive: name,
    nullableSince: 0,
    default: zero,
    ...options,
  });

const NO_BYTES = new Uint8Array(0);

export const bool = primitive<boolean>('bool', false);
export const int8 = primitive<number>('int8', 0);
export const int16 = primitive<number>('int16', 0);
export const uint16 = primitive<number>('uint16', 0);
export const int32 = primitive<number>('int32', 0);
export const uint32 = primitive<number>('uint32', 0);
/** A safe integer: beyond ±(2^53−1) it does not decode. */
export const int64 = primitive<number>('int64', 0);
/** A 64-bit integer that a peer may set beyond 2^53 and that must then be answered, not refused: the nearest number. */
export const int64Rounded = primitive<number>('int64Rounded', 0);
/** A 64-bit integer that is handed on as it came. */
export const int64Opaque = primitive<bigint>('int64Opaque', 0n);
export const float64 = primitive<number>('float64', 0);
/** 22 characters of base64url. */
export const uuid = primitive<string>('uuid', ZERO_UUID);
export const string = primitive<string>('string', '');
export const nullableString = nullable<string>('string', '');
/** Decoded as a copy. */
export const bytes = primitive<Uint8Array>('bytes', NO_BYTES);
export const nullableBytes = nullable<Uint8Array>('bytes', NO_BYTES);
/** Decoded as a RecordsRange, never copied; encoded from bytes or as a gap. */
export const records = primitive<RecordsRange | Uint8Array>('records', NO_BYTES);
/** Null where a version lacks it: there is no empty range. */
export const nullableRecords = (options: FieldOptions<RecordsRange | Uint8Array | null> = {}): Field<RecordsRange | Uint8Array | null> => ({
  kind: 'primitive',
  primitive: 'records',
  nullableSince: 0,
  default: null,
  ...options,
});

/** Its default is a struct of its fields' defaults. */
export function struct<F extends Fields>(fields: F, options: FieldOptions<StructOf<F>> = {}): Field<StructOf<F>> {
  return { kind: 'struct', fields, ...options };
}

/** Its default is null. */
export function nullableStruct<F extends Fields>(fields: F, options: FieldOptions<StructOf<F> | null> = {}): Field<StructOf<F> | null> {
  return { kind: 'struct', fields, nullableSince: 0, default: null, ...options };
}

/** An array of structs, given as their fields, or of primitives, given as a field. */
export function array<E extends Fields | Field<unknown>>(element: E, options: FieldOptions<Element<E>[]> = {}): Field<Element<E>[]> {
  return { ...arrayShape(element), default: [], ...options };
}

/** Null is the default only where the options say so. */
export function nullableArray<E extends Fields | Field<unknown>>(
  element: E,
  options: FieldOptions<Element<E>[] | null> = {},
): Field<Element<E>[] | null> {
  return { ...arrayShape(element), nullableSince: 0, default: [], ...options };
}

function arrayShape(element: Fields | Field<unknown>): { kind: 'array'; fields: Fields } | { kind: 'array'; element: Primitive } {
  if (isField(element)) return { kind: 'array', element: element.primitive as Primitive };
  return { kind: 'array', fields: element };
}

function isField(element: Fields | Field<unknown>): element is Field<unknown> {
  return typeof element.kind === 'string';
}

export interface Table<F extends Fields = Fields> {
  readonly type: 'request' | 'response' | 'record' | 'header' | 'data';
  readonly name: string;
  /** Of requests and responses the API's, of records the record type's; otherwise −1. */
  readonly apiKey: number;
  /** First and last version that the table describes; which of them are served is the handler table's matter. */
  readonly versions: readonly [number, number];
  /** First flexible version; Infinity where there is none. */
  readonly flexibleSince: number;
  readonly fields: F;
}

type TableOptions<F extends Fields> = {
  readonly name: string;
  readonly apiKey?: number;
  readonly versions: readonly [number, number];
  readonly flexibleSince?: number;
  readonly fields: F;
};

const table =
  (type: Table['type']) =>
  <F extends Fields>(options: TableOptions<F>): Table<F> => ({ type, apiKey: -1, flexibleSince: Number.POSITIVE_INFINITY, ...options });

export const request = table('request');
export const response = table('response');
/** A record of a log of Kafka's own (metadata, offsets, …). */
export const record = table('record');
export const header = table('header');
/** Any other piece that is told by a version: control records, checkpoints. */
export const data = table('data');

/** The one type of a message for all of its versions. */
export type MessageOf<T extends Table> = T extends Table<infer F> ? StructOf<F> : never;

/** Whether `version` has the field at all. */
export function hasField(field: Field<unknown>, version: number): boolean {
  return version >= (field.since ?? 0) && version <= (field.until ?? Number.POSITIVE_INFINITY);
}

export function isTagged(field: Field<unknown>, version: number): boolean {
  return field.tag !== undefined && hasField(field, version) && version >= (field.tagSince ?? field.since ?? 0);
}

export function isNullable(field: Field<unknown>, version: number): boolean {
  return (
    field.nullableSince !== undefined && version >= field.nullableSince && version <= (field.nullableUntil ?? Number.POSITIVE_INFINITY)
  );
}
