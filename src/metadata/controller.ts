// What every operation of the controller is: a pure function from the image and a request to records and a response.
// Invariant: an operation's records are made in whole or not at all, and applying them to the image it saw never fails.
// Pure. Not the running of operations: that is the quorum actor.
import type { Random } from '../base/random.ts';
import type { ClusterImage } from './image.ts';
import type { MetadataRecord } from './metadata-records.ts';

/** What an operation may know besides the image and its request. */
export interface ControllerEnv {
  readonly nowMs: number;
  readonly random: Random;
  /** The offset that the operation's first record will have: a broker's epoch is the offset of its registration. */
  readonly nextOffset: number;
  readonly defaults: ControllerDefaults;
}

export interface ControllerDefaults {
  /** num.partitions */
  readonly numPartitions: number;
  /** default.replication.factor */
  readonly replicationFactor: number;
  readonly topicConfigs: TopicConfigRules;
}

/** What the controller asks of the configuration rows. */
export interface TopicConfigRules {
  /** Null where the whole of a topic's own configuration is good; else what is wrong, in the words a client is shown. */
  validate(configs: ReadonlyMap<string, string>, image: ClusterImage): string | null;
  /** The configuration of a topic with these overrides, defaults included, sorted by name, as CreateTopics v5+ answers it. */
  effective(overrides: ReadonlyMap<string, string>, image: ClusterImage): readonly EffectiveConfig[];
}

export interface EffectiveConfig {
  readonly name: string;
  /** Null where the value is sensitive. */
  readonly value: string | null;
  readonly readOnly: boolean;
  /** As in DescribeConfigs: 1 topic, 2 broker, 3 cluster default, 4 static broker, 5 default. */
  readonly configSource: number;
  readonly isSensitive: boolean;
}

export interface OperationResult<Response> {
  readonly records: readonly MetadataRecord[];
  readonly response: Response;
}

export type Operation<Response> = (image: ClusterImage, env: ControllerEnv) => OperationResult<Response>;

/** The most records that an operation asked for by a client makes (Kafka's limit). */
export const RECORDS_PER_OPERATION_MAX = 10_000;
