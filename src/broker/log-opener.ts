// Opens the log of a partition in a log directory, with the topic's configuration, after putting aside what lies there under its name and is
// not its own.
// Invariant: a log is opened only in a directory that belongs to its topic.
// Runs on: every worker, for its own partitions; `setUnknownAside` on worker 0.
import { randomUuid } from '../base/uuid.ts';
import { resolveTopicConfig } from '../config/topic-config.ts';
import { markedDirectoryName, partitionDirectoryName, STRAY_DIRECTORY_SUFFIX } from '../log/file-names.ts';
import { Log, type LogConfig } from '../log/log.ts';
import type { StorageError } from '../log/storage.ts';
import { brokerOverrides } from '../metadata/config-rules.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { RESOURCE, type TopicImage } from '../metadata/image-types.ts';
import type { Runtime } from '../scheduler/runtime.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { KnownDirectories } from './known-directories.ts';
import type { BrokerWorkerData, FoundLog, GivenDirectory } from './worker-data.ts';

/** Takes the log directory offline where the disk refuses the change. */
type Guard = (directory: string, change: () => void) => void;

export class LogOpener {
  readonly #runtime: Runtime;
  readonly #data: BrokerWorkerData;
  readonly #directories: KnownDirectories;
  readonly #logger: Logger;
  readonly #onWritebackError: (directory: string, error: StorageError) => void;

  /** `onWritebackError` hears of a log directory, by its path, whose disk refused to write back what a log has written. */
  constructor(
    runtime: Runtime,
    data: BrokerWorkerData,
    directories: KnownDirectories,
    logger: Logger,
    onWritebackError: (directory: string, error: StorageError) => void,
  ) {
    this.#runtime = runtime;
    this.#data = data;
    this.#directories = directories;
    this.#logger = logger;
    this.#onWritebackError = onWritebackError;
  }

  /**
   * Puts aside what bears the partition's name and is not what was `found`: in whatever directory, and in the one for it where nothing was. To
   * be called before `open`. `guard` runs what may throw a StorageError of the log directory at this path, and of no other.
   */
  setOthersAside(topic: TopicImage, partition: number, { path }: GivenDirectory, found: FoundLog | null, guard: Guard): void {
    const name = partitionDirectoryName(topic.name, partition);
    const others = (this.#directories.allFound().get(name) ?? []).filter((each) => each !== found).map(({ directory }) => directory);
    for (const directory of found === null ? [...others, path] : others) guard(directory, () => this.#setAside(directory, name));
  }

  /** Opens what was `found`, or makes a log; what that made is to be synced by the caller. Throws StorageError. */
  open(topic: TopicImage, partition: number, { path, hadCleanShutdown }: GivenDirectory, found: FoundLog | null, image: ClusterImage): Log {
    const { storage, clock, random } = this.#runtime;
    const name = partitionDirectoryName(topic.name, partition);
    const log = Log.open({
      storage,
      directory: `${path}/${name}`,
      topicId: topic.id,
      config: this.configOf(topic.name, image),
      nowMs: clock.wallMs(),
      cleanShutdown: found === null || hadCleanShutdown,
      recoveryPoint: found?.recoveryPoint ?? 0,
      logStartOffset: found?.logStartOffset ?? 0,
      writebackBytes: this.#data.config.writebackBytes,
      onWritebackError: (error) => this.#onWritebackError(path, error),
      onDamage: (damage, path) => this.#logger.warn(damage, { file: path }),
      isSyncedByCaller: true,
      isUnnamed: found?.isUnnamedLog === true,
      random,
    });
    if (found?.isUnnamedLog === true) {
      const said = { directory: path, topicId: topic.id };
      this.#logger.warn(`${name} holds a log without a readable partition.metadata: it is taken for that of the topic`, said);
    }
    // What recovery kept may not be on the medium yet, and whoever is told of it relies on that it is.
    if (log.isSyncDue) log.flush();
    if (log.recoveredCutBytes > 0) this.#logger.warn(`recovery of ${name} cut a torn tail`, { bytes: log.recoveredCutBytes });
    return log;
  }

  configOf(topic: string, image: ClusterImage): LogConfig {
    const { config } = this.#data;
    const topicConfig = resolveTopicConfig(image.configsOf(RESOURCE.TOPIC, topic), config, brokerOverrides(image, config.nodeId));
    const { timestampBeforeMaxMs, timestampAfterMaxMs } = topicConfig;
    return { ...topicConfig, timestampBeforeMaxMs, timestampAfterMaxMs };
  }

  /**
   * Puts aside directories that bear no name of the cluster's partitions, left by a crash between a deletion's commit and its renaming. The
   * others are looked at by their owners, which may have opened them already: worker 0 may be the last to hear of the image.
   * `guard` runs what may throw a StorageError of the log directory at this path.
   */
  setUnknownAside(image: ClusterImage, guard: Guard): void {
    const claimed = new Set<string>();
    for (const { name, partitions } of image.topics)
      for (const each of partitions) claimed.add(partitionDirectoryName(name, each.partition));
    for (const [name, found] of this.#directories.allFound()) {
      if (!claimed.has(name)) for (const { directory } of found) guard(directory, () => this.#setAside(directory, name));
    }
  }

  /** In a directory that is offline nothing is changed: the next start finds it. */
  #setAside(directory: string, name: string): void {
    const given = this.#directories.byPath(directory);
    if (given !== null && !this.#directories.isOnline(given)) return;
    const { storage, random } = this.#runtime;
    const stray = markedDirectoryName(name, randomUuid(random), STRAY_DIRECTORY_SUFFIX);
    if (!storage.isDirectory(`${directory}/${name}`)) return;
    storage.rename(`${directory}/${name}`, `${directory}/${stray}`);
    storage.syncDirectory(directory);
    this.#logger.warn(`${name} belongs to no topic of this cluster`, { putAsideAs: stray });
  }
}
