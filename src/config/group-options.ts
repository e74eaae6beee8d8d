// What a single group may have of its own instead of what the broker gives all groups, and what a subscription to clients' metrics says.
// Invariant: names, types and defaults are Kafka's (test/golden/answers/configs.json).
// Pure. What a group's may be beside the broker's: group-rules.ts. What a subscription may say: client-metrics-rules.ts.
import { MINUTE_MS } from '../base/units.ts';
import { boolean, count, durationMs, list, type Option, oneOf, string } from './define.ts';

/** Days, hours, minutes and seconds of ISO 8601, at least one of them; none is negative. */
const BY_DURATION = /^by_duration:P(?=\d|T\d)(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d{0,9})?S)?)?$/i;

const AUTO_OFFSET_RESET = 'latest, earliest or by_duration:<ISO 8601>';

/** An option of a group, with the broker's option that stands behind it; null where none does. */
interface GroupOption {
  readonly row: Option<unknown>;
  readonly brokerName: string | null;
}

function same(row: Option<unknown>): GroupOption {
  return { row, brokerName: `group.${row.name}` };
}

function own(row: Option<unknown>): GroupOption {
  return { row, brokerName: null };
}

function interval(name: string, defaultMs: number, min: number, doc: string): GroupOption {
  return same(durationMs(name, { type: 'INT', default: defaultMs, min, doc }));
}

const ASSIGNMENT = 'Pause between two assignments of the group.';
const HEARTBEAT = 'How often its members report.';
const SESSION = 'After how long a silent member leaves the group.';

export const groupOptions: readonly GroupOption[] = [
  interval('consumer.assignment.interval.ms', 1000, 0, ASSIGNMENT),
  interval('consumer.heartbeat.interval.ms', 5000, 1, HEARTBEAT),
  interval('consumer.session.timeout.ms', 45_000, 1, SESSION),
  interval('share.assignment.interval.ms', 1000, 0, ASSIGNMENT),
  own(
    string('share.auto.offset.reset', {
      default: 'latest',
      allowed: AUTO_OFFSET_RESET,
      check: (text) =>
        text === 'latest' || text === 'earliest' || BY_DURATION.test(text)
          ? null
          : `Invalid value \`${text}\` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`,
      doc: 'Where the group starts in a partition.',
    }),
  ),
  same(count('share.delivery.count.limit', { default: 5, min: 2, doc: 'How often a record is delivered before it is given up.' })),
  interval('share.heartbeat.interval.ms', 5000, 1, HEARTBEAT),
  own(
    oneOf('share.isolation.level', {
      default: 'read_uncommitted',
      words: ['read_committed', 'read_uncommitted'],
      doc: 'Whether records of transactions that are not committed are delivered.',
    }),
  ),
  same(
    count('share.partition.max.record.locks', {
      default: 2000,
      min: 100,
      doc: 'The most records of a partition that the group holds at once.',
    }),
  ),
  interval('share.record.lock.duration.ms', 30_000, 1000, 'How long a consumer may hold a record.'),
  own(boolean('share.renew.acknowledge.enable', { default: 'true', doc: 'Whether a consumer may hold a record for longer by asking.' })),
  interval('share.session.timeout.ms', 45_000, 1, SESSION),
  interval('streams.assignment.interval.ms', 1000, 0, ASSIGNMENT),
  interval('streams.heartbeat.interval.ms', 5000, 1, HEARTBEAT),
  interval('streams.initial.rebalance.delay.ms', 3000, 0, 'How long a new group waits for more members.'),
  same(count('streams.num.standby.replicas', { default: 0, min: 0, doc: 'Standbys of each task.' })),
  interval('streams.session.timeout.ms', 45_000, 1, SESSION),
];

export const clientMetricsOptions: readonly Option<unknown>[] = [
  durationMs('interval.ms', {
    type: 'INT',
    default: 5 * MINUTE_MS,
    doc: 'How often clients push their metrics: 100 to 3600000.',
  }),
  list('match', { default: '', doc: 'Which clients are asked, as a list of selector=pattern; all of them where it is empty.' }),
  list('metrics', { default: '', doc: 'Beginnings of the metrics that are wanted; none where it is empty, all where it is *.' }),
];
