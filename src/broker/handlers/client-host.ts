// A peer's address as Kafka prints it in descriptions of groups: Java's InetAddress, "/127.0.0.1" or "/0:0:0:0:0:0:0:1".
// Runs on: the worker of the connection.
import type { ConnectionInfo } from '../../network/connection-info.ts';

const IPV4_IN_IPV6 = '::ffff:';

/** By connection: a member says hello often. */
const hosts = new WeakMap<ConnectionInfo, string>();

export function clientHostOf(connection: ConnectionInfo): string {
  let host = hosts.get(connection);
  if (host === undefined) {
    host = javaAddress(connection.remoteAddress);
    hosts.set(connection, host);
  }
  return host;
}

/** `address` as Node writes it. */
export function javaAddress(address: string): string {
  if (address.startsWith(IPV4_IN_IPV6) && address.includes('.')) return `/${address.slice(IPV4_IN_IPV6.length)}`;
  if (!address.includes(':')) return `/${address}`;
  const [plain = '', zone] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `/${[...before, ...zeros, ...after].join(':')}${zone === undefined ? '' : `%${zone}`}`;
}
