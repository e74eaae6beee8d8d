// Placeholders in option values (KIP-297, KIP-421): `${provider:key}` and `${provider:path:key}`, for the providers that config.providers
// names. Environment variables, keys of properties files and whole files are there, by the names of Apache Kafka's classes.
// Invariants: without a provider every value stays as it is; what a provider does not find stays as it is written, and is told.
// Pure: who hands in `Outside` reads the files.
import { ConfigError } from './define.ts';
import { type GivenValue, parseProperties } from './parse.ts';

/** What providers may look at. */
export interface Outside {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The text of a file; null where it cannot be read. */
  readonly readFile?: (path: string) => string | null;
}

/** What stands at a path under a key; null: nothing, or it may not be told. Throws ConfigError. */
type Provider = (path: string, key: string) => string | null;

/** The parameters of a provider, `config.providers.NAME.param.…`, by their last part. */
interface Parameters {
  nameOf(part: string): string;
  textOf(part: string): string | undefined;
}

const LIST = 'config.providers';
const PACKAGE = 'org.apache.kafka.common.config.provider.';
/** Provider, path and key, cut where Apache Kafka cuts them. */
const PLACEHOLDER = /\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}/g;

const MAKERS: Readonly<Record<string, (parameters: Parameters, outside: Outside) => Provider>> = {
  [`${PACKAGE}EnvVarConfigProvider`]: (parameters, { environment = {} }) => {
    const part = 'allowlist.pattern';
    const allowed = pattern(parameters.nameOf(part), parameters.textOf(part));
    return (path, key) => {
      if (path !== '') throw new ConfigError(`${LIST}: a variable of the environment has no path, and "${path}" was given`, LIST, path);
      return allowed.test(key) ? (environment[key] ?? null) : null;
    };
  },
  [`${PACKAGE}FileConfigProvider`]: (parameters, { readFile }) => {
    const mayTell = within(parameters.textOf('allowed.paths'));
    return (path, key) => {
      if (path === '' || !mayTell(path)) return null;
      const text = readFile?.(path) ?? null;
      if (text === null) throw new ConfigError(`${LIST}: the file ${path} cannot be read`, LIST, path);
      return parseProperties(text).get(key) ?? null;
    };
  },
  [`${PACKAGE}DirectoryConfigProvider`]: (parameters, { readFile }) => {
    const mayTell = within(parameters.textOf('allowed.paths'));
    return (path, key) => (path === '' || key.includes('/') || !mayTell(path) ? null : (readFile?.(`${path}/${key}`) ?? null));
  },
};

/** The values with what their placeholders stand for, and what should be told of them. Throws ConfigError. */
export function fillPlaceholders(
  given: ReadonlyMap<string, GivenValue>,
  outside: Outside,
): { readonly given: Map<string, GivenValue>; readonly warnings: readonly string[] } {
  const providers = makeProviders(given, outside);
  if (providers.size === 0) return { given: new Map(given), warnings: [] };
  const warnings: string[] = [];
  const filled = new Map<string, GivenValue>();
  for (const [name, { text, origin }] of given) {
    const whole = text.replace(PLACEHOLDER, (placeholder, provider: string, path: string | undefined, key: string) => {
      const found = providers.get(provider)?.(path ?? '', key) ?? null;
      if (found === null) warnings.push(`${name}: ${placeholder} stands for nothing, and is taken as it is written (${origin})`);
      return found ?? placeholder;
    });
    filled.set(name, { text: whole, origin });
  }
  return { given: filled, warnings };
}

/** Whether an option says something to one of the providers that config.providers names. */
export function isOfProvider(name: string, given: ReadonlyMap<string, GivenValue>): boolean {
  return namesOf(given).some((each) => name === `${LIST}.${each}.class` || name.startsWith(`${LIST}.${each}.param.`));
}

function makeProviders(given: ReadonlyMap<string, GivenValue>, outside: Outside): Map<string, Provider> {
  const providers = new Map<string, Provider>();
  for (const name of namesOf(given)) {
    const key = `${LIST}.${name}.class`;
    const kind = given.get(key)?.text.trim();
    if (kind === undefined) continue;
    const make = Object.hasOwn(MAKERS, kind) ? MAKERS[kind] : undefined;
    if (make === undefined)
      throw new ConfigError(`${key}=${kind} is none that is there (allowed: ${Object.keys(MAKERS).join(', ')})`, key, kind);
    const nameOf = (part: string): string => `${LIST}.${name}.param.${part}`;
    providers.set(name, make({ nameOf, textOf: (part) => given.get(nameOf(part))?.text }, outside));
  }
  return providers;
}

function namesOf(given: ReadonlyMap<string, GivenValue>): string[] {
  const text = given.get(LIST)?.text ?? '';
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function pattern(name: string, text = '.*'): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new ConfigError(`${name}: "${text}" is no regular expression`, name, text);
  }
}

/** Whether a path lies in one of those listed; every path does where none is. */
function within(listed: string | undefined): (path: string) => boolean {
  if (listed === undefined || listed === '') return () => true;
  const folders = listed.split(',').map(normal);
  return (path) => folders.some((folder) => normal(path) === folder || normal(path).startsWith(`${folder === '/' ? '' : folder}/`));
}

/** An absolute path without `.` and `..`. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`;
}
