// The group coordinator as a broker runs it: the shards of __consumer_offsets, with the broker's settings and each group's own.
// Pure.

import { MINUTE_MS } from '../base/units.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerOptions } from '../config/broker-options.ts';
import type { CoordinatorKind } from '../coordinator/shard-actor.ts';
import type { GroupConfig } from '../groups/group-config.ts';
import { GroupCoordinator } from '../groups/group-coordinator.ts';
import { type GroupRecord, groupRecordCodec } from '../groups/group-records.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { RESOURCE } from '../metadata/image-types.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../metadata/topic-names.ts';
import type { LiveOptions } from './live-options.ts';
import { regexes } from './regex-engine.ts';

export function groupCoordinators(config: BrokerConfig, options: LiveOptions, image: ClusterImage): CoordinatorKind<GroupRecord> {
  const groupConfig = groupConfigOf(config, options, image);
  return {
    topic: CONSUMER_OFFSETS_TOPIC,
    codec: groupRecordCodec,
    create: (environment) => new GroupCoordinator(environment, groupConfig),
  };
}

function groupConfigOf(config: BrokerConfig, options: LiveOptions, image: ClusterImage): GroupConfig {
  return {
    offsetMetadataBytesMax: config.offsetMetadataMaxBytes,
    offsetsRetentionMs: config.offsetsRetentionMinutes * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config.offsetsRetentionCheckIntervalMs,
    sessionTimeoutMinMs: config.groupMinSessionTimeoutMs,
    sessionTimeoutMaxMs: config.groupMaxSessionTimeoutMs,
    initialRebalanceDelayMs: config.groupInitialRebalanceDelayMs,
    classicSizeMax: config.groupMaxSize,
    consumer: {
      sessionTimeoutMs: config.groupConsumerSessionTimeoutMs,
      sessionTimeoutMinMs: config.groupConsumerMinSessionTimeoutMs,
      sessionTimeoutMaxMs: config.groupConsumerMaxSessionTimeoutMs,
      heartbeatIntervalMs: config.groupConsumerHeartbeatIntervalMs,
      heartbeatIntervalMinMs: config.groupConsumerMinHeartbeatIntervalMs,
      heartbeatIntervalMaxMs: config.groupConsumerMaxHeartbeatIntervalMs,
      sizeMax: config.groupConsumerMaxSize,
      assignors: config.groupConsumerAssignors,
      migrationPolicy: config.groupConsumerMigrationPolicy,
      regexRefreshIntervalMs: config.groupConsumerRegexRefreshIntervalMs,
      get assignmentIntervalMs(): number {
        return options.valueOf(brokerOptions.groupConsumerAssignmentIntervalMs);
      },
    },
    regexes,
    ofGroup: (groupId) => image.configsOf(RESOURCE.GROUP, groupId),
  };
}
