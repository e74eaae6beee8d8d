// What of a change of the cluster's metadata is told in the log: topics that were made, grown or deleted, configurations and features that
// changed. Invariants: a change brings one line of each kind at most, however much it names (a request may make thousands of topics); a
// value is shown only where its option is known and no secret.
// Pure. Said by worker 0 alone, when the change is committed and replayed: every worker replays it.
import { brokerRow } from '../config/broker-config.ts';
import { listenerBaseName } from '../config/listener-option-names.ts';
import { topicOptionsByName } from '../config/topic-options.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { CLUSTER_DEFAULT, type ConfigChange, type MetadataChange, RESOURCE, type TopicImage } from '../metadata/image-types.ts';
import type { MetadataActor } from '../metadata/metadata-actor.ts';
import type { LogFields, Logger } from '../telemetry/logger.ts';

export interface News {
  readonly message: string;
  readonly fields: LogFields;
}

/** Names in a line that tells of many. */
const NAMES_SHOWN_MAX = 5;
/** Options in a line. */
const OPTIONS_SHOWN_MAX = 20;
/** Characters of a value: lists may have any length. */
const VALUE_CHARACTERS_MAX = 200;

const RESOURCE_WORDS: ReadonlyMap<number, string> = new Map([
  [RESOURCE.TOPIC, 'topic'],
  [RESOURCE.BROKER, 'broker'],
  [RESOURCE.CLIENT_METRICS, 'client metrics'],
  [RESOURCE.GROUP, 'group'],
]);

/** Says what changes from now on; what the start finds, or makes of a new cluster, is no news. */
export function tellChanges(metadata: MetadataActor, logger: Logger): void {
  let isStart = true;
  metadata.onChange((change, image) => {
    if (!isStart) for (const { message, fields } of clusterNews(change, image)) logger.info(message, fields);
    isStart = false;
  });
}

/** The lines for a change that `image` has replayed, in the order in which they are said. */
export function clusterNews(change: MetadataChange, image: ClusterImage): News[] {
  const news: News[] = [];
  if (change.featuresChanged.length > 0) {
    const levels = change.featuresChanged.map((name) => `${name}=${image.features.get(name) ?? 0}`).join(', ');
    news.push({ message: 'features changed', fields: { levels } });
  }
  tellTopics(news, 'made', change.topicsCreated, (topic) => {
    const configs = change.configsChanged.find((each) => each.resourceType === RESOURCE.TOPIC && each.resourceName === topic.name);
    return { id: topic.id, partitions: topic.partitions.length, set: configs === undefined ? undefined : textOf(configs, image) };
  });
  tellGrown(news, change);
  tellTopics(news, 'deleted', change.topicsDeleted, (topic) => ({ id: topic.id, partitions: topic.partitions.length }));
  const made = new Set(change.topicsCreated.map(({ name }) => name));
  const configs = change.configsChanged.filter((each) => each.resourceType !== RESOURCE.TOPIC || !made.has(each.resourceName));
  const [only] = configs;
  if (only !== undefined && configs.length === 1) {
    news.push({ message: 'configuration changed', fields: { of: ownerOf(only), set: textOf(only, image) } });
  } else if (configs.length > 0) {
    const keys = listed([...new Set(configs.flatMap((each) => each.keys))], OPTIONS_SHOWN_MAX);
    news.push({ message: 'configurations changed', fields: { count: configs.length, of: listed(configs.map(ownerOf)), keys } });
  }
  return news;
}

function tellTopics(news: News[], verb: string, topics: readonly TopicImage[], fieldsOf: (topic: TopicImage) => LogFields): void {
  const [only] = topics;
  if (only === undefined) return;
  if (topics.length === 1) {
    news.push({ message: `topic ${verb}`, fields: { topic: only.name, ...fieldsOf(only) } });
    return;
  }
  const partitions = topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
  news.push({ message: `topics ${verb}`, fields: { count: topics.length, partitions, topics: listed(topics.map(({ name }) => name)) } });
}

function tellGrown(news: News[], change: MetadataChange): void {
  const added = new Map<TopicImage, number>();
  for (const { topic, before } of change.partitionsChanged) if (before === null) added.set(topic, (added.get(topic) ?? 0) + 1);
  tellTopics(news, 'grown', [...added.keys()], (topic) => ({
    id: topic.id,
    partitions: topic.partitions.length,
    added: added.get(topic) ?? 0,
  }));
}

function ownerOf({ resourceType, resourceName }: ConfigChange): string {
  if (resourceType === RESOURCE.BROKER && resourceName === CLUSTER_DEFAULT) return 'all brokers';
  return `${RESOURCE_WORDS.get(resourceType) ?? `resource ${resourceType}`} ${resourceName}`;
}

/** What the changed options are now; one that was taken away has no value. */
function textOf(change: ConfigChange, image: ClusterImage): string {
  const values = image.configsOf(change.resourceType, change.resourceName);
  const texts = change.keys.map((key) => {
    const value = values.get(key);
    if (value === undefined) return `${key} removed`;
    return mayBeShown(change.resourceType, key) ? `${key}=${clipped(value)}` : `${key} (hidden)`;
  });
  return listed(texts, OPTIONS_SHOWN_MAX);
}

/** Nobody knows what an unknown option holds: it is treated as a secret. */
function mayBeShown(resourceType: number, key: string): boolean {
  if (resourceType === RESOURCE.TOPIC) return topicOptionsByName.get(key)?.isSensitive === false;
  if (resourceType === RESOURCE.BROKER) return brokerRow(listenerBaseName(key))?.isSensitive === false;
  return true; // Groups and client metrics have no secrets, and take known options only.
}

function clipped(value: string): string {
  return value.length <= VALUE_CHARACTERS_MAX ? value : `${value.slice(0, VALUE_CHARACTERS_MAX)}…`;
}

function listed(texts: readonly string[], countMax = NAMES_SHOWN_MAX): string {
  const more = texts.length - countMax;
  return more <= 0 ? texts.join(', ') : `${texts.slice(0, countMax).join(', ')} and ${more} more`;
}
