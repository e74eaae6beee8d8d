// Writes the JavaScript of a codec: for each struct of a message the functions sizeN, encodeN and decodeN, with all decisions about
// versions, nullability and flexibility taken. Fields of fixed size that follow each other share one bounds check (fixed-types.ts).
// Pure. Its input is our own tables, never a peer's bytes. What the code calls by name is given by compile.ts.
import { assert } from '../base/assert.ts';
import { FIXED, FixedRun, fixedOf } from './fixed-types.ts';
import { type Field, type Fields, hasField, isNullable, isTagged, type Primitive, type Table } from './schema.ts';

/** What a field adds to the size of its struct: bytes that are always there, and code that adds the rest to `n`. */
interface Size {
  readonly fixedBytes: number;
  readonly code: string;
}

type NamedField = readonly [name: string, field: Field<unknown>];

/** The body of a function that returns the codec of `table` at `version`. */
export function codecSource(table: Table, version: number): string {
  const source = new CodecSource(table, version);
  const root = source.struct(table.fields, '');
  return `${source.text}return { isFlexible: ${source.isFlexible}, size: size${root}, encode: encode${root}, decode: decode${root} };`;
}

class CodecSource {
  readonly isFlexible: boolean;
  text = "'use strict';\n";
  readonly #table: Table;
  readonly #version: number;
  readonly #structs = new Map<Fields, number>();
  readonly #defaultChecks = new Map<Fields, string>();

  constructor(table: Table, version: number) {
    this.#table = table;
    this.#version = version;
    this.isFlexible = version >= table.flexibleSince;
  }

  /** Adds sizeN, encodeN and decodeN for a struct and returns N. `path` names it in complaints. */
  struct(fields: Fields, path: string): number {
    const known = this.#structs.get(fields);
    if (known !== undefined) return known;
    const id = this.#structs.size;
    this.#structs.set(fields, id);
    const present: NamedField[] = [];
    const tagged: NamedField[] = [];
    const absent: NamedField[] = [];
    for (const named of Object.entries(fields)) {
      if (isTagged(named[1], this.#version)) tagged.push(named);
      else if (hasField(named[1], this.#version)) present.push(named);
      else absent.push(named);
    }
    tagged.sort(([, a], [, b]) => (a.tag ?? 0) - (b.tag ?? 0));
    const size = this.#sizeBody(present, tagged, absent, path);
    const encode = this.#encodeBody(present, tagged, path);
    const decode = this.#decodeBody(present, tagged, absent, path);
    const result = Object.keys(fields).map((name) => `${name}: f_${name}`);
    this.text += `function size${id}(m) {\n${size}return n;\n}
function encode${id}(m, w) {\nconst b = w.bytes;\n${encode}}
function decode${id}(r) {\nconst b = r.bytes;\n${decode}return { ${result.join(', ')} };\n}\n`;
    return id;
  }

  #sizeBody(present: readonly NamedField[], tagged: readonly NamedField[], absent: readonly NamedField[], path: string): string {
    let fixedBytes = 0;
    let code = '';
    for (const [name, field] of absent) {
      if (field.ignorable === true) continue;
      code += `if (${this.#isGiven(field, `m.${name}`)}) refuse(${this.#complaint(`${path}${name}`, 'is not in this version')});\n`;
    }
    for (const [name, field] of present) {
      const size = this.#size(field, `m.${name}`, `${path}${name}`);
      fixedBytes += size.fixedBytes;
      code += size.code;
    }
    if (this.isFlexible && tagged.length === 0) fixedBytes += 1;
    if (tagged.length > 0) {
      code += 'let tags = 0;\n';
      for (const [name, field] of tagged) {
        const size = this.#size(field, `m.${name}`, `${path}${name}`);
        code += `if (${this.#isGiven(field, `m.${name}`)}) {\ntags++;\nconst before = n;\nn += ${size.fixedBytes};\n${size.code}`;
        code += `n += ${uvarintBytes(field.tag ?? 0)} + uvarintBytes(n - before);\n}\n`;
      }
      code += 'n += uvarintBytes(tags);\n';
    }
    return `let n = ${fixedBytes};\n${code}`;
  }

  #encodeBody(present: readonly NamedField[], tagged: readonly NamedField[], path: string): string {
    let code = '';
    const run = new FixedRun('w.position', (p) => `w.position = ${p};\n`);
    for (const [name, field] of present) {
      const fixed = fixedOf(field);
      if (fixed !== undefined) run.add(fixed.sizeBytes, (p) => `${fixed.write(p, `m.${name}`)};\n`);
      else code += run.flush() + this.#encode(field, `m.${name}`, `${path}${name}`);
    }
    code += run.flush();
    if (!this.isFlexible) return code;
    if (tagged.length === 0) return `${code}w.uvarint(0);\n`;
    code += 'let tags = 0;\n';
    for (const [name, field] of tagged) code += `if (${this.#isGiven(field, `m.${name}`)}) tags++;\n`;
    code += 'w.uvarint(tags);\n';
    for (const [name, field] of tagged) {
      const size = this.#size(field, `m.${name}`, `${path}${name}`);
      code += `if (${this.#isGiven(field, `m.${name}`)}) {\nlet n = ${size.fixedBytes};\n${size.code}`;
      code += `w.uvarint(${field.tag});\nw.uvarint(n);\n${this.#encode(field, `m.${name}`, `${path}${name}`)}}\n`;
    }
    return code;
  }

  #decodeBody(present: readonly NamedField[], tagged: readonly NamedField[], absent: readonly NamedField[], path: string): string {
    let code = '';
    const run = new FixedRun('', () => '');
    for (const [name, field] of present) {
      const fixed = fixedOf(field);
      if (fixed !== undefined) run.add(fixed.sizeBytes, (p) => `const f_${name} = ${fixed.read(p)};\n`);
      else
        code += `${run.flush((sizeBytes) => `r.take(${sizeBytes})`)}let f_${name};\n${this.#decode(field, `f_${name}`, `${path}${name}`)}`;
    }
    code += run.flush((sizeBytes) => `r.take(${sizeBytes})`);
    for (const [name, field] of absent) code += `const f_${name} = ${this.#default(field)};\n`;
    for (const [name, field] of tagged) code += `let f_${name} = ${this.#default(field)};\n`;
    if (!this.isFlexible) return code;
    if (tagged.length === 0) return `${code}r.skipTags();\n`;
    code += 'for (let left = r.uvarint(); left > 0; left--) {\nconst tag = r.uvarint();\nconst end = r.uvarint() + r.position;\n';
    code += 'if (end > r.limit) r.take(end - r.position);\nswitch (tag) {\n';
    for (const [name, field] of tagged) {
      code += `case ${field.tag}: {\n${this.#decode(field, `f_${name}`, `${path}${name}`)}break;\n}\n`;
    }
    return `${code}default: r.position = end;\n}\nif (r.position !== end) failTag(tag, end, r);\n}\n`;
  }

  #size(field: Field<unknown>, value: string, path: string): Size {
    const mayBeNull = isNullable(field, this.#version);
    let refusal = '';
    if (!mayBeNull && field.nullableSince !== undefined) {
      refusal = `if (${value} === null) refuse(${this.#complaint(path, 'may not be null in this version')});\n`;
    }
    if (field.kind === 'struct') {
      const ofStruct = `size${this.struct(field.fields ?? {}, `${path}.`)}(${value})`;
      if (!mayBeNull) return { fixedBytes: 0, code: `${refusal}n += ${ofStruct};\n` };
      return { fixedBytes: 1, code: `if (${value} !== null) n += ${ofStruct};\n` };
    }
    const fixed = fixedOf(field);
    if (fixed !== undefined) return { fixedBytes: fixed.sizeBytes, code: '' };
    const notNull = field.kind === 'array' ? this.#sizeList(field, value, path) : this.#sizePiece(field.primitive, value);
    if (!mayBeNull) return { fixedBytes: notNull.fixedBytes, code: refusal + notNull.code };
    const ofNull = this.#nullBytes(field);
    const more = `n += ${notNull.fixedBytes - ofNull};\n${notNull.code}`;
    return { fixedBytes: ofNull, code: `if (${value} !== null) {\n${more}}\n` };
  }

  #sizePiece(type: Primitive | undefined, value: string): Size {
    if (type === 'string')
      return { fixedBytes: 0, code: `n += ${this.isFlexible ? 'compactStringBytes' : 'stringBytes'}(${this.#text(value)});\n` };
    const bytes = type === 'records' ? `(${value}.gapBytes ?? ${value}.length)` : `${value}.length`;
    if (this.isFlexible) return { fixedBytes: 0, code: `n += uvarintBytes(${value}.length + 1) + ${bytes};\n` };
    return { fixedBytes: 4, code: `n += ${bytes};\n` };
  }

  #sizeList(field: Field<unknown>, value: string, path: string): Size {
    const ofCount = this.isFlexible ? `n += uvarintBytes(${value}.length + 1);\n` : '';
    const fixedBytes = this.isFlexible ? 0 : 4;
    const fixed = field.element === undefined ? undefined : FIXED[field.element];
    if (fixed !== undefined) return { fixedBytes, code: `${ofCount}n += ${value}.length * ${fixed.sizeBytes};\n` };
    if (field.fields !== undefined) {
      const ofItem = `n += size${this.struct(field.fields, `${path}.`)}(item);\n`;
      return { fixedBytes, code: `${ofCount}for (const item of ${value}) ${ofItem}` };
    }
    const ofItem = this.#sizePiece(field.element, 'item');
    return { fixedBytes, code: `${ofCount}for (const item of ${value}) {\nn += ${ofItem.fixedBytes};\n${ofItem.code}}\n` };
  }

  #encode(field: Field<unknown>, value: string, path: string): string {
    const mayBeNull = isNullable(field, this.#version);
    if (field.kind === 'struct') {
      const ofStruct = `encode${this.struct(field.fields ?? {}, `${path}.`)}(${value}, w);\n`;
      if (!mayBeNull) return ofStruct;
      return `if (${value} === null) ${isTagged(field, this.#version) ? 'w.uvarint(0)' : 'w.int8(-1)'};\nelse {\nw.int8(1);\n${ofStruct}}\n`;
    }
    const fixed = fixedOf(field);
    if (fixed !== undefined) return `w.${field.primitive}(${value});\n`;
    const notNull = field.kind === 'array' ? this.#encodeList(field, value, path) : this.#encodePiece(field.primitive, value);
    if (!mayBeNull) return notNull;
    const ofNull = this.isFlexible ? 'w.uvarint(0)' : field.primitive === 'string' ? 'w.int16(-1)' : 'w.int32(-1)';
    return `if (${value} === null) ${ofNull};\nelse {\n${notNull}}\n`;
  }

  #encodePiece(type: Primitive | undefined, value: string): string {
    if (type === 'string') return `w.${this.isFlexible ? 'compactString' : 'string'}(${this.#text(value)});\n`;
    const ofLength = this.isFlexible ? `w.uvarint(${value}.length + 1);\n` : `w.int32(${value}.length);\n`;
    if (type !== 'records') return `${ofLength}w.raw(${value});\n`;
    return `${ofLength}if (ArrayBuffer.isView(${value})) w.raw(${value});
else {\n${value}.position = w.position;\nw.position += ${value}.gapBytes ?? ${value}.length;\n}\n`;
  }

  #encodeList(field: Field<unknown>, value: string, path: string): string {
    const ofCount = this.isFlexible ? `w.uvarint(${value}.length + 1);\n` : `w.int32(${value}.length);\n`;
    let ofItem: string;
    if (field.fields !== undefined) ofItem = `encode${this.struct(field.fields, `${path}.`)}(item, w);\n`;
    else if (field.element !== undefined && FIXED[field.element] !== undefined) ofItem = `w.${field.element}(item);\n`;
    else ofItem = `{\n${this.#encodePiece(field.element, 'item')}}\n`;
    return `${ofCount}for (const item of ${value}) ${ofItem}`;
  }

  /** Code that reads a field into the variable `target`. */
  #decode(field: Field<unknown>, target: string, path: string): string {
    const mayBeNull = isNullable(field, this.#version);
    if (field.kind === 'struct') {
      const ofStruct = `decode${this.struct(field.fields ?? {}, `${path}.`)}(r)`;
      if (!mayBeNull) return `${target} = ${ofStruct};\n`;
      // Whether there is one is an int8, 1 or −1, but in a tagged field a varint, 1 or 0.
      const isNull = isTagged(field, this.#version) ? 'r.uvarint() === 0' : 'r.int8() < 0';
      return `${target} = ${isNull} ? null : ${ofStruct};\n`;
    }
    if (field.kind === 'array') return this.#decodeList(field, target, path, mayBeNull);
    return this.#decodePrimitive(field.primitive, target, mayBeNull);
  }

  #decodePrimitive(type: Primitive | undefined, target: string, mayBeNull: boolean): string {
    if (type !== undefined && FIXED[type] !== undefined) return `${target} = r.${type}();\n`;
    if (type === 'string') {
      const method = mayBeNull ? 'NullableString' : 'String';
      return `${target} = r.${this.isFlexible ? `compact${method}` : `${method[0]?.toLowerCase()}${method.slice(1)}`}();\n`;
    }
    const length = this.isFlexible ? 'r.uvarint() - 1' : 'r.int32()';
    const notNull = type === 'records' ? '{ position: r.take(length), length }' : 'r.copyBytes(length)';
    return `{\nconst length = ${length};\n${target} = ${mayBeNull ? 'length === -1 ? null : ' : ''}${notNull};\n}\n`;
  }

  #decodeList(field: Field<unknown>, target: string, path: string, mayBeNull: boolean): string {
    const count = this.isFlexible ? 'r.uvarint() - 1' : 'r.int32()';
    const fixed = field.element === undefined ? undefined : FIXED[field.element];
    let code: string;
    if (fixed !== undefined) {
      code = `let p = r.take(r.count(count, ${fixed.sizeBytes}) * ${fixed.sizeBytes});
const list = listFor(count);
for (let i = 0; i < count; i++, p += ${fixed.sizeBytes}) list[i] = ${fixed.read('p')};\n`;
    } else {
      const itemBytesMin =
        field.fields === undefined
          ? this.#nullBytes({ kind: 'primitive', primitive: field.element ?? 'bytes' })
          : this.#structBytesMin(field.fields);
      const item =
        field.fields === undefined
          ? `{\nlet item;\n${this.#decodePrimitive(field.element, 'item', false)}list[i] = item;\n}\n`
          : `list[i] = decode${this.struct(field.fields, `${path}.`)}(r);\n`;
      code = `r.count(count, ${Math.max(1, itemBytesMin)});\nconst list = listFor(count);\nfor (let i = 0; i < count; i++) ${item}`;
    }
    const notNull = `${code}${target} = list;\n`;
    return `{\nconst count = ${count};\n${mayBeNull ? `if (count === -1) ${target} = null;\nelse {\n${notNull}}\n` : notNull}}\n`;
  }

  /** The fewest bytes that a struct can take: what an announced element count is held against. */
  #structBytesMin(fields: Fields): number {
    let sum = this.isFlexible ? 1 : 0;
    for (const field of Object.values(fields)) {
      if (!hasField(field, this.#version) || isTagged(field, this.#version)) continue;
      const fixed = fixedOf(field);
      if (fixed !== undefined) sum += fixed.sizeBytes;
      else if (field.kind !== 'struct') sum += this.#nullBytes(field);
      else sum += isNullable(field, this.#version) ? 1 : this.#structBytesMin(field.fields ?? {});
    }
    return sum;
  }

  /** Size of a null, or empty, string, array or piece of bytes. */
  #nullBytes(field: Field<unknown>): number {
    return this.isFlexible ? 1 : field.primitive === 'string' ? 2 : 4;
  }

  /** A response's text often repeats a peer's, with words around it: what does not fit is cut. Elsewhere too much text is our mistake. */
  #text(value: string): string {
    return this.#table.type === 'response' ? `fittingText(${value})` : value;
  }

  #complaint(path: string, what: string): string {
    return JSON.stringify(`${this.#table.name} ${this.#table.type} version ${this.#version}: ${path} ${what}`);
  }

  /** An expression of the field's default, new for each use where it could be changed. */
  #default(field: Field<unknown>): string {
    const value = field.default;
    if (typeof value === 'bigint') return `${value}n`;
    if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      return JSON.stringify(value);
    if (field.kind === 'array') return '[]';
    if (field.kind === 'primitive') return 'NO_BYTES';
    return `{ ${Object.entries(field.fields ?? {})
      .map(([name, inner]) => `${name}: ${this.#default(inner)}`)
      .join(', ')} }`;
  }

  /** Whether the value is other than the field's default, as an expression. */
  #isGiven(field: Field<unknown>, value: string): string {
    const initial = field.default;
    if (initial === null || (field.kind === 'primitive' && typeof initial !== 'object')) return `${value} !== ${this.#default(field)}`;
    const orNull = field.nullableSince === undefined ? '' : `${value} === null || `;
    if (field.kind !== 'struct') return `(${orNull}${value}.length !== 0)`;
    return `(${orNull}${this.#defaultCheck(field.fields ?? {})}(${value}))`;
  }

  /** The name of a function that tells whether any field of a struct is other than its default. */
  #defaultCheck(fields: Fields): string {
    const known = this.#defaultChecks.get(fields);
    if (known !== undefined) return known;
    const name = `isGiven${this.#defaultChecks.size}`;
    this.#defaultChecks.set(fields, name);
    const checks = Object.entries(fields).map(([inner, field]) => this.#isGiven(field, `m.${inner}`));
    this.text += `function ${name}(m) {\nreturn ${checks.join(' || ')};\n}\n`;
    return name;
  }
}

function uvarintBytes(value: number): number {
  assert(value < 0x80, `tag ${value} takes more than a byte`);
  return 1;
}
