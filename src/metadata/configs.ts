// Changing configurations while the cluster runs: AlterConfigs and IncrementalAlterConfigs as decisions.
// Invariant: a resource is changed as a whole or not at all; one that is refused does not keep the others from being changed.
// Pure. What a value may be is asked of the rules (config-rules.ts). The levels of loggers are checked here and leave no record: they
// end with the process.
// Source: the behaviour and the messages were recorded from Apache Kafka 4.3.1 (test/golden/answers/config-changes).
import { ERROR } from '../protocol/errors.ts';
import { type ConfigFault, type ControllerEnv, type OperationResult, RECORDS_PER_OPERATION_MAX } from './controller.ts';
import { type ClusterImage, isElrOn } from './image.ts';
import { CLUSTER_DEFAULT, RESOURCE } from './image-types.ts';
import type { MetadataRecord } from './metadata-records.ts';
import { topicNameFault } from './topic-names.ts';

/** ConfigOperation on the wire. */
export const CONFIG_OPERATION = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;

export interface AlterConfigsInput {
  readonly resources: readonly AlteredResource[];
  readonly validateOnly: boolean;
  /** AlterConfigs: what a resource has of its own and is not named is taken away. Every operation is SET then. */
  readonly replacesAll: boolean;
}

interface AlteredResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly ConfigAlteration[];
}

export interface ConfigAlteration {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

/** The answer for one resource, in the order in which they were asked for. */
export interface AlteredConfigs {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
}

/** The longest value that a record of Kafka's takes (a string's length was 16 bits once). */
const VALUE_LENGTH_MAX = 32_767;
const MIN_ISR = 'min.insync.replicas';

export function alterConfigs(image: ClusterImage, request: AlterConfigsInput, env: ControllerEnv): OperationResult<AlteredConfigs[]> {
  const records: MetadataRecord[] = [];
  const timesNamed = new Map<string, number>();
  for (const each of request.resources) timesNamed.set(keyOf(each), (timesNamed.get(keyOf(each)) ?? 0) + 1);
  const response = request.resources.map((resource): AlteredConfigs => {
    const isTwice = (timesNamed.get(keyOf(resource)) ?? 0) > 1;
    const decided = isTwice
      ? fault(ERROR.INVALID_REQUEST, 'Each resource must appear at most once.')
      : decide(image, resource, request.replacesAll, env);
    const { resourceType, resourceName } = resource;
    if ('errorCode' in decided) return { ...decided, resourceType, resourceName };
    records.push(...decided.records);
    return { errorCode: ERROR.NONE, errorMessage: null, resourceType, resourceName };
  });
  if (records.length > RECORDS_PER_OPERATION_MAX) {
    return {
      records: [],
      response: refusedConfigs(request, ERROR.POLICY_VIOLATION, 'Unable to perform excessively large batch operation.'),
    };
  }
  return { records: request.validateOnly ? [] : [...records, ...clearedElr(image, records)], response };
}

/** All resources refused alike. */
export function refusedConfigs({ resources }: AlterConfigsInput, errorCode: number, errorMessage: string): AlteredConfigs[] {
  return resources.map(({ resourceType, resourceName }) => ({ errorCode, errorMessage, resourceType, resourceName }));
}

function keyOf({ resourceType, resourceName }: AlteredResource): string {
  return `${resourceType} ${resourceName}`;
}

function fault(errorCode: number, errorMessage: string): ConfigFault {
  return { errorCode, errorMessage };
}

type Decided = ConfigFault | { readonly records: readonly MetadataRecord[] };

function decide(image: ClusterImage, resource: AlteredResource, replacesAll: boolean, env: ControllerEnv): Decided {
  const { resourceType, resourceName, configs } = resource;
  const { configRules } = env.defaults;
  const names = new Set(configs.map(({ name }) => name));
  if (names.size < configs.length) return fault(ERROR.INVALID_REQUEST, 'Error due to duplicate config keys');
  const empty = configs.filter((each) => each.value === null && each.configOperation !== CONFIG_OPERATION.DELETE);
  if (empty.length > 0) {
    return fault(ERROR.INVALID_REQUEST, `Null value not supported for : ${empty.map(({ name }) => name).join(', ')}`);
  }
  if (resourceType === RESOURCE.BROKER_LOGGER && !replacesAll) return configRules.loggerFault(resourceName, configs) ?? { records: [] };
  if (!STORED_TYPES.has(resourceType)) return fault(ERROR.INVALID_REQUEST, `Unknown resource type ${resourceType}`);
  const nameFault = resourceNameFault(resourceType, resourceName, env);
  if (nameFault !== null) return nameFault;

  const before = image.configsOf(resourceType, resourceName);
  const after = replacesAll ? new Map<string, string>() : new Map(before);
  for (const change of configs) {
    const refusal = apply(after, resourceType, change, env);
    if (refusal !== null) return refusal;
  }
  const refusal =
    lengthFault(after) ??
    configRules.fault(resourceType, resourceName, after, image) ??
    elrFault(image, resource, before, after) ??
    existenceFault(image, resourceType, resourceName);
  return refusal ?? { records: changeRecords(resource, before, after) };
}

const STORED_TYPES: ReadonlySet<number> = new Set([RESOURCE.TOPIC, RESOURCE.BROKER, RESOURCE.CLIENT_METRICS, RESOURCE.GROUP]);

function resourceNameFault(resourceType: number, name: string, env: ControllerEnv): ConfigFault | null {
  switch (resourceType) {
    case RESOURCE.TOPIC: {
      if (name === '') return fault(ERROR.INVALID_REQUEST, 'Default topic resources are not allowed.');
      const wrong = topicNameFault(name);
      return wrong === null ? null : fault(ERROR.INVALID_TOPIC_EXCEPTION, wrong);
    }
    case RESOURCE.BROKER:
      return name === CLUSTER_DEFAULT ? null : env.defaults.configRules.brokerNameFault(name);
    case RESOURCE.GROUP:
      return name === '' ? fault(ERROR.INVALID_REQUEST, 'Default group resources are not allowed.') : null;
    default:
      return name === '' ? fault(ERROR.INVALID_REQUEST, "Subscription name can't be empty") : null;
  }
}

/** Makes one change in `values`, or says why not. */
function apply(values: Map<string, string>, resourceType: number, change: ConfigAlteration, env: ControllerEnv): ConfigFault | null {
  const { name, configOperation } = change;
  const value = change.value ?? '';
  switch (configOperation) {
    case CONFIG_OPERATION.SET:
      values.set(name, value);
      return null;
    case CONFIG_OPERATION.DELETE:
      values.delete(name);
      return null;
    case CONFIG_OPERATION.APPEND:
    case CONFIG_OPERATION.SUBTRACT: {
      const isAppended = configOperation === CONFIG_OPERATION.APPEND;
      const standard = env.defaults.configRules.listDefault(resourceType, name);
      if (standard === null) return env.defaults.configRules.noListFault(resourceType, name, isAppended);
      const items = (values.get(name) ?? standard).split(',').filter((item) => item !== '');
      values.set(name, (isAppended ? appended(items, value) : subtracted(items, value)).join(','));
      return null;
    }
    default:
      return fault(ERROR.INVALID_REQUEST, `Unknown operations type ${configOperation}`);
  }
}

/** Each item once, as it stands between the commas. */
function appended(items: readonly string[], value: string): string[] {
  return [...new Set([...items, ...splitList(value)])];
}

/** The first of each item that is named. */
function subtracted(items: readonly string[], value: string): string[] {
  const left = [...items];
  for (const item of splitList(value)) {
    const at = left.indexOf(item);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}

/** As Java splits: empty items at the end are left out, but an empty text is one item. */
function splitList(value: string): string[] {
  const items = value.split(',');
  while (items.length > 1 && items.at(-1) === '') items.pop();
  return items;
}

/** While leaders are chosen by what the last in-sync replicas were (KIP-966), min.insync.replicas is the cluster's alone. */
function elrFault(
  image: ClusterImage,
  { resourceType, resourceName, configs }: AlteredResource,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ConfigFault | null {
  const isTouched = configs.some(({ name }) => name === MIN_ISR) || before.get(MIN_ISR) !== after.get(MIN_ISR);
  if (resourceType !== RESOURCE.BROKER || !isTouched || !isElrOn(image)) return null;
  if (resourceName !== CLUSTER_DEFAULT) {
    return fault(ERROR.INVALID_CONFIG, `Broker-level ${MIN_ISR} cannot be altered while ELR is enabled.`);
  }
  return after.has(MIN_ISR) ? null : fault(ERROR.INVALID_CONFIG, `Cluster-level ${MIN_ISR} cannot be removed while ELR is enabled.`);
}

function lengthFault(after: ReadonlyMap<string, string>): ConfigFault | null {
  for (const value of after.values()) {
    if (value.length <= VALUE_LENGTH_MAX) continue;
    const message = `The configuration value cannot be added because it exceeds the maximum value size of ${VALUE_LENGTH_MAX} bytes.`;
    return fault(ERROR.INVALID_CONFIG, message);
  }
  return null;
}

function existenceFault(image: ClusterImage, resourceType: number, name: string): ConfigFault | null {
  if (resourceType !== RESOURCE.TOPIC || image.topicByName(name) !== null) return null;
  return fault(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
}

function changeRecords(
  { resourceType, resourceName }: AlteredResource,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  const put = (name: string, value: string | null): void => {
    records.push({ type: 'ConfigRecord', resourceType, resourceName, name, value });
  };
  for (const [name, value] of after) if (before.get(name) !== value) put(name, value);
  for (const name of before.keys()) if (!after.has(name)) put(name, null);
  return records;
}

/** What was noted of eligible replicas rests on the min.insync.replicas that was. */
function clearedElr(image: ClusterImage, records: readonly MetadataRecord[]): MetadataRecord[] {
  if (!isElrOn(image)) return [];
  return records.flatMap((record) =>
    record.type === 'ConfigRecord' && record.name === MIN_ISR
      ? [{ type: 'ClearElrRecord', topicName: record.resourceType === RESOURCE.TOPIC ? record.resourceName : '' } as const]
      : [],
  );
}
