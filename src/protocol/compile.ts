// Turns (table, version) into straight code: three functions, size, encode and decode, made once per version with all decisions
// about versions, nullability and flexibility taken. A generated decoder reads fields in wire order into one object literal.
// Invariant: encode writes exactly size() bytes; decode allocates no more than a constant times the bytes it was given.
// Pure. Generated source comes from our own tables only, never from a peer.
import { assert } from '../base/assert.ts';
import type { ByteReader } from '../base/byte-reader.ts';
import { DecodeError } from '../base/byte-reader.ts';
import { type ByteWriter, compactStringBytes, utf8Bytes, uvarintBytes } from '../base/byte-writer.ts';
import { type Field, type Fields, hasField, isNullable, isTagged, type MessageOf, type Primitive, type Table } from './schema.ts';

export interface Codec<T> {
  readonly isFlexible: boolean;
  size(message: T): number;
  /** Writes at the writer's position. Throws AssertionError where the version cannot carry a value that the table does not call ignorable. */
  encode(message: T, writer: ByteWriter): void;
  /** Throws DecodeError. Unknown tagged fields are skipped. */
  decode(reader: ByteReader): T;
}

const compiled = new WeakMap<Table, Map<number, Codec<unknown>>>();

/** The codec of a table at one version; compiled at first use. */
export function codec<T extends Table>(table: T, version: number): Codec<MessageOf<T>> {
  let versions = compiled.get(table);
  if (versions === undefined) {
    versions = new Map();
    compiled.set(table, versions);
  }
  let found = versions.get(version);
  if (found === undefined) {
    const [first, last] = table.versions;
    assert(version >= first && version <= last, `${table.name} has versions ${first} to ${last}, not ${version}`);
    found = compile(table, version);
    versions.set(version, found);
  }
  return found as Codec<MessageOf<T>>;
}

const FIXED_BYTES: Partial<Record<Primitive, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  int64Rounded: 8,
  float64: 8,
  uuid: 16,
};

/** The value of a field that a version lacks or a peer left out; new for each use where it could be changed. */
export function defaultOf(field: Field<unknown>): unknown {
  if (field.default !== undefined) return Array.isArray(field.default) ? [...field.default] : field.default;
  return field.kind === 'array' ? [] : defaultsOf(field.fields ?? {});
}

function defaultsOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultOf(field)]));
}

function isDefault(field: Field<unknown>, value: unknown): boolean {
  if (field.kind === 'array')
    return Array.isArray(value) ? value.length === 0 && Array.isArray(defaultOf(field)) : value === defaultOf(field);
  if (field.kind === 'struct') {
    if (value === null || value === undefined || field.default === null) return value === field.default;
    return Object.entries(field.fields ?? {}).every(([name, inner]) => isDefault(inner, (value as Record<string, unknown>)[name]));
  }
  if (value instanceof Uint8Array) return value.length === 0 && field.default instanceof Uint8Array;
  return value === field.default;
}

/** What the generated code may call. */
const helpers = { assert, DecodeError, utf8Bytes, uvarintBytes, compactStringBytes, defaultOf, isDefault };

function compile(table: Table, version: number): Codec<unknown> {
  const generator = new Generator(version, version >= table.flexibleSince, table.name);
  const root = generator.struct(table.fields);
  const source = `'use strict';
const { assert, DecodeError, utf8Bytes, uvarintBytes, compactStringBytes, defaultOf, isDefault } = helpers;
${generator.source}
return { isFlexible: ${generator.isFlexible}, size: size${root}, encode: encode${root}, decode: decode${root} };`;
  return new Function('helpers', 'fields', source)(helpers, generator.constants) as Codec<unknown>;
}

class Generator {
  readonly isFlexible: boolean;
  /** Fields that the code refers to, by index. */
  readonly constants: Field<unknown>[] = [];
  source = '';
  readonly #version: number;
  readonly #name: string;
  readonly #structs = new Map<Fields, number>();
  #structCount = 0;

  constructor(version: number, isFlexible: boolean, name: string) {
    this.#version = version;
    this.isFlexible = isFlexible;
    this.#name = name;
  }

  /** Adds sizeN, encodeN and decodeN for a struct and returns N. */
  struct(fields: Fields): number {
    const known = this.#structs.get(fields);
    if (known !== undefined) return known;
    const id = this.#structCount++;
    this.#structs.set(fields, id);
    const size: string[] = [];
    const encode: string[] = [];
    const decode: string[] = [];
    const tags: [string, Field<unknown>][] = [];
    for (const [name, field] of Object.entries(fields)) {
      if (isTagged(field, this.#version)) {
        tags.push([name, field]);
        decode.push(`let f_${name} = ${this.#default(field)};`);
      } else if (hasField(field, this.#version)) {
        size.push(this.#size(field, `m.${name}`));
        encode.push(this.#encode(field, `m.${name}`));
        decode.push(`const f_${name} = ${this.#decode(field)};`);
      } else {
        decode.push(`const f_${name} = ${this.#default(field)};`);
        if (field.ignorable !== true) {
          const at = this.#constant(field);
          encode.push(
            `assert(m.${name} === undefined || isDefault(fields[${at}], m.${name}), ${JSON.stringify(`${this.#name} v${this.#version} has no field ${name}`)});`,
          );
        }
      }
    }
    if (this.isFlexible) this.#tags(tags, size, encode, decode);
    const names = Object.keys(fields).map((name) => `${name}: f_${name}`);
    this.source += `function size${id}(m) { let n = 0; ${size.join(' ')} return n; }
function encode${id}(m, w) { ${encode.join(' ')} }
function decode${id}(r) { ${decode.join(' ')} return { ${names.join(', ')} }; }
`;
    return id;
  }

  #tags(tags: [string, Field<unknown>][], size: string[], encode: string[], decode: string[]): void {
    if (tags.length === 0) {
      size.push('n += 1;');
      encode.push('w.uvarint(0);');
      decode.push('r.skipTags();');
      return;
    }
    tags.sort(([, a], [, b]) => (a.tag ?? 0) - (b.tag ?? 0));
    const count = (name: string, field: Field<unknown>): string =>
      `(m.${name} !== undefined && !isDefault(fields[${this.#constant(field)}], m.${name}))`;
    size.push('let tags = 0;');
    encode.push('let tags = 0;');
    const writes: string[] = [];
    const cases: string[] = [];
    for (const [name, field] of tags) {
      const isSent = count(name, field);
      const inner = this.#size(field, `m.${name}`);
      size.push(`if (${isSent}) { tags++; const before = n; ${inner} n += uvarintBytes(${field.tag}) + uvarintBytes(n - before); }`);
      encode.push(`if ${isSent} tags++;`);
      writes.push(`if ${isSent} { let n = 0; ${inner} w.uvarint(${field.tag}); w.uvarint(n); ${this.#encode(field, `m.${name}`)} }`);
      cases.push(`case ${field.tag}: f_${name} = ${this.#decode(field)}; break;`);
    }
    size.push('n += uvarintBytes(tags);');
    encode.push('w.uvarint(tags);', ...writes);
    decode.push(
      `for (let left = r.uvarint(); left > 0; left--) { const tag = r.uvarint(); const length = r.uvarint(); const end = r.position + length;
if (end > r.limit) throw new DecodeError('a tagged field that is longer than its message');
switch (tag) { ${cases.join(' ')} default: r.take(length); }
if (r.position !== end) throw new DecodeError('tagged field ' + tag + ' is not as long as it says'); }`,
    );
  }

  #constant(field: Field<unknown>): number {
    const known = this.constants.indexOf(field);
    return known >= 0 ? known : this.constants.push(field) - 1;
  }

  #default(field: Field<unknown>): string {
    const value = field.default;
    if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      return JSON.stringify(value);
    return `defaultOf(fields[${this.#constant(field)}])`;
  }

  #size(field: Field<unknown>, value: string): string {
    const mayBeNull = isNullable(field, this.#version);
    if (field.kind === 'primitive') return this.#sizePrimitive(field.primitive as Primitive, value, mayBeNull);
    if (field.kind === 'struct') {
      const id = this.struct(field.fields ?? {});
      return mayBeNull ? `n += 1; if (${value} !== null) n += size${id}(${value});` : `n += size${id}(${value});`;
    }
    const header = this.isFlexible ? `n += uvarintBytes(list.length + 1);` : 'n += 4;';
    const ofNull = this.isFlexible ? 'n += 1;' : 'n += 4;';
    let items: string;
    if (field.element !== undefined) {
      const fixed = FIXED_BYTES[field.element];
      items =
        fixed === undefined
          ? `for (let i = 0; i < list.length; i++) { const item = list[i]; ${this.#sizePrimitive(field.element, 'item', false)} }`
          : `n += list.length * ${fixed};`;
    } else items = `for (let i = 0; i < list.length; i++) n += size${this.struct(field.fields ?? {})}(list[i]);`;
    const body = `{ const list = ${value}; ${header} ${items} }`;
    return mayBeNull ? `if (${value} === null) { ${ofNull} } else ${body}` : body;
  }

  #sizePrimitive(type: Primitive, value: string, mayBeNull: boolean): string {
    const fixed = FIXED_BYTES[type];
    if (fixed !== undefined) return `n += ${fixed};`;
    let notNull: string;
    if (type === 'string') notNull = this.isFlexible ? `n += compactStringBytes(${value});` : `n += 2 + utf8Bytes(${value});`;
    else notNull = this.isFlexible ? `n += uvarintBytes(${value}.length + 1) + ${value}.length;` : `n += 4 + ${value}.length;`;
    if (!mayBeNull) return notNull;
    const ofNull = this.isFlexible ? 1 : type === 'string' ? 2 : 4;
    return `if (${value} === null) n += ${ofNull}; else { ${notNull} }`;
  }

  #encode(field: Field<unknown>, value: string): string {
    const mayBeNull = isNullable(field, this.#version);
    if (field.kind === 'primitive') return this.#encodePrimitive(field.primitive as Primitive, value, mayBeNull);
    if (field.kind === 'struct') {
      const id = this.struct(field.fields ?? {});
      return mayBeNull ? `if (${value} === null) w.int8(-1); else { w.int8(1); encode${id}(${value}, w); }` : `encode${id}(${value}, w);`;
    }
    const header = this.isFlexible ? 'w.uvarint(list.length + 1);' : 'w.int32(list.length);';
    const ofNull = this.isFlexible ? 'w.uvarint(0);' : 'w.int32(-1);';
    const item =
      field.element !== undefined
        ? this.#encodePrimitive(field.element, 'list[i]', false)
        : `encode${this.struct(field.fields ?? {})}(list[i], w);`;
    const body = `{ const list = ${value}; ${header} for (let i = 0; i < list.length; i++) { ${item} } }`;
    return mayBeNull ? `if (${value} === null) { ${ofNull} } else ${body}` : body;
  }

  #encodePrimitive(type: Primitive, value: string, mayBeNull: boolean): string {
    if (FIXED_BYTES[type] !== undefined) return `w.${type}(${value});`;
    if (type === 'string') {
      const method = mayBeNull
        ? this.isFlexible
          ? 'compactNullableString'
          : 'nullableString'
        : this.isFlexible
          ? 'compactString'
          : 'string';
      return `w.${method}(${value});`;
    }
    const length = this.isFlexible ? `w.uvarint(${value}.length + 1);` : `w.int32(${value}.length);`;
    const body =
      type === 'records'
        ? `if (${value} instanceof Uint8Array) w.raw(${value}); else { ${value}.position = w.position; w.position += ${value}.length; }`
        : `w.raw(${value});`;
    const ofNull = this.isFlexible ? 'w.uvarint(0);' : 'w.int32(-1);';
    return mayBeNull ? `if (${value} === null) { ${ofNull} } else { ${length} ${body} }` : `${length} ${body}`;
  }

  #decode(field: Field<unknown>): string {
    const mayBeNull = isNullable(field, this.#version);
    if (field.kind === 'primitive') return this.#decodePrimitive(field.primitive as Primitive, mayBeNull);
    if (field.kind === 'struct') {
      const id = this.struct(field.fields ?? {});
      return mayBeNull ? `r.int8() < 0 ? null : decode${id}(r)` : `decode${id}(r)`;
    }
    const count = this.isFlexible ? 'r.uvarint() - 1' : 'r.int32()';
    let itemBytesMin: number;
    let item: string;
    if (field.element !== undefined) {
      itemBytesMin = this.#primitiveBytesMin(field.element);
      item = this.#decodePrimitive(field.element, false);
    } else {
      itemBytesMin = Math.max(1, this.#structBytesMin(field.fields ?? {}));
      item = `decode${this.struct(field.fields ?? {})}(r)`;
    }
    const id = this.#structCount++;
    this.source += `function list${id}(r, count) { const list = []; for (let i = 0; i < count; i++) list.push(${item}); return list; }\n`;
    if (!mayBeNull) return `list${id}(r, r.countNotNull(${count}, ${itemBytesMin}))`;
    this.source += `function nullableList${id}(r, count) { return count < 0 ? null : list${id}(r, count); }\n`;
    return `nullableList${id}(r, r.count(${count}, ${itemBytesMin}))`;
  }

  #decodePrimitive(type: Primitive, mayBeNull: boolean): string {
    if (FIXED_BYTES[type] !== undefined) return `r.${type}()`;
    if (type === 'string') {
      if (mayBeNull) return this.isFlexible ? 'r.compactNullableString()' : 'r.nullableString()';
      return this.isFlexible ? 'r.compactString()' : 'r.string()';
    }
    if (type === 'records') {
      const length = this.isFlexible ? 'r.uvarint() - 1' : 'r.int32()';
      return `range(r, ${length}, ${mayBeNull})`.replace('range', this.#range());
    }
    const read = this.isFlexible ? 'r.compactNullableBytes()' : 'r.nullableBytes()';
    return mayBeNull ? read : `r.bytesNotNull(${read})`;
  }

  #rangeName = '';
  #range(): string {
    if (this.#rangeName === '') {
      this.#rangeName = 'recordsRange';
      this.source += `function recordsRange(r, length, mayBeNull) { if (length < 0) { if (mayBeNull && length === -1) return null; throw new DecodeError('records of ' + length + ' bytes'); }
const position = r.take(length); return { position, length }; }\n`;
    }
    return this.#rangeName;
  }

  /** The fewest bytes that a struct can take: what an announced element count is held against. */
  #structBytesMin(fields: Fields): number {
    let sum = this.isFlexible ? 1 : 0;
    for (const field of Object.values(fields)) {
      if (!hasField(field, this.#version) || isTagged(field, this.#version)) continue;
      if (field.kind === 'primitive') sum += this.#primitiveBytesMin(field.primitive as Primitive);
      else if (field.kind === 'array') sum += this.isFlexible ? 1 : 4;
      else sum += isNullable(field, this.#version) ? 1 : this.#structBytesMin(field.fields ?? {});
    }
    return sum;
  }

  #primitiveBytesMin(type: Primitive): number {
    return FIXED_BYTES[type] ?? (this.isFlexible ? 1 : type === 'string' ? 2 : 4);
  }
}
