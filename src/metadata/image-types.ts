// What the cluster's metadata looks like once replayed. Topics are live objects; partitions and brokers are replaced whole at a change,
// so that a listener may compare the one before with the one after.
// Pure (types and constants only).

export const NO_LEADER = -1;

/** Kinds of resources that have configurations (`ConfigResource.Type`). */
export const RESOURCE = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const;
/** The broker resource of this name holds the cluster-wide defaults. */
export const CLUSTER_DEFAULT = '';

export interface PartitionImage {
  readonly partition: number;
  /** Index of the partition's shared counters: given in replay order, the same on every worker, never used again while the process lives. */
  readonly slot: number;
  /** Broker id, or NO_LEADER. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  /** The directory id of each replica, in the order of `replicas`. */
  readonly directories: readonly string[];
  readonly eligibleLeaderReplicas: readonly number[];
  readonly lastKnownElr: readonly number[];
  /** 1 while the leader recovers from an unclean election. */
  readonly leaderRecoveryState: number;
}

export interface TopicImage {
  readonly name: string;
  /** 22 characters of base64url. */
  readonly id: string;
  /** By partition number, without gaps. */
  readonly partitions: readonly PartitionImage[];
}

export interface EndpointImage {
  /** Name of the listener. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number;
}

export interface FeatureRangeImage {
  readonly name: string;
  readonly minSupportedVersion: number;
  readonly maxSupportedVersion: number;
}

export interface BrokerImage {
  readonly brokerId: number;
  /** Offset of the broker's registration record. */
  readonly brokerEpoch: number;
  readonly incarnationId: string;
  readonly endPoints: readonly EndpointImage[];
  readonly features: readonly FeatureRangeImage[];
  readonly rack: string | null;
  readonly isFenced: boolean;
  readonly isInControlledShutdown: boolean;
  readonly logDirs: readonly string[];
  /** Null before the broker has said which ones are. */
  readonly cordonedLogDirs: readonly string[] | null;
}

export interface ControllerImage {
  readonly controllerId: number;
  readonly incarnationId: string;
  readonly endPoints: readonly EndpointImage[];
  readonly features: readonly FeatureRangeImage[];
}

/** What a replay changed, in replay order. A topic that came and went within the replay is in none of the lists. */
export interface MetadataChange {
  readonly topicsCreated: readonly TopicImage[];
  readonly topicsDeleted: readonly TopicImage[];
  /** Partitions that were there before and are different now, and those added to a topic that was there before. */
  readonly partitionsChanged: readonly PartitionChange[];
  readonly configsChanged: readonly ConfigChange[];
  readonly brokersChanged: readonly number[];
  /** By name; their levels are the image's. */
  readonly featuresChanged: readonly string[];
}

export interface PartitionChange {
  readonly topic: TopicImage;
  /** Null for a partition that is new in a topic that is not. */
  readonly before: PartitionImage | null;
  readonly after: PartitionImage;
}

export interface ConfigChange {
  readonly resourceType: number;
  readonly resourceName: string;
  /** The options that were set, to whatever value, or taken away. */
  readonly keys: readonly string[];
}
