// The options that Apache Kafka knows and that have no effect here yet: listed with their defaults, accepted with a warning.
// Invariant: no name stands here and in broker-options.ts.
// Pure.
import type { Option } from './define.ts';
import { clusterRows } from './later/cluster.ts';
import { coordinatorsRows } from './later/coordinators.ts';
import { laterOption } from './later/row.ts';
import { securityRows } from './later/security.ts';
import { storageRows } from './later/storage.ts';

/** The rows by name. */
export const laterOptionsByName: ReadonlyMap<string, Option<unknown>> = new Map(
  [...clusterRows, ...storageRows, ...coordinatorsRows, ...securityRows].map((row) => [row[0], laterOption(row)]),
);
