// Limits of connections that are more than one value: those of single addresses, and those of single listeners.
// Pure.
import { brokerOptions } from './broker-options.ts';
import { ConfigError, type Option } from './define.ts';
import { listenerBaseName, listenerOptionName } from './listener-option-names.ts';
import type { GivenValue } from './parse.ts';

const OVERRIDES = 'max.connections.per.ip.overrides';
const HOST = /^[0-9A-Za-z.:_%-]+$/;
/** What may be said for a listener alone. */
const LISTENER_LIMITS: ReadonlySet<string> = new Set([brokerOptions.maxConnections.name, brokerOptions.maxConnectionCreationRate.name]);

/**
 * Why an option of a single listener does nothing, after its name; null where it does what it says.
 * @param names what listeners are called, in any case
 */
export function listenerOptionFault(name: string, names: readonly string[]): string | null {
  const base = listenerBaseName(name);
  if (!LISTENER_LIMITS.has(base)) return 'has no effect: it cannot be set for one listener alone';
  if (names.some((listener) => listenerOptionName(listener, base) === name)) return null;
  return `has no effect: no listener has that name in lower case (${names.map((listener) => listener.toLowerCase()).join(', ')})`;
}

/** `host:count,…` as a map. Throws ConfigError. */
export function parseAddressLimits(text: string): Map<string, number> {
  const limits = new Map<string, number>();
  for (const pair of text.split(',').map((each) => each.trim())) {
    if (pair === '') continue;
    const colon = pair.lastIndexOf(':'); // IPv6 addresses have more of them.
    const host = pair.slice(0, Math.max(0, colon)).trim();
    const count = pair.slice(colon + 1).trim();
    if (!HOST.test(host))
      throw new ConfigError(`${OVERRIDES} contains invalid addresses : ${host} (allowed: host:count, with commas)`, OVERRIDES, text);
    if (!/^\d{1,9}$/.test(count))
      throw new ConfigError(`${OVERRIDES}: "${pair}" has no count (allowed: host:count, with commas)`, OVERRIDES, text);
    limits.set(host, Number(count));
  }
  return limits;
}

/** The option of a listener alone, or its default where it is not given, whatever is given for all of them. Throws ConfigError. */
export function listenerLimit(listener: string, row: Option<number>, given: ReadonlyMap<string, GivenValue>): number {
  const name = listenerOptionName(listener, row.name);
  const text = given.get(name)?.text;
  if (text === undefined) return Number(row.defaultText);
  try {
    return row.parse(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${name}: ${error.message} (allowed: ${row.allowed})`, name, text);
  }
}

/** Throws ConfigError where nobody could connect. */
export function refuseBadConnectionLimits(limits: {
  readonly maxConnectionsPerIp: number;
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
}): void {
  if (limits.maxConnectionsPerIp > 0 || limits.maxConnectionsPerIpOverrides.size > 0) return;
  const key = 'max.connections.per.ip';
  throw new ConfigError(`${key} can be set to zero only if ${OVERRIDES} property is set.`, key, '0');
}
