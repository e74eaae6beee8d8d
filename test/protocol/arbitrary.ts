// Messages for property tests, made from a table: any value that the version can carry, defaults where it cannot.
import fc from 'fast-check';
import { type Field, type Fields, hasField, isNullable, type Primitive, type Table } from '../../src/protocol/schema.ts';

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', minLength: 40, maxLength: 200 }) },
);
const safe = fc.maxSafeInteger();

const PRIMITIVES: Record<Primitive, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int64: safe,
  int64Rounded: fc.oneof(safe, fc.constantFrom(2 ** 60, -(2 ** 60), -(2 ** 63))),
  int64Opaque: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double(),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  string: text,
  bytes: fc.uint8Array({ maxLength: 40 }),
  records: fc.uint8Array({ maxLength: 200 }),
};

export function arbitraryMessage(table: Table, version: number): fc.Arbitrary<Record<string, unknown>> {
  return structOf(table.fields, version, true);
}

function structOf(fields: Fields, version: number, isPresent: boolean): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [
        name,
        isPresent && hasField(field, version) ? present(field, version) : fc.constant(initial(field)),
      ]),
    ),
  );
}

function present(field: Field<unknown>, version: number): fc.Arbitrary<unknown> {
  const value = notNull(field, version);
  const orDefault = field.tag === undefined ? value : fc.oneof(value, fc.constant(initial(field)));
  return isNullable(field, version) ? fc.option(orDefault, { nil: null }) : orDefault;
}

function notNull(field: Field<unknown>, version: number): fc.Arbitrary<unknown> {
  if (field.kind === 'primitive') return PRIMITIVES[field.primitive ?? 'bytes'];
  if (field.kind === 'struct') return structOf(field.fields ?? {}, version, true);
  return fc.array(field.element === undefined ? structOf(field.fields ?? {}, version, true) : PRIMITIVES[field.element], { maxLength: 3 });
}

function initial(field: Field<unknown>): unknown {
  if (field.kind === 'array') return field.default === null ? null : [];
  if (field.default !== undefined) return field.default;
  return Object.fromEntries(Object.entries(field.fields ?? {}).map(([name, inner]) => [name, initial(inner)]));
}
