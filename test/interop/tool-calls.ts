// The calls of Apache Kafka's tools whose printed answers are held against those of Apache Kafka 4.3.1 (tool-answers.test.ts). In this
// order, from a fresh broker: each call finds what those before it left.

const CLASSES = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  features: 'org.apache.kafka.tools.FeatureCommand',
  'broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
  acls: 'org.apache.kafka.tools.AclCommand',
  'replica-verification': 'org.apache.kafka.tools.ReplicaVerificationTool',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'all-groups': 'org.apache.kafka.tools.GroupsCommand',
  'share-groups': 'org.apache.kafka.tools.consumer.group.ShareGroupCommand',
  'leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  reassign: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'client-metrics': 'org.apache.kafka.tools.ClientMetricsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  'delegation-tokens': 'org.apache.kafka.tools.DelegationTokenCommand',
} as const;
type ToolName = keyof typeof CLASSES;

export interface ToolCall {
  /** The tool and its arguments: the call's name in the record. */
  readonly command: string;
  readonly input?: string;
  /** The tool goes on until it is stopped: this it is to print first. */
  readonly until?: string;
}

export interface Places {
  readonly address: string;
  /** The broker's data directory. */
  readonly directory: string;
  /** A directory with the files that calls read, `FILES` by name. */
  readonly files: string;
}

/** The files of offsets that delete-records reads. None names a partition that is not there: the tool asks after it for a minute. */
export const FILES: Readonly<Record<string, string>> = {
  'cut.json': deletion(['told', 0, 1], ['told', 1, -1]),
  'cut-wrong.json': deletion(['told', 0, 1000], ['told', 3, 0]),
};

function deletion(...rows: readonly (readonly [string, number, number])[]): string {
  return JSON.stringify({ version: 1, partitions: rows.map(([topic, partition, offset]) => ({ topic, partition, offset })) });
}

const KEYED = Array.from({ length: 12 }, (_, index) => `key ${index}:value ${index}\n`).join('');

/** `BROKER` stands for the option that names it; no argument holds a space. */
export const TOOL_CALLS: readonly ToolCall[] = [
  ...calls('topics', [
    '--create --topic told --partitions 3 --config segment.bytes=1048576',
    '--create --topic told --partitions 3',
    '--create --topic told --if-not-exists',
    '--create --topic single --replica-assignment 1',
    '--create --topic by.default',
    '--create --topic wide --replication-factor 2',
    '--create --topic none --partitions 0',
    '--create --topic bad --config segment.bytes=x',
    '--create --topic bad --config no.such.option=1',
    '--create --topic what?',
    '--create --topic ..',
    '--create --topic by_default',
    '--create --topic moved --replica-assignment 7',
  ]),
  ...calls('topics', [
    '--list',
    '--list --topic t.*',
    '--describe --topic told',
    '--describe --topic absent',
    '--describe --topic absent --if-exists',
    '--describe --topic-id AAAAAAAAAAAAAAAAAAAAAg',
    '--describe --topics-with-overrides',
    '--describe --under-replicated-partitions',
    '--describe --unavailable-partitions',
    '--describe --under-min-isr-partitions',
    '--describe --at-min-isr-partitions',
    '--alter --topic told --partitions 4',
    '--alter --topic told --partitions 2',
    '--alter --topic told --partitions 4',
    '--alter --topic absent --partitions 2',
    '--alter --topic absent --partitions 2 --if-exists',
    '--alter --topic by.default --partitions 2 --replica-assignment 1,1',
    '--describe --topic by.default',
    '--delete --topic by.default',
    '--delete --topic absent',
    '--delete --topic absent --if-exists',
    '--list --exclude-internal',
  ]),
  ...calls('get-offsets', ['--topic told']),
  {
    command: 'console-producer BROKER --topic told --reader-property parse.key=true --reader-property key.separator=:',
    input: KEYED,
  },
  { command: 'console-producer BROKER --topic single --compression-codec zstd --request-required-acks 1', input: 'one\n' },
  { command: 'console-producer BROKER --topic made.for.it', input: 'made\n' },
  ...calls('console-consumer', [
    '--topic told --partition 0 --offset earliest --timeout-ms 1000 --formatter-property print.key=true --formatter-property print.offset=true',
    '--topic told --partition 2 --offset 1 --max-messages 1 --isolation-level read_committed --timeout-ms 20000',
    '--topic told --from-beginning --max-messages 12 --group told-readers --timeout-ms 20000 --formatter-property print.value=false',
  ]),
  ...calls(
    'get-offsets',
    [
      ...['-1', '-2', '-4', '-5', '-6', '0', '4102444800000', 'earliest', 'latest', 'earliest-local', 'latest-tiered', 'half'],
      ...['earliest-pending-upload', '-7'],
    ].map((time) => `--topic told --time ${time}`),
  ),
  ...calls('get-offsets', [
    '--topic single --time -3',
    '--topic single --time max-timestamp',
    '--topic-partitions told:0-2,single:0',
    '--topic told --partitions 1,3,9',
    '--topic absent',
    '--exclude-internal-topics',
  ]),
  ...calls('delete-records', ['--offset-json-file FILES/cut.json', '--offset-json-file FILES/cut-wrong.json']),
  ...calls('get-offsets', ['--topic told --time earliest']),
  ...calls('log-dirs', ['--describe --topic-list single', '--describe --topic-list absent', '--describe --broker-list 7']),
  { command: 'dump-log --deep-iteration --print-data-log --files DIRECTORY/told-0/00000000000000000000.log' },
  { command: 'dump-log --deep-iteration --print-data-log --files DIRECTORY/single-0/00000000000000000000.log' },
  { command: 'dump-log --files DIRECTORY/absent-0/00000000000000000000.log' },
  ...calls('groups', [
    '--list',
    '--list --state',
    '--list --type',
    '--describe --group told-readers --offsets',
    '--describe --group told-readers --members',
    '--describe --group told-readers --state',
    '--describe --group absent',
    '--reset-offsets --group told-readers --topic told:2 --to-earliest --dry-run',
    '--reset-offsets --group told-readers --topic told:2 --shift-by -1 --execute',
    '--delete-offsets --group told-readers --topic told:1',
    '--describe --group told-readers',
    '--delete --group absent',
    '--delete --group told-readers',
    '--list',
  ]),
  ...calls('all-groups', ['--list', '--list --consumer']),
  ...calls('share-groups', ['--list', '--describe --group absent']),
  ...configCalls(),
  ...calls('metadata-quorum', ['describe --status', 'describe --replication', 'describe --replication --human-readable', 'describe']),
  ...calls('features', [
    'describe',
    'upgrade --feature group.version=7',
    'upgrade --feature no.such=1',
    'downgrade --feature share.version=0 --dry-run',
    'downgrade --metadata 3.3-IV3',
  ]),
  ...calls('broker-api-versions', ['']),
  ...calls('transactions', [
    'list',
    'list --duration-filter 1000',
    'describe --transactional-id absent',
    'describe-producers --topic told --partition 0',
    'find-hanging --broker-id 1',
    'abort --topic told --partition 0 --start-offset 0',
  ]),
  ...calls('acls', ['--list', '--add --allow-principal User:a --operation Read --topic told', '--remove --topic told --force']),
  ...calls('leader-election', [
    '--election-type preferred --topic told --partition 0',
    '--election-type unclean --topic told --partition 0',
    '--election-type preferred --topic absent --partition 0',
    '--election-type preferred --all-topic-partitions',
  ]),
  ...calls('reassign', ['--list']),
  ...['cluster-id BROKER', 'list-endpoints BROKER', 'list-endpoints --include-fenced-brokers BROKER', 'unregister --id 7 BROKER'].map(
    (args) => ({ command: `cluster ${args}` }),
  ),
  ...calls('client-metrics', [
    '--list',
    '--describe',
    '--alter --name told --metrics org.apache --interval 5000',
    '--describe --name told',
  ]),
  ...calls('client-metrics', ['--delete --name told', '--list']),
  ...calls('delegation-tokens', ['--describe']),
  {
    command: 'replica-verification --broker-list ADDRESS --topics-include told|single --report-interval-ms 500 --time -2',
    until: 'max lag is',
  },
  ...calls('topics', ['--delete --topic told', '--list --exclude-internal', '--describe --exclude-internal']),
];

function calls(tool: ToolName, all: readonly string[]): ToolCall[] {
  return all.map((args) => ({ command: `${tool} BROKER ${args}`.trim() }));
}

function configCalls(): ToolCall[] {
  const topic = '--entity-type topics --entity-name told';
  const broker = '--entity-type brokers --entity-name 1';
  const everyBroker = '--entity-type brokers --entity-default';
  return calls('configs', [
    `--describe ${topic}`,
    `--describe --all ${topic}`,
    `--alter ${topic} --add-config retention.ms=7000,cleanup.policy=[compact,delete]`,
    `--alter ${topic} --add-config retention.ms=x`,
    `--alter ${topic} --add-config no.such.option=1`,
    `--alter ${topic} --delete-config segment.bytes`,
    `--alter ${topic} --delete-config no.such.option`,
    `--describe ${topic}`,
    '--describe --entity-type topics',
    '--alter --entity-type topics --entity-name absent --add-config retention.ms=7000',
    '--describe --entity-type topics --entity-name absent',
    `--describe ${broker}`,
    `--describe --all ${broker}`,
    `--alter ${everyBroker} --add-config log.retention.ms=50000000`,
    `--alter ${broker} --add-config log.retention.ms=60000000`,
    `--alter ${broker} --add-config num.partitions=3`,
    `--alter ${broker} --add-config log.retention.ms=x`,
    `--alter ${broker} --add-config no.such.option=1`,
    `--describe ${broker}`,
    `--describe ${everyBroker}`,
    '--describe --entity-type brokers',
    `--alter ${broker} --delete-config log.retention.ms`,
    `--alter ${everyBroker} --delete-config log.retention.ms`,
    '--describe --entity-type brokers --entity-name 7',
    '--alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=50000',
    '--describe --entity-type groups --entity-name g',
    '--alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=1',
    '--alter --entity-type groups --entity-name g --delete-config consumer.session.timeout.ms',
    '--describe --entity-type broker-loggers --entity-name 7',
    '--describe --entity-type client-metrics',
    '--describe --entity-type users',
    '--describe --entity-type clients --entity-default',
    '--describe --entity-type ips',
  ]);
}

/** A line of what RunTools.java reads. */
export function callLine({ command, input = '', until = '' }: ToolCall, places: Places): string {
  const [tool = '', ...rest] = command.replace('BROKER', `--bootstrap-server ${places.address}`).split(' ');
  const args = rest.map((arg) =>
    arg.replace('DIRECTORY', places.directory).replace('FILES', places.files).replace('ADDRESS', places.address),
  );
  return [until, input.replaceAll('\n', '\\n'), CLASSES[tool as ToolName], ...args].join('\t');
}
