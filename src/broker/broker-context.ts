// What the handlers of one worker share: its view of the cluster, its way to the partitions and to the controller.
// Runs on: every worker. Made by worker.ts.
import type { BrokerConfig } from '../config/broker-config.ts';
import type { CoordinatorClient } from '../coordinator/coordinator-client.ts';
import type { MetadataActor } from '../metadata/metadata-actor.ts';
import type { PartitionClient } from '../partition/partition-client.ts';
import type { PartitionWords } from '../partition/partition-words.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ControllerClient } from './controller-client.ts';
import type { KnownDirectories } from './known-directories.ts';
import type { LiveOptions } from './live-options.ts';
import type { LogLevelControl } from './log-level.ts';
import type { PartitionQuestions } from './partition-questions.ts';
import type { SegmentReader } from './segment-reader.ts';

export interface BrokerContext {
  readonly runtime: Runtime;
  /** What was given at the start. */
  readonly config: BrokerConfig;
  /** What may have been changed since. */
  readonly options: LiveOptions;
  readonly logLevel: LogLevelControl;
  readonly logger: Logger;
  readonly nodeId: number;
  readonly directories: KnownDirectories;
  readonly metadata: MetadataActor;
  readonly partitions: PartitionClient;
  readonly words: PartitionWords;
  readonly controller: ControllerClient;
  readonly questions: PartitionQuestions;
  readonly coordinators: CoordinatorClient;
  readonly reader: SegmentReader;
}
