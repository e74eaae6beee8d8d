// The configuration of an embedded broker: what its caller gives, over defaults that suit a test.
// Invariant: nothing else has a part in it, no file and no variable of the process: a test is what it says. (NARU_NATIVE=off is no option's value:
// it switches native calls off for the whole process, src/native/load.ts.)
// Pure.
import { type ResolvedBrokerConfig, resolveBrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';

/** A value as a program writes it; left out where it is undefined. */
export type Setting = string | number | boolean | undefined;

/** Where they are other than those of `naru start`; docs/embedded.md has them with their reasons. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'naru.workers': '0',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
};

/** Options that say where the data lies. */
const DIRECTORY_KEYS = ['log.dirs', 'log.dir'] as const;

export interface GivenSettings {
  readonly config: Readonly<Record<string, Setting>>;
  /** Undefined: a free one of the default listener, or those of `listeners`. */
  readonly port: number | undefined;
  readonly directory: string;
  /** Lines go to the caller's own logger, which has a level of its own. */
  readonly hasLogger: boolean;
}

/** The key that says where the data lies, where there is one. */
export function directoryKey(config: Readonly<Record<string, Setting>>): string | null {
  return DIRECTORY_KEYS.find((key) => config[key] !== undefined) ?? null;
}

/** Throws ConfigError. */
export function resolveSettings({ config, port, directory, hasLogger }: GivenSettings): ResolvedBrokerConfig {
  const settings = new Map(Object.entries({ ...DEFAULTS, 'naru.log.level': hasLogger ? 'info' : 'warn' }));
  for (const [key, value] of Object.entries(config)) {
    if (value !== undefined) settings.set(key, textOf(key, value));
  }
  settings.set('log.dirs', directory);
  const wanted = port ?? (settings.has('listeners') ? undefined : 0);
  return resolveBrokerConfig({ settings: [...settings], ...(wanted === undefined ? {} : { port: wanted }), coreCount: 1 });
}

function textOf(key: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  const given = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
  throw new ConfigError(`${key}: ${given} was given (allowed: a string, a number or a boolean)`, key);
}
