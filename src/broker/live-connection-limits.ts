// The limits of connections as the configuration has them now, for the main thread, which lets connections in.
// Runs on: worker 0, which tells them whenever one of them is changed.
import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerOptions } from '../config/broker-options.ts';
import { parseAddressLimits } from '../config/connection-options.ts';
import type { Option } from '../config/define.ts';
import { listenerOptionName } from '../config/listener-option-names.ts';
import type { LiveOptions } from './live-options.ts';
import type { LiveConnectionLimits } from './worker-data.ts';

const { maxConnections, maxConnectionCreationRate, maxConnectionsPerIp, maxConnectionsPerIpOverrides } = brokerOptions;

/** Calls `tell` with all limits after each change; what was given at the start is known to whoever hears it. */
export function watchConnectionLimits(options: LiveOptions, config: BrokerConfig, tell: (limits: LiveConnectionLimits) => void): void {
  const ofListeners = (row: Option<number>): Option<number | null>[] =>
    config.listeners.map((listener) => ({ ...row, name: listenerOptionName(listener.name, row.name) }));
  const connections = ofListeners(maxConnections);
  const rates = ofListeners(maxConnectionCreationRate);
  const valuesOf = (rows: readonly Option<number | null>[]): number[] => rows.map((row) => options.valueOf(row) ?? Number(row.defaultText));
  const rows = [maxConnections, maxConnectionCreationRate, maxConnectionsPerIp, maxConnectionsPerIpOverrides];
  options.watch([...rows, ...connections, ...rates], () => {
    tell({
      maxConnections: options.valueOf(maxConnections),
      listenerMaxConnections: valuesOf(connections),
      maxConnectionCreationRate: options.valueOf(maxConnectionCreationRate),
      listenerMaxConnectionCreationRate: valuesOf(rates),
      maxConnectionsPerIp: options.valueOf(maxConnectionsPerIp),
      maxConnectionsPerIpOverrides: parseAddressLimits(options.valueOf(maxConnectionsPerIpOverrides)),
    });
  });
}
