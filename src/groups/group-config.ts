// The settings of the group coordinator, as the broker's configuration gives them. Names follow the options.
// Pure (types only).
import type { RegexCompiler } from './subscription-regex.ts';

export interface GroupConfig {
  /** offset.metadata.max.bytes */
  readonly offsetMetadataBytesMax: number;
  /** offsets.retention.minutes, as milliseconds */
  readonly offsetsRetentionMs: number;
  /** offsets.retention.check.interval.ms */
  readonly offsetsRetentionCheckIntervalMs: number;
  /** group.min.session.timeout.ms, group.max.session.timeout.ms: bounds for classic members */
  readonly sessionTimeoutMinMs: number;
  readonly sessionTimeoutMaxMs: number;
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number;
  /** group.max.size */
  readonly classicSizeMax: number;
  readonly consumer: ConsumerGroupConfig;
  /** Compiles what members subscribe with. */
  readonly regexes: RegexCompiler;
  /** A group's own configs (resource type GROUP) by Kafka's names; empty where it has none. */
  ofGroup(groupId: string): ReadonlyMap<string, string>;
}

/** group.consumer.* */
export interface ConsumerGroupConfig {
  readonly sessionTimeoutMs: number;
  readonly sessionTimeoutMinMs: number;
  readonly sessionTimeoutMaxMs: number;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatIntervalMinMs: number;
  readonly heartbeatIntervalMaxMs: number;
  readonly sizeMax: number;
  /** In order of preference; the first is the default. */
  readonly assignors: readonly string[];
  readonly migrationPolicy: 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled';
  readonly regexRefreshIntervalMs: number;
  readonly assignmentIntervalMs: number;
}
