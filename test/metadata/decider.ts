// The controller's decisions over an image, applied at once: no log, no quorum, no workers.
import { seededRandom } from '../../src/base/random.ts';
import { bootstrapRecords, SUPPORTED_FEATURES } from '../../src/metadata/bootstrap.ts';
import { registerBroker, unfenceBroker } from '../../src/metadata/brokers.ts';
import type { ControllerEnv } from '../../src/metadata/controller.ts';
import { ClusterImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { createTopics, deleteTopics } from '../../src/metadata/topics.ts';
import { CLUSTER_ID, DEFAULTS, DIRECTORY_ID } from './cluster.ts';

export class Controller {
  readonly image = new ClusterImage(CLUSTER_ID);
  readonly env: ControllerEnv = { nowMs: 0, random: seededRandom(7), nextOffset: 0, defaults: DEFAULTS };
  #offset = 0;

  constructor(brokerIds: readonly number[], logDirs: readonly string[] = [DIRECTORY_ID]) {
    this.apply(bootstrapRecords());
    for (const brokerId of brokerIds) {
      const registration = { brokerId, incarnationId: DIRECTORY_ID, endPoints: [], features: SUPPORTED_FEATURES, rack: null, logDirs };
      this.apply(registerBroker(registration, this.#offset).records);
      this.apply(unfenceBroker(this.image, brokerId, 0));
    }
  }

  apply(records: readonly MetadataRecord[]): void {
    for (const record of records) this.image.replay(record, this.#offset++);
  }

  create(topics: Parameters<typeof createTopics>[1]['topics'], validateOnly = false): ReturnType<typeof createTopics> {
    const result = createTopics(this.image, { topics, validateOnly }, this.env);
    this.apply(result.records);
    return result;
  }

  remove(topics: Parameters<typeof deleteTopics>[1]['topics']): ReturnType<typeof deleteTopics> {
    const result = deleteTopics(this.image, { topics, topicNames: [] });
    this.apply(result.records);
    return result;
  }
}
