// Which addresses a node listens on, which of them clients are told, and which one brokers use among themselves.
// Invariant: no listener speaks anything but PLAINTEXT, and every name that is given stands for one.
// Pure. Rules and their order are Apache Kafka's, but for what stands in docs/listeners.md.
import type { BrokerOptionValues } from './broker-options.ts';
import { ConfigError } from './define.ts';
import { type Listener, parseListeners, parseProtocolMap } from './listeners.ts';

export interface ListenerConfig {
  /** Where clients are listened to; at least one. */
  readonly listeners: readonly Listener[];
  /** Where other controllers are listened to: the listeners named in controller.listener.names. */
  readonly controllerListeners: readonly Listener[];
  /** What clients are told, one for each of `listeners` or fewer. A port of 0 stands for the one that the listener got, an empty host for the machine's name. */
  readonly advertisedListeners: readonly Listener[];
  readonly interBrokerListenerName: string;
}

const PLAINTEXT = 'PLAINTEXT';
const MAP = 'listener.security.protocol.map';

/** `isGiven`: whether an option was given, whatever its value. Throws ConfigError. */
export function resolveListeners(values: BrokerOptionValues, isGiven: (option: string) => boolean): ListenerConfig {
  const protocols = parseProtocolMap(values.listenerSecurityProtocolMap);
  const controllerNames = new Set(values.controllerListenerNames.map((name) => name.toUpperCase()));
  // Who gives a map has to name the controllers' listeners there, too.
  if (!isGiven(MAP)) for (const name of controllerNames) if (!protocols.has(name)) protocols.set(name, PLAINTEXT);
  const all = parseListeners('listeners', values.listeners, protocols);
  const given = values.listeners.join(',');
  const secured = all.find((each) => each.securityProtocol !== PLAINTEXT);
  if (secured !== undefined) {
    const { name, securityProtocol } = secured;
    throw new ConfigError(
      `listeners: ${name} speaks ${securityProtocol}, which is not served yet (allowed: PLAINTEXT)`,
      'listeners',
      given,
    );
  }
  for (const name of controllerNames) {
    if (all.some((each) => each.name === name)) continue;
    const key = 'controller.listener.names';
    throw new ConfigError(`${key}: ${name} is no name of listeners (${namesOf(all)})`, key, values.controllerListenerNames.join(','));
  }
  const listeners = all.filter((each) => !controllerNames.has(each.name));
  if (listeners.length === 0) {
    throw new ConfigError(
      'listeners: at least one listener must serve clients; all of them stand in controller.listener.names',
      'listeners',
    );
  }
  const advertisedListeners = resolveAdvertised(values, listeners, controllerNames, protocols);
  return {
    listeners,
    controllerListeners: all.filter((each) => controllerNames.has(each.name)),
    advertisedListeners,
    interBrokerListenerName: betweenBrokers(values, advertisedListeners, protocols, isGiven),
  };
}

function resolveAdvertised(
  values: BrokerOptionValues,
  listeners: readonly Listener[],
  controllerNames: ReadonlySet<string>,
  protocols: Parameters<typeof parseListeners>[2],
): Listener[] {
  const key = 'advertised.listeners';
  if (values.advertisedListeners === null) {
    // 0.0.0.0 and :: are nowhere to connect to: the broker puts the machine's name in their place.
    return listeners.map((each) => (isNowhere(each.host) ? { ...each, host: '' } : each));
  }
  const given = values.advertisedListeners.join(',');
  const advertised = parseListeners(key, values.advertisedListeners, protocols).filter((each) => !controllerNames.has(each.name));
  for (const each of advertised) {
    if (!listeners.some((listener) => listener.name === each.name)) {
      throw new ConfigError(`${key}: ${each.name} is no name of listeners (${namesOf(listeners)})`, key, given);
    }
    if (isNowhere(each.host)) throw new ConfigError(`${key}: no client can connect to ${each.host}`, key, given);
  }
  if (advertised.length === 0) throw new ConfigError(`${key}: at least one listener must be advertised`, key, given);
  return advertised;
}

/** The listener that brokers use: named, or of the protocol that is given or the default, or the only one. */
function betweenBrokers(
  values: BrokerOptionValues,
  advertised: readonly Listener[],
  protocols: Parameters<typeof parseListeners>[2],
  isGiven: (option: string) => boolean,
): string {
  const key = 'inter.broker.listener.name';
  const other = 'security.inter.broker.protocol';
  const name = values.interBrokerListenerName?.toUpperCase();
  if (name !== undefined) {
    if (isGiven(other)) throw new ConfigError(`Only one of ${key} and ${other} should be set.`, key, name);
    if (!protocols.has(name)) throw new ConfigError(`${key}=${name} is not named in ${MAP}`, key, name);
    if (advertised.some((each) => each.name === name)) return name;
    throw new ConfigError(`${key}=${name} is none of the advertised listeners (${namesOf(advertised)})`, key, name);
  }
  const [first] = advertised;
  if (advertised.some((each) => each.name === PLAINTEXT)) return PLAINTEXT;
  if (first !== undefined && advertised.length === 1 && !isGiven(other)) return first.name;
  throw new ConfigError(`${key} is left out, and none of the advertised listeners (${namesOf(advertised)}) is called ${PLAINTEXT}`, key);
}

function isNowhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function namesOf(listeners: readonly Listener[]): string {
  return listeners.map(({ name }) => name).join(', ');
}
