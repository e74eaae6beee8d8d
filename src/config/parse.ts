// Where options come from: a properties file, NARU_… variables, key=value on the command line, the program around an embedded broker. The later
// one wins.
// Pure. Not the meaning of the values: that is broker-config.ts.
import { ConfigError } from './define.ts';

/** Who gave a value, for messages. */
type Origin = 'file' | 'environment' | 'command line' | 'startBroker';

export interface GivenValue {
  readonly text: string;
  readonly origin: Origin;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Reads a Java properties file: comments with # and !, `=`, `:` or blanks between key and value, \ at the end of a line, escapes. */
export function parseProperties(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const [key, rest] = splitKey(line);
    values.set(unescapeText(key), unescapeText(rest));
  }
  return values;
}

/** Lines without comments and blank ones; a line that ends in an odd number of backslashes goes on in the next one. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let pending: string | null = null;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '');
    if (pending === null && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const joined: string = (pending ?? '') + line;
    if (/(^|[^\\])(\\\\)*\\$/.test(line)) {
      pending = joined.slice(0, -1);
    } else {
      lines.push(joined);
      pending = null;
    }
  }
  if (pending !== null) lines.push(pending);
  return lines;
}

function splitKey(line: string): [string, string] {
  let end = 0;
  while (end < line.length && !'=: \t\f'.includes(line.charAt(end))) end += line[end] === '\\' ? 2 : 1;
  const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(end))?.[0] ?? '';
  return [line.slice(0, end), line.slice(end + separator.length)];
}

function unescapeText(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([\s\S]?))/g, (_whole, unicode: string | undefined, letter: string | undefined) =>
    unicode === undefined ? (ESCAPES[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(unicode, 16)),
  );
}

/** Variables that the tests and tools of the repository read, and prefixes of such: no options, and no mistakes of whoever has them set. */
const RESERVED_VARIABLES: ReadonlySet<string> = new Set(['NARU_KAFKA_SPEC', 'NARU_PEERS', 'NARU_SEEDS']);
const RESERVED_PREFIXES = ['NARU_TEST_', 'NARU_INTEROP_', 'NARU_FUZZ_', 'NARU_SIM_', 'NARU_PROPERTY_', 'NARU_BENCH_'] as const;

function isReserved(variable: string): boolean {
  return RESERVED_VARIABLES.has(variable) || RESERVED_PREFIXES.some((prefix) => variable.startsWith(prefix));
}

/** NARU_LOG_SEGMENT_BYTES is log.segment.bytes; NARU_WORKERS is naru.workers. */
function variableOf(name: string): string {
  return `NARU_${name
    .replace(/^naru\./, '')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

/** The options among a process's variables, and the names of NARU_ variables that are none. */
export function parseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  names: Iterable<string>,
): { readonly values: Map<string, string>; readonly unknown: readonly string[] } {
  const given = Object.entries(environment).filter(([variable]) => variable.startsWith('NARU_') && !isReserved(variable));
  const values = new Map<string, string>();
  const unknown: string[] = [];
  // The names of some hundred options are spelled as variables only where there is a variable to look for.
  const nameOf = new Map(given.length === 0 ? [] : [...names].map((name) => [variableOf(name), name]));
  for (const [variable, text] of given) {
    const name = nameOf.get(variable);
    if (name === undefined) unknown.push(variable);
    else if (text !== undefined) values.set(name, text);
  }
  return { values, unknown };
}

/** `key=value` of --override. Throws ConfigError. */
export function parseOverride(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new ConfigError(`--override takes key=value; "${text}" was given`, text);
  return [text.slice(0, equals).trim(), text.slice(equals + 1)];
}

export interface ConfigSources {
  /** The text of a server.properties file. */
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For placeholders (config-providers.ts): the text of a file, or null where it cannot be read. */
  readonly readFile?: (path: string) => string | null;
  /** In the order of the command line: the last one of a key wins. */
  readonly overrides?: readonly (readonly [string, string])[];
  /** What a program gives to startBroker of src/embedded. */
  readonly settings?: readonly (readonly [string, string])[];
}

/** All values given, the strongest of each key, and what nobody knows. */
export function gatherValues(
  sources: ConfigSources,
  names: Iterable<string>,
): { readonly given: Map<string, GivenValue>; readonly unknownVariables: readonly string[] } {
  const given = new Map<string, GivenValue>();
  for (const [key, text] of parseProperties(sources.file ?? '')) given.set(key, { text, origin: 'file' });
  const { values, unknown } = parseEnvironment(sources.environment ?? {}, names);
  for (const [key, text] of values) given.set(key, { text, origin: 'environment' });
  for (const [key, text] of sources.overrides ?? []) given.set(key, { text, origin: 'command line' });
  for (const [key, text] of sources.settings ?? []) given.set(key, { text, origin: 'startBroker' });
  return { given, unknownVariables: unknown };
}
