// Which features the cluster has finalized: raised and lowered at an administrator's word, as far as the nodes can live with it.
// Pure. Source: KIP-584, KIP-778 (kinds of upgrades).
import { ERROR } from '../protocol/errors.ts';
import { SUPPORTED_FEATURES } from './bootstrap.ts';
import type { ControllerDefaults, ControllerEnv, OperationResult } from './controller.ts';
import { ClusterImage } from './image.ts';
import { CLUSTER_DEFAULT, RESOURCE } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';

export const UPGRADE_TYPE = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const;
export const GROUP_VERSION = 'group.version';

const METADATA_VERSION = 'metadata.version';
const KRAFT_VERSION = 'kraft.version';
const ELR_VERSION = 'eligible.leader.replicas.version';
/** The metadata.version that eligible leader replicas need: 4.0-IV1. */
const ELR_METADATA_VERSION = 23;
const MIN_INSYNC_REPLICAS = 'min.insync.replicas';
const FAILED_FOR_ALL = 'The update failed for all features since the following feature had an error: ';

export interface UpdateFeaturesInput {
  readonly updates: readonly { readonly feature: string; readonly maxVersionLevel: number; readonly upgradeType: number }[];
  readonly validateOnly: boolean;
  readonly controllerId: number;
}

export interface FeaturesUpdated {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** Finalizes new levels, all or none. Of a feature that is named several times the last update counts. */
export function updateFeatures(image: ClusterImage, input: UpdateFeaturesInput, env: ControllerEnv): OperationResult<FeaturesUpdated> {
  const updates = new Map(input.updates.map((update) => [update.feature, update]));
  const proposed = new Map(image.features);
  for (const { feature, maxVersionLevel } of updates.values()) proposed.set(feature, maxVersionLevel);
  const records: MetadataRecord[] = [];
  for (const { feature, maxVersionLevel, upgradeType } of updates.values()) {
    const fault = updateFault(image, proposed, feature, maxVersionLevel, upgradeType, input.controllerId);
    if (fault !== null) return { records: [], response: { errorCode: ERROR.INVALID_UPDATE_VERSION, errorMessage: FAILED_FOR_ALL + fault } };
    if (feature === KRAFT_VERSION) continue;
    records.push({ type: 'FeatureLevelRecord', name: feature, featureLevel: maxVersionLevel });
  }
  if ((updates.get(ELR_VERSION)?.maxVersionLevel ?? 0) > 0) records.unshift(...minInsyncRecords(image, env));
  return { records: input.validateOnly ? [] : records, response: { errorCode: ERROR.NONE, errorMessage: null } };
}

/** Null where the level may be finalized; else why not, in Kafka's words. */
function updateFault(
  image: ClusterImage,
  proposed: ReadonlyMap<string, number>,
  feature: string,
  level: number,
  upgradeType: number,
  controllerId: number,
): string | null {
  const invalid = (reason: string): string => `Invalid update version ${level} for feature ${feature}. ${reason}`;
  const current = feature === KRAFT_VERSION ? image.kraftVersion : (image.features.get(feature) ?? 0);
  if (!Object.values<number>(UPGRADE_TYPE).includes(upgradeType)) return invalid('The controller does not support the given upgrade type.');
  if (level < 0) return invalid('A feature version cannot be less than 0.');
  const unsupported = unsupportedReason(image, feature, level, controllerId);
  if (unsupported !== null) return invalid(unsupported);
  if (level < current && upgradeType === UPGRADE_TYPE.UPGRADE) {
    return invalid("Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.");
  }
  if (level > current && upgradeType !== UPGRADE_TYPE.UPGRADE) return invalid("Can't downgrade to a newer version.");
  if (feature === METADATA_VERSION) return level < current ? metadataDowngrade(current, level, upgradeType) : null;
  if (feature === KRAFT_VERSION) {
    if (level === current) return null;
    // Apache Kafka can; here the voters stand where they stood when the directory was formatted.
    return invalid(
      level < current ? "Can't downgrade the version of this feature." : 'This controller cannot write its voters into the log.',
    );
  }
  if (!SUPPORTED_FEATURES.some(({ name }) => name === feature)) return invalid(`Feature ${feature} not found.`);
  if (feature === ELR_VERSION && level > 0 && (proposed.get(METADATA_VERSION) ?? 0) < ELR_METADATA_VERSION) {
    return invalid(`${feature} could not be set to ${level} because it depends on ${METADATA_VERSION} level ${ELR_METADATA_VERSION}`);
  }
  return null;
}

/** Why this node or a registered broker cannot live with the level. */
function unsupportedReason(image: ClusterImage, feature: string, level: number, controllerId: number): string | null {
  const nodes = [
    { who: `Local controller ${controllerId}`, features: SUPPORTED_FEATURES },
    ...image.brokers.map(({ brokerId, features }) => ({ who: `Broker ${brokerId}`, features })),
  ];
  for (const { who, features } of nodes) {
    const range = features.find(({ name }) => name === feature) ?? { minSupportedVersion: 0, maxSupportedVersion: 0 };
    if (level >= range.minSupportedVersion && level <= range.maxSupportedVersion) continue;
    if (range.maxSupportedVersion === 0) return `${who} does not support this feature.`;
    return `${who} only supports versions ${range.minSupportedVersion}-${range.maxSupportedVersion}`;
  }
  return null;
}

/** Records are written in their newest versions only, so that no older level could read them. */
function metadataDowngrade(current: number, level: number, upgradeType: number): string {
  const reason =
    upgradeType === UPGRADE_TYPE.UNSAFE_DOWNGRADE
      ? 'Unsafe metadata downgrade is not supported in this version.'
      : 'Refusing to perform the requested downgrade because it might delete metadata information.';
  return `Unsupported metadata.version downgrade from ${current} to ${level}. ${reason}`;
}

/** The min.insync.replicas that the broker was started with: that of an image in which nothing is set. */
export function startedMinInsync({ topicConfigs }: ControllerDefaults, clusterId: string): string {
  const started = topicConfigs.effective(new Map(), new ClusterImage(clusterId));
  return started.find(({ name }) => name === MIN_INSYNC_REPLICAS)?.value ?? '1';
}

/** With eligible leader replicas min.insync.replicas is the cluster's: written down where it was not, and no broker's own any more. */
function minInsyncRecords(image: ClusterImage, env: ControllerEnv): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  const set = (resourceName: string, value: string | null): void => {
    records.push({ type: 'ConfigRecord', resourceType: RESOURCE.BROKER, resourceName, name: MIN_INSYNC_REPLICAS, value });
  };
  if (!image.configsOf(RESOURCE.BROKER, CLUSTER_DEFAULT).has(MIN_INSYNC_REPLICAS)) {
    set(CLUSTER_DEFAULT, startedMinInsync(env.defaults, image.clusterId));
  }
  for (const name of image.configuredResources(RESOURCE.BROKER)) {
    if (name !== CLUSTER_DEFAULT && image.configsOf(RESOURCE.BROKER, name).has(MIN_INSYNC_REPLICAS)) set(name, null);
  }
  return records;
}
