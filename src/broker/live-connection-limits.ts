// The limits of connections as the configuration has them now, for the main thread, which lets connections in.
// Runs on: worker 0, which tells them whenever one of them is changed.
import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerOptions } from '../config/broker-options.ts';
import { parseAddressLimits } from '../config/connection-options.ts';
import type { Option } from '../config/define.ts';
import type { LiveOptions } from './live-options.ts';
import type { LiveConnectionLimits } from './worker-data.ts';

const { maxConnections, maxConnectionsPerIp, maxConnectionsPerIpOverrides } = brokerOptions;

/** Calls `tell` with all limits after each change; what was given at the start is known to whoever hears it. */
export function watchConnectionLimits(options: LiveOptions, config: BrokerConfig, tell: (limits: LiveConnectionLimits) => void): void {
  const ofListeners = config.listeners.map(({ name }): Option<number | null> => {
    return { ...maxConnections, name: `listener.name.${name.toLowerCase()}.max.connections` };
  });
  options.watch([maxConnections, maxConnectionsPerIp, maxConnectionsPerIpOverrides, ...ofListeners], () => {
    const standard = Number(maxConnections.defaultText);
    tell({
      maxConnections: options.valueOf(maxConnections),
      maxConnectionsPerIp: options.valueOf(maxConnectionsPerIp),
      maxConnectionsPerIpOverrides: parseAddressLimits(options.valueOf(maxConnectionsPerIpOverrides)),
      listenerMaxConnections: ofListeners.map((row) => options.valueOf(row) ?? standard),
    });
  });
}
