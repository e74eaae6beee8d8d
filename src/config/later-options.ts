// The options that Apache Kafka knows and that have no effect here yet: listed with their defaults, accepted with a warning.
// Invariant: no name stands here and in broker-options.ts.
// Pure.
import type { Option } from './define.ts';
import { clusterRows } from './later/cluster.ts';
import { coordinatorsRows } from './later/coordinators.ts';
import { laterOption } from './later/row.ts';
import { runtimeRows } from './later/runtime.ts';
import { securityRows } from './later/security.ts';
import { storageRows } from './later/storage.ts';

/** Those that stand in no file of options, by name. */
export const runtimeOptionsByName: ReadonlyMap<string, Option<unknown>> = new Map(runtimeRows.map((row) => [row.name, row]));

/** The rows by name. */
export const laterOptionsByName: ReadonlyMap<string, Option<unknown>> = new Map(
  [...clusterRows, ...storageRows, ...coordinatorsRows, ...securityRows].map((row) => [row[0], laterOption(row)]),
);
