// Limits of connections that are more than one value: those of single addresses, and those of single listeners.
// Pure.
import { brokerOptions } from './broker-options.ts';
import { ConfigError } from './define.ts';
import type { GivenValue } from './parse.ts';

const OVERRIDES = 'max.connections.per.ip.overrides';
const HOST = /^[0-9A-Za-z.:_%-]+$/;
const LISTENER_LIMIT = /^listener\.name\.[a-z0-9_]+\.max\.connections$/;

/** Whether this is an option of a single listener that has an effect. */
export function isListenerOption(name: string): boolean {
  return LISTENER_LIMIT.test(name);
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

/** listener.name.NAME.max.connections, the name in lower case; as many as one likes where it is not given. Throws ConfigError. */
export function listenerMaxConnections(listener: string, given: ReadonlyMap<string, GivenValue>): number {
  const name = `listener.name.${listener.toLowerCase()}.max.connections`;
  const text = given.get(name)?.text;
  if (text === undefined) return Number(brokerOptions.maxConnections.defaultText);
  try {
    return brokerOptions.maxConnections.parse(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${name}: ${error.message} (allowed: ${brokerOptions.maxConnections.allowed})`, name, text);
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
