// Messages as tests want to write them: only the fields that matter, the table's defaults for the others.
import type { Field, Fields, MessageOf, Table } from '../../src/protocol/schema.ts';

export type Sparse<T> = T extends Uint8Array | string | number | bigint | boolean | null
  ? T
  : T extends readonly (infer E)[]
    ? readonly Sparse<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Sparse<T[K]> }
      : T;

/** A whole message of `table`. */
export function message<T extends Table>(table: T, partial: Sparse<MessageOf<T>>): MessageOf<T> {
  return fillFields(table.fields, partial as Record<string, unknown>) as MessageOf<T>;
}

function fillFields(fields: Fields, partial: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const name of Object.keys(partial)) if (!(name in fields)) throw new Error(`there is no field ${name}`);
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fillField(field, partial[name])]));
}

function fillField(field: Field<unknown>, value: unknown): unknown {
  if (value === undefined) {
    if (field.kind === 'struct' && field.default === undefined) return fillFields(field.fields ?? {}, {});
    return field.kind === 'array' && Array.isArray(field.default) ? [] : field.default;
  }
  if (value === null || field.kind === 'primitive') return value;
  if (field.kind === 'struct') return fillFields(field.fields ?? {}, value as Record<string, unknown>);
  const { fields } = field;
  return fields === undefined ? value : (value as Record<string, unknown>[]).map((element) => fillFields(fields, element));
}
