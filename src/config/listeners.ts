// Listener addresses: `NAME://host:port`.
// Pure.
import { ConfigError } from './define.ts';

type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
const SECURITY_PROTOCOLS: readonly SecurityProtocol[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

export interface Listener {
  /** Upper case, as Kafka normalises it. */
  readonly name: string;
  readonly securityProtocol: SecurityProtocol;
  /** Empty is every interface. An IPv6 address stands without its brackets. */
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^([A-Za-z0-9_.-]+):\/\/(?:\[([0-9A-Za-z:.%_-]+)\]|([0-9A-Za-z:.%_-]*)):(\d{1,5})$/;
/** What an address may look like that is no name. */
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/** `NAME:PROTOCOL,…` as a map. Throws ConfigError. */
export function parseProtocolMap(text: string): Map<string, SecurityProtocol> {
  const key = 'listener.security.protocol.map';
  const map = new Map<string, SecurityProtocol>();
  for (const pair of text.split(',')) {
    const [name = '', protocolName = ''] = pair.trim().split(':');
    const protocol = SECURITY_PROTOCOLS.find((each) => each === protocolName.trim().toUpperCase());
    if (name === '' || protocol === undefined) {
      throw new ConfigError(`${key}: "${pair}" is not NAME:PROTOCOL with a protocol of ${SECURITY_PROTOCOLS.join(', ')}`, key, pair);
    }
    map.set(name.trim().toUpperCase(), protocol);
  }
  return map;
}

/** Addresses as listeners; every name once, every port once. Throws ConfigError. */
export function parseListeners(key: string, addresses: readonly string[], protocols: ReadonlyMap<string, SecurityProtocol>): Listener[] {
  const listeners: Listener[] = [];
  for (const address of addresses) {
    const match = ADDRESS.exec(address);
    const port = Number(match?.[4] ?? -1);
    if (match === null || port > 65_535) {
      throw new ConfigError(`${key}: "${address}" is not NAME://host:port with a port of 0 to 65535`, key, address);
    }
    const name = (match[1] ?? '').toUpperCase();
    const securityProtocol = protocols.get(name);
    if (securityProtocol === undefined) {
      throw new ConfigError(
        `${key}: no security protocol is known for the listener ${name}; name it in listener.security.protocol.map`,
        key,
        address,
      );
    }
    const host = match[2] ?? match[3] ?? '';
    if (listeners.some((other) => other.name === name && other.port === port)) {
      throw new ConfigError(`${key}: the listener ${name} stands there twice`, key, addresses.join(','));
    }
    const twin = listeners.find(
      (other) => other.name === name || (key === 'listeners' && port !== 0 && other.port === port && !isPair(other.host, host)),
    );
    if (twin !== undefined) {
      throw new ConfigError(
        `${key}: ${formatListener(twin)} and ${address} have the same ${twin.name === name ? 'name' : 'port'}`,
        key,
        addresses.join(','),
      );
    }
    listeners.push({ name, securityProtocol, host, port });
  }
  return listeners;
}

/** Whether both can be listened on at one port: an IPv4 address and an IPv6 one, as with Apache Kafka. */
function isPair(one: string, other: string): boolean {
  return (IPV4.test(one) && other.includes(':')) || (IPV4.test(other) && one.includes(':'));
}

export interface HttpListener {
  /** Empty is every interface. */
  readonly host: string;
  readonly port: number;
}

const HTTP_ADDRESS = /^http:\/\/(?:\[([0-9A-Fa-f:.%]+)\]|([^:/[\]]*)):(\d{1,5})\/?$/;

/** `http://host:port`. Throws ConfigError. */
export function parseHttpListener(key: string, address: string): HttpListener {
  const match = HTTP_ADDRESS.exec(address);
  const port = Number(match?.[3] ?? -1);
  if (match === null || port > 65_535) {
    throw new ConfigError(`${key}: "${address}" is not http://host:port with a port of 0 to 65535`, key, address);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

/** NAME://host:port, as it is read. */
export function formatListener(listener: Pick<Listener, 'name' | 'host' | 'port'>): string {
  return `${listener.name}://${bracketed(listener.host)}:${listener.port}`;
}

/** http://host:port, as it can be asked. */
export function formatHttpListener({ host, port }: HttpListener): string {
  return `http://${host === '' ? '0.0.0.0' : bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
