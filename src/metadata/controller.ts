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
  readonly configRules: ConfigRules;
}

/** What the controller asks of the configuration rows. */
export interface TopicConfigRules {
  /** Null where the whole of a topic's own configuration is good; else what is wrong, in the words a client is shown. */
  validate(configs: ReadonlyMap<string, string>, image: ClusterImage): string | null;
  /** The configuration of a topic with these overrides, defaults included, sorted by name, as CreateTopics v5+ answers it. */
  effective(overrides: ReadonlyMap<string, string>, image: ClusterImage): readonly EffectiveConfig[];
}

/** What is wrong with a change of configurations, as a client is told. */
export interface ConfigFault {
  readonly errorCode: number;
  readonly errorMessage: string;
}

/** What a change of configurations asks of the configuration rows; types of resources as RESOURCE has them. */
export interface ConfigRules {
  /** What stands for an option of type LIST that is not set, or null where it is no list. */
  listDefault(resourceType: number, name: string): string | null;
  noListFault(resourceType: number, name: string, isAppended: boolean): ConfigFault;
  /** What is wrong with all that a resource would have of its own. */
  fault(resourceType: number, resourceName: string, configs: ReadonlyMap<string, string>, image: ClusterImage): ConfigFault | null;
  /** What is wrong with the name of a broker, which is not empty. */
  brokerNameFault(name: string): ConfigFault | null;
  /** What is wrong with a change of levels of the loggers of the broker `name`. */
  loggerFault(
    name: string,
    changes: readonly { readonly name: string; readonly configOperation: number; readonly value: string | null }[],
  ): ConfigFault | null;
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
