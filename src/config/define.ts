// How one option is written down: a row with its name, type, default, bounds and what it means.
// Invariant: the text of a value is kept beside the value, since 2^63-1 does not fit into a number and a client must see its digits.
// Pure. Not where options are looked up or put in order: that is broker-config.ts and topic-config.ts.

/** Kafka's names of the value types. */
export type OptionType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD';

/** Whether a broker's option may change while it runs: never, for one broker, or for the whole cluster too. */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide';

/** What a value means, for the reference: a plain number, bytes or a duration have the same type and different units. */
type OptionUnit = 'none' | 'bytes' | 'ms';

/** A row. `parse` and `format` turn text into a value and the value into the text that clients are shown. */
export interface Option<T> {
  readonly name: string;
  readonly type: OptionType;
  readonly unit: OptionUnit;
  /** Null where the option has no value unless somebody gives one. */
  readonly defaultText: string | null;
  /** Apache Kafka's default where ours is another; what it is there and why stands in `doc`. */
  readonly kafkaDefault: string | null | undefined;
  /** What is accepted, in words. */
  readonly allowed: string;
  readonly update: UpdateMode;
  readonly isSensitive: boolean;
  /** Left out of listings unless it was set (Kafka's `internal.` options). */
  readonly isInternal: boolean;
  /** What it lacks, after its name and "is known but": 'has no effect yet', or which part has none. Null where it does what `doc` says. */
  readonly noEffectYet: string | null;
  readonly doc: string;
  /** Throws ConfigError. */
  parse(text: string): T;
  /** The canonical text of an accepted text: trimmed, with the type's own way of writing it. */
  canonical(text: string): string;
}

/** A value that was refused: `key`, what was `given` and, in `message`, what is allowed. Messages are worded as Apache Kafka words them. */
export class ConfigError extends Error {
  readonly key: string;
  readonly given: string | null;

  constructor(message: string, key: string, given: string | null = null) {
    super(message);
    this.name = 'ConfigError';
    this.key = key;
    this.given = given;
  }
}

export interface OptionSpec<D extends string | number | null> {
  readonly default: D;
  readonly doc: string;
  readonly update?: UpdateMode;
  readonly kafkaDefault?: string | null;
  readonly isSensitive?: boolean;
  readonly isInternal?: boolean;
  /** True where it has no effect at all, otherwise which part of it has none: told at the start to whoever sets it, and in the reference. */
  readonly noEffectYet?: true | string;
}

interface NumberSpec<D extends string | number | null> extends OptionSpec<D> {
  readonly type?: 'INT' | 'SHORT' | 'LONG';
  readonly min?: number;
  readonly max?: number;
  /** One value outside the bounds that is accepted too. */
  readonly orElse?: number;
}

/** A value, or null where the default is null and nobody gave one. */
type Value<T, D> = T | (D extends null ? null : never);

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** The values of a set of rows, under the names that the code uses. */
export type ValuesOf<Rows> = { readonly [K in keyof Rows]: ValueOf<Rows[K]> };

/** The value of a text; null stands for "no value", which a row whose default is null has in its type. Throws ConfigError. */
export function readText<T>(row: Option<T>, text: string | null): T {
  return text === null ? (null as T) : row.parse(text);
}

/** The values of all `rows`, each got by `read`. */
export function readRows<Rows extends Readonly<Record<string, Option<unknown>>>>(
  rows: Rows,
  read: (row: Option<unknown>, key: keyof Rows) => unknown,
): ValuesOf<Rows> {
  // The keys and types are those of `rows`, which Object.fromEntries cannot tell.
  return Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, read(row, key)])) as ValuesOf<Rows>;
}

function invalid(name: string, given: string, reason: string): ConfigError {
  return new ConfigError(`Invalid value ${given} for configuration ${name}: ${reason}`, name, given);
}

interface Parts<T> {
  readonly type: OptionType;
  readonly unit?: OptionUnit;
  readonly allowed: string;
  parse(text: string): T;
  format(value: T, text: string): string;
}

function option<T, D extends string | number | null>(name: string, spec: OptionSpec<D>, parts: Parts<T>): Option<Value<T, D>> {
  return {
    name,
    type: parts.type,
    unit: parts.unit ?? 'none',
    defaultText: spec.default === null ? null : String(spec.default),
    kafkaDefault: spec.kafkaDefault,
    allowed: parts.allowed,
    update: spec.update ?? 'read-only',
    isSensitive: spec.isSensitive ?? false,
    isInternal: spec.isInternal ?? false,
    noEffectYet: spec.noEffectYet === true ? 'has no effect yet' : (spec.noEffectYet ?? null),
    doc: spec.doc,
    parse: parts.parse,
    canonical: (text) => parts.format(parts.parse(text), text),
  };
}

const INTEGER = /^[+-]?\d+$/;
const INTEGER_BITS = { SHORT: 16n, INT: 32n, LONG: 64n } as const;

/** The exact integer of a text, or null where the text is not one that fits into the type. */
function parseInteger(text: string, type: 'INT' | 'SHORT' | 'LONG'): bigint | null {
  const trimmed = text.trim();
  if (!INTEGER.test(trimmed)) return null;
  const value = BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed);
  const limit = 1n << (INTEGER_BITS[type] - 1n);
  return value >= -limit && value < limit ? value : null;
}

/** The nearest safe number: beyond 2^53 every limit and duration means "never". */
function toSafeNumber(value: bigint): number {
  const number = Number(value);
  if (number > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  return number < -Number.MAX_SAFE_INTEGER ? -Number.MAX_SAFE_INTEGER : number;
}

/** Why a number is outside its bounds, in Kafka's words; null where it is inside. */
function outOfBounds(value: number, spec: NumberSpec<string | number | null>): string | null {
  const { min, max, orElse } = spec;
  if (orElse !== undefined) {
    if (value === orElse || ((min === undefined || value >= min) && (max === undefined || value <= max))) return null;
    return `Value must be between ${min} and ${max} or equal to ${orElse}`;
  }
  if (min !== undefined && value < min) return `Value must be at least ${min}`;
  if (max !== undefined && value > max) return `Value must be no more than ${max}`;
  return null;
}

function describeBounds(spec: NumberSpec<string | number | null>): string {
  const { min, max, orElse } = spec;
  const range =
    min === undefined ? (max === undefined ? 'any' : `at most ${max}`) : max === undefined ? `at least ${min}` : `${min} to ${max}`;
  return orElse === undefined ? range : `${range}, or ${orElse}`;
}

function integer<D extends string | number | null>(
  name: string,
  spec: NumberSpec<D>,
  type: 'INT' | 'SHORT' | 'LONG',
  unit: OptionUnit,
): Option<Value<number, D>> {
  return option<number, D>(name, spec, {
    type,
    unit,
    allowed: describeBounds(spec),
    parse(text) {
      const exact = parseInteger(text, type);
      if (exact === null) throw invalid(name, text, `Not a number of type ${type}`);
      const reason = outOfBounds(Number(exact), spec);
      if (reason !== null) throw invalid(name, String(exact), reason);
      return toSafeNumber(exact);
    },
    format: (_value, text) => String(parseInteger(text, type)),
  });
}

/** A number of things. INT unless told otherwise. */
export function count<D extends string | number | null>(name: string, spec: NumberSpec<D>): Option<Value<number, D>> {
  return integer(name, spec, spec.type ?? 'INT', 'none');
}

/** A size in bytes. INT unless told otherwise. */
export function bytes<D extends string | number | null>(name: string, spec: NumberSpec<D>): Option<Value<number, D>> {
  return integer(name, spec, spec.type ?? 'INT', 'bytes');
}

/** A duration in milliseconds. LONG unless told otherwise; a value beyond 2^53-1 becomes 2^53-1. */
export function durationMs<D extends string | number | null>(name: string, spec: NumberSpec<D>): Option<Value<number, D>> {
  return integer(name, spec, spec.type ?? 'LONG', 'ms');
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?$/;

/** A decimal number, written the way Java writes a double. */
export function ratio<D extends string | number | null>(name: string, spec: NumberSpec<D>): Option<Value<number, D>> {
  return option<number, D>(name, spec, {
    type: 'DOUBLE',
    allowed: describeBounds(spec),
    parse(text) {
      const trimmed = text.trim();
      if (!DECIMAL.test(trimmed)) throw invalid(name, text, 'Not a number of type DOUBLE');
      const value = Number(trimmed.replace(/[fFdD]$/, ''));
      const reason = outOfBounds(value, spec);
      if (reason !== null) throw invalid(name, formatDouble(value), reason);
      return value;
    },
    format: (value) => formatDouble(value),
  });
}

/** A double in Java's notation: 1 is "1.0", from 10^7 and below 10^-3 with an exponent. */
function formatDouble(value: number): string {
  if (!Number.isFinite(value) || value === 0) return Number.isFinite(value) ? '0.0' : String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const plain = String(value);
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

export function boolean<D extends string | null>(name: string, spec: OptionSpec<D>): Option<Value<boolean, D>> {
  return option<boolean, D>(name, spec, {
    type: 'BOOLEAN',
    allowed: 'true, false',
    parse(text) {
      const lower = text.trim().toLowerCase();
      if (lower === 'true') return true;
      if (lower === 'false') return false;
      throw invalid(name, text, 'Expected value to be either true or false');
    },
    format: String,
  });
}

interface StringSpec<D extends string | null> extends OptionSpec<D> {
  readonly type?: 'STRING' | 'CLASS' | 'PASSWORD';
  /** The reason why a text is refused, or null. */
  readonly check?: (text: string) => string | null;
  readonly allowed?: string;
}

export function string<D extends string | null>(name: string, spec: StringSpec<D>): Option<Value<string, D>> {
  return option<string, D>(name, spec, {
    type: spec.type ?? 'STRING',
    allowed: spec.allowed ?? 'any text',
    parse(text) {
      const trimmed = text.trim();
      const reason = spec.check?.(trimmed) ?? null;
      if (reason !== null) throw invalid(name, trimmed, reason);
      return trimmed;
    },
    format: (value) => value,
  });
}

/** One of a few words. */
export function oneOf<const W extends string, D extends W>(
  name: string,
  spec: OptionSpec<D> & { readonly words: readonly W[]; readonly ignoresCase?: boolean },
): Option<Value<W, D>> {
  return option<W, D>(name, spec, {
    type: 'STRING',
    allowed: spec.words.join(', '),
    parse(text) {
      const trimmed = text.trim();
      const word = spec.words.find((each) => (spec.ignoresCase ? each.toLowerCase() === trimmed.toLowerCase() : each === trimmed));
      if (word === undefined) throw invalid(name, trimmed, `String must be one of: ${spec.words.join(', ')}`);
      return word;
    },
    format: (value, text) => (spec.ignoresCase ? text.trim() : value),
  });
}

interface ListSpec<D extends string | null> extends OptionSpec<D> {
  /** The words that may stand in it; any where left out. */
  readonly words?: readonly string[];
  readonly isNonEmpty?: boolean;
  /** What stands twice is kept twice, where it is left as it came. */
  readonly keepsRepeats?: boolean;
  /** Another condition on the items: the reason why they are refused, or null. */
  readonly check?: (items: readonly string[]) => string | null;
  readonly allowed?: string;
}

/** Words with commas between them, each once. */
export function list<D extends string | null>(name: string, spec: ListSpec<D>): Option<Value<readonly string[], D>> {
  return option<readonly string[], D>(name, spec, {
    type: 'LIST',
    allowed: spec.allowed ?? (spec.words === undefined ? 'a list, with commas' : `a list of: ${spec.words.join(', ')}`),
    parse(text) {
      const trimmed = text.trim();
      const items = trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim());
      if (items.includes('')) throw new ConfigError(`Configuration '${name}' values must not be empty.`, name, text);
      if (spec.isNonEmpty && items.length === 0)
        throw new ConfigError(`Configuration '${name}' must not be empty. Valid values include: any non-empty value`, name, text);
      const stranger = spec.words === undefined ? undefined : items.find((item) => spec.words?.includes(item) === false);
      if (stranger !== undefined) throw invalid(name, stranger, `String must be one of: ${spec.words?.join(', ')}`);
      const reason = spec.check?.(items) ?? null;
      if (reason !== null) throw invalid(name, `[${items.join(', ')}]`, reason);
      return spec.keepsRepeats ? items : [...new Set(items)];
    },
    format: (items) => items.join(','),
  });
}
