// Options that Apache Kafka takes on running brokers alone: no file of options has them, and DescribeConfigs tells of them once they are set.
// Pure.
import { bytes, type Option, type OptionSpec } from '../define.ts';

const common = { type: 'LONG', min: 0, isInternal: true, update: 'cluster-wide', noEffectYet: true } as const;

function rate(name: string, doc: OptionSpec<null>['doc']): Option<unknown> {
  return bytes(name, { ...common, default: null, doc });
}

export const runtimeRows: readonly Option<unknown>[] = [
  rate('leader.replication.throttled.rate', 'The most bytes a second that throttled replicas are served.'),
  rate('follower.replication.throttled.rate', 'The most bytes a second that throttled replicas copy.'),
  rate('replica.alter.log.dirs.io.max.bytes.per.second', 'The most bytes a second that moves between data directories copy.'),
];
