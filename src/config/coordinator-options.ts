// The options of the group coordinator: classic groups, consumer groups (KIP-848), committed offsets.
// Pure. What becomes of them: src/groups/group-config.ts. Those of the topic that it writes: internal-topic-options.ts.
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/units.ts';
import { bytes, count, durationMs, list, type Option, oneOf } from './define.ts';

const INT_MAX = 2 ** 31 - 1;

/** Durations of groups are INT in Kafka, and those of classic groups have no bounds there. */
function duration(name: string, defaultMs: number, min: number | null, doc: string): Option<number> {
  return durationMs(name, { type: 'INT', default: defaultMs, ...(min === null ? {} : { min }), doc });
}

export const coordinatorOptions = {
  groupMinSessionTimeoutMs: duration(
    'group.min.session.timeout.ms',
    6 * SECOND_MS,
    null,
    'The shortest session timeout that a classic member may ask for.',
  ),
  groupMaxSessionTimeoutMs: duration(
    'group.max.session.timeout.ms',
    30 * MINUTE_MS,
    null,
    'The longest session timeout that a classic member may ask for.',
  ),
  groupInitialRebalanceDelayMs: duration(
    'group.initial.rebalance.delay.ms',
    3 * SECOND_MS,
    null,
    'How long a new classic group waits for more members.',
  ),
  groupMaxSize: count('group.max.size', { default: INT_MAX, min: 1, doc: 'The most members of a classic group.' }),
  groupConsumerSessionTimeoutMs: duration(
    'group.consumer.session.timeout.ms',
    45 * SECOND_MS,
    1,
    'After how long a silent member leaves its consumer group.',
  ),
  groupConsumerMinSessionTimeoutMs: duration(
    'group.consumer.min.session.timeout.ms',
    45 * SECOND_MS,
    1,
    'Lower bound of a group’s own session timeout.',
  ),
  groupConsumerMaxSessionTimeoutMs: duration(
    'group.consumer.max.session.timeout.ms',
    MINUTE_MS,
    1,
    'Upper bound of a group’s own session timeout.',
  ),
  groupConsumerHeartbeatIntervalMs: duration(
    'group.consumer.heartbeat.interval.ms',
    5 * SECOND_MS,
    1,
    'How often members of a consumer group report.',
  ),
  groupConsumerMinHeartbeatIntervalMs: duration(
    'group.consumer.min.heartbeat.interval.ms',
    5 * SECOND_MS,
    1,
    'Lower bound of a group’s own heartbeat interval.',
  ),
  groupConsumerMaxHeartbeatIntervalMs: duration(
    'group.consumer.max.heartbeat.interval.ms',
    15 * SECOND_MS,
    1,
    'Upper bound of a group’s own heartbeat interval.',
  ),
  groupConsumerMaxSize: count('group.consumer.max.size', { default: INT_MAX, min: 1, doc: 'The most members of a consumer group.' }),
  groupConsumerAssignors: list('group.consumer.assignors', {
    default: 'uniform,range',
    isNonEmpty: true,
    words: ['uniform', 'range'],
    doc: 'Assignors of consumer groups, the first one by default. Kafka takes Java classes besides.',
  }),
  groupConsumerMigrationPolicy: oneOf('group.consumer.migration.policy', {
    default: 'bidirectional',
    words: ['bidirectional', 'upgrade', 'downgrade', 'disabled'],
    ignoresCase: true,
    doc: 'Which way groups may change between the classic and the consumer protocol.',
  }),
  groupConsumerRegexRefreshIntervalMs: durationMs('group.consumer.regex.refresh.interval.ms', {
    type: 'INT',
    default: 10 * MINUTE_MS,
    min: 10 * SECOND_MS,
    isInternal: true,
    doc: 'How often a subscription by pattern is looked up again.',
  }),
  groupConsumerAssignmentIntervalMs: durationMs('group.consumer.assignment.interval.ms', {
    type: 'INT',
    default: SECOND_MS,
    min: 0,
    update: 'cluster-wide',
    doc: 'Pause between two assignments of a consumer group.',
  }),
  offsetMetadataMaxBytes: bytes('offset.metadata.max.bytes', {
    default: 4096,
    doc: 'The most bytes of a note beside a committed offset.',
  }),
  offsetsRetentionMinutes: count('offsets.retention.minutes', {
    default: (7 * 24 * HOUR_MS) / MINUTE_MS,
    min: 1,
    doc: 'How long the offsets of an empty group are kept, in minutes.',
  }),
  offsetsRetentionCheckIntervalMs: durationMs('offsets.retention.check.interval.ms', {
    default: 10 * MINUTE_MS,
    min: 1,
    doc: 'How often expired offsets are looked for.',
  }),
};
