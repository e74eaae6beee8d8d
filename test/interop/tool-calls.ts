// Calls of Apache Kafka's tools, and how RunTools.java is told of one.

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
  'streams-groups': 'org.apache.kafka.tools.streams.StreamsGroupCommand',
  'e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'delegation-tokens': 'org.apache.kafka.tools.DelegationTokenCommand',
} as const;
type ToolName = keyof typeof CLASSES;

export interface ToolCall {
  /** The tool and its arguments: the call's name in the record. `BROKER` stands for the option that names it; no argument holds a space. */
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

export function calls(tool: ToolName, all: readonly string[]): ToolCall[] {
  return all.map((args) => ({ command: `${tool} BROKER ${args}`.trim() }));
}

/** A line of what RunTools.java reads. */
export function callLine({ command, input = '', until = '' }: ToolCall, places: Places): string {
  const [tool = '', ...rest] = command.replace('BROKER', `--bootstrap-server ${places.address}`).split(' ');
  const args = rest.map((arg) =>
    arg.replace('DIRECTORY', places.directory).replace('FILES', places.files).replace('ADDRESS', places.address),
  );
  return [until, input.replaceAll('\n', '\\n'), CLASSES[tool as ToolName], ...args].join('\t');
}
