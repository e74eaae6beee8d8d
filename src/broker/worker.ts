// One worker of a broker: its actors and what joins them. Built the same in a thread of its own and in the caller's thread.
// Runs on: every worker. The order of construction is the order of dependence: metadata, partitions, handlers, network.
import { SharedWords, WORD_BYTES } from '../actors/shared-words.ts';
import { assert } from '../base/assert.ts';
import { MINUTE_MS } from '../base/units.ts';
import { logOptions } from '../config/broker-log-options.ts';
import { naruOptions } from '../config/naru-options.ts';
import { CoordinatorClient } from '../coordinator/coordinator-client.ts';
import { CoordinatorHost } from '../coordinator/coordinator-host.ts';
import { groupRefusal } from '../groups/group-refusals.ts';
import { isInMemory } from '../log/file-system.ts';
import type { StorageError } from '../log/storage.ts';
import { MetadataActor } from '../metadata/metadata-actor.ts';
import type { QuorumActor } from '../metadata/quorum-actor.ts';
import type { Acceptance } from '../network/connection-info.ts';
import { NetworkActor } from '../network/network-actor.ts';
import { SlowRequests } from '../network/slow-requests.ts';
import { SocketTransport } from '../network/socket-transport.ts';
import { PartitionClient } from '../partition/partition-client.ts';
import { PartitionHost } from '../partition/partition-host.ts';
import { PartitionMeter } from '../partition/partition-meter.ts';
import { PartitionWords, SLOT_COUNT_MAX } from '../partition/partition-words.ts';
import { apiName } from '../protocol/api-keys.ts';
import type { Runtime, SupervisorPort, WorkerApp } from '../scheduler/runtime.ts';
import { type Logger, loggerTo } from '../telemetry/logger.ts';
import { tellChanges } from './cluster-news.ts';
import { createQuorum, metadataEnds, startController, tellCordoned, tellFailure } from './controller.ts';
import { ControllerClient, serveController } from './controller-client.ts';
import { groupCoordinators } from './group-coordinators.ts';
import { handlerTable } from './handler-table.ts';
import { KnownDirectories } from './known-directories.ts';
import { watchConnectionLimits } from './live-connection-limits.ts';
import { LiveOptions } from './live-options.ts';
import { LogLevelControl } from './log-level.ts';
import { LogStarts } from './log-starts.ts';
import { LogUpkeep } from './log-upkeep.ts';
import { watchMessageSizes } from './message-size-watch.ts';
import { gatherReport } from './metrics/worker-report.ts';
import { OptionWarnings } from './option-warnings.ts';
import { PartitionLogs } from './partition-logs.ts';
import { PartitionAnswers, PartitionQuestions } from './partition-questions.ts';
import { PartitionRoom } from './partition-room.ts';
import { abandonFetches } from './pending-fetch.ts';
import { createSegmentReader } from './segment-reader.ts';
import { coordinatorBitsAt } from './shared-region.ts';
import type { BetweenBrokerWorkers, BrokerWorkerData, FromBrokerWorker, ToBrokerWorker } from './worker-data.ts';

const CONTROLLER_WORKER = 0;

function slowRequests(thresholdMs: number, runtime: Runtime, logger: Logger): SlowRequests {
  return new SlowRequests({
    thresholdMs,
    nowMs: () => runtime.clock.monotonicMs(),
    apiName,
    log: (fields) => logger.of('network').warn('slow request', fields),
  });
}

export interface BrokerWorker extends WorkerApp {
  /** For connections that are in this thread already. */
  readonly network: NetworkActor;
}

/** Builds a worker; a WorkerFactory. */
export function createBrokerWorker(runtime: Runtime, data: BrokerWorkerData, supervisor: SupervisorPort): BrokerWorker {
  const { config } = data;
  const { exchange, workerIndex } = runtime;
  const tell = (message: FromBrokerWorker): void => supervisor.send(message);
  const logger = loggerTo((line) => tell({ type: 'log', line }), config.naruLogLevel);

  const metadata = new MetadataActor({
    clusterId: data.clusterId,
    workerIndex,
    sendApplied: (message) => logs.whenSynced(() => runtime.sendControl(CONTROLLER_WORKER, message)),
  });
  const quorum: QuorumActor | null =
    workerIndex === CONTROLLER_WORKER ? createQuorum(runtime, data, logger.of('metadata'), onMetadataLogFailure) : null;
  const controller = new ControllerClient(runtime);
  const options = new LiveOptions(config, metadata); // The first to hear of a change: whoever hears of it next may ask for values.
  const logLevel = new LogLevelControl(runtime, logger, (level) => tell({ type: 'log-level', level }));
  const room = new PartitionRoom({
    config,
    after: (delayMs, task) => runtime.after(delayMs, task),
    onMore: (count) => tell({ type: 'more-partitions', count }),
  });
  if (workerIndex === CONTROLLER_WORKER) {
    metadata.onChange((change, image) => room.onChange(change, image));
    watchConnectionLimits(options, config, (limits) => tell({ type: 'connection-limits', limits }));
    options.watch([naruOptions.naruLogLevel], () => logLevel.order(options.valueOf(naruOptions.naruLogLevel)));
    const warnings = new OptionWarnings(config, (message) => logger.of('config').warn(message));
    metadata.onChange((change, image) => warnings.onChange(change, image));
    tellChanges(metadata, logger.of('metadata'));
    watchMessageSizes(metadata, config, runtime.arena.capacityBytes, logger.of('config'));
  }

  const words = new PartitionWords({
    region: runtime.shared,
    slotCount: SLOT_COUNT_MAX,
    workerCount: runtime.workerCount,
    selfIndex: workerIndex,
    signal: (worker) => exchange.signal(worker),
  });
  const host = new PartitionHost(
    runtime,
    words,
    () => metadata.appliedOffset,
    (directory, { message }) => {
      onOffline(directory, message);
      for (let worker = 0; worker < runtime.workerCount; worker++) {
        if (worker !== workerIndex)
          runtime.sendControl(worker, { type: 'directory-offline', directory, error: message } satisfies BetweenBrokerWorkers);
      }
    },
  );
  const directories = new KnownDirectories(data, host);
  const starts = new LogStarts((offsets) => tell({ type: 'log-starts', starts: offsets }));
  const upkeep = new LogUpkeep(runtime, config, host, logger.of('log'));
  const logs = new PartitionLogs(runtime, data, host, directories, logger.of('log'), {
    onPartitionsChanged: () => reportEnds(null),
    onOpened: (opened) => tell({ type: 'logs-opened', opened }),
  });
  metadata.onChange((change, image) => logs.onChange(change, image));
  // A start finds no checkpoint's row for a log whose directory is not there: the log would begin at 0 again.
  host.deletion.persistStarts = (replicas, done) => logs.whenMadeSynced(replicas, () => starts.persist(replicas, done));
  const partitions = new PartitionClient(
    exchange,
    () => metadata.appliedOffset,
    () => runtime.wake(),
    new PartitionMeter(runtime.slots.partitions),
  );

  const questions = new PartitionQuestions(runtime, () => metadata.appliedOffset);
  const answers = new PartitionAnswers(runtime, host, () => metadata.appliedOffset);

  const reader = createSegmentReader(runtime, { ...config, isInMemory: data.directories.every(({ path }) => isInMemory(path)) });
  const coordinatorBits = { words: new SharedWords(runtime.shared), firstWord: coordinatorBitsAt(runtime.workerCount) / WORD_BYTES };
  const coordinatorHost = new CoordinatorHost({
    runtime,
    partitions: host,
    metadata,
    reader,
    logger: logger.of('coordinator'),
    ...coordinatorBits,
    kinds: [groupCoordinators(config, options, metadata.image)],
    noteError: (apiKey, errorCode) => network.meter.noteError(apiKey, errorCode),
    refusal: ({ apiKey, apiVersion, body }, errorCode) => groupRefusal(apiKey, apiVersion, body, errorCode),
  });
  metadata.onChange((change) => coordinatorHost.onChange(change)); // Behind the logs: the partitions are there.
  const coordinators = new CoordinatorClient({
    exchange,
    arena: runtime.arena,
    ...coordinatorBits,
    metadataOffset: () => metadata.appliedOffset,
    wake: () => runtime.wake(),
  });

  const context = {
    runtime,
    config,
    options,
    logLevel,
    logger,
    nodeId: config.nodeId,
    directories,
    metadata,
    partitions,
    words,
    controller,
    questions,
    coordinators,
    reader,
  };
  const slow = slowRequests(config.naruSlowRequestMs, runtime, logger);
  options.watch([naruOptions.naruSlowRequestMs], () => {
    slow.thresholdMs = options.valueOf(naruOptions.naruSlowRequestMs);
  });
  const network = new NetworkActor(runtime, {
    rows: handlerTable(context),
    requestBytesMax: config.socketRequestMaxBytes,
    inflightMax: config.connectionInflightMax,
    stallMs: config.connectionStallMs,
    log: (line) => logger.of('network').warn(line),
    slots: runtime.slots,
    slow,
    onConnectionClosed: abandonFetches,
    onClosed: (tickets) => tell({ type: 'connections-closed', tickets }),
    idleMs: config.connectionsMaxIdleMs,
  });

  /** `unclean`: of the last report, which directories were not left in order. */
  const reportEnds = (unclean: readonly string[] | null): void => {
    const ends = quorum === null ? logs.ends() : [metadataEnds(quorum, data), ...logs.ends()];
    tell({ type: 'ends', ends, isFinal: unclean !== null, unclean: unclean ?? [] });
  };
  const checkpoint = (): void => {
    if (logs.hasOpened) reportEnds(null); // Who has not opened the logs would say that there are none.
    runtime.after(config.logFlushOffsetCheckpointIntervalMs, checkpoint);
  };
  runtime.after(Math.min(config.logFlushOffsetCheckpointIntervalMs, MINUTE_MS), checkpoint);
  const checkpointStarts = (): void => {
    const moved = [...host.replicas()].filter(({ log, persistedStart, isOffline }) => log.logStartOffset > persistedStart && !isOffline);
    if (moved.length > 0) host.deletion.persist(moved);
    runtime.after(config.logFlushStartOffsetCheckpointIntervalMs, checkpointStarts);
  };
  runtime.after(config.logInitialTaskDelayMs, checkpointStarts);
  let isServing = false;
  const cordoned = (): readonly string[] => directories.cordoned(options.valueOf(logOptions.cordonedLogDirs));
  if (quorum !== null) {
    options.watch([logOptions.cordonedLogDirs], () => {
      if (isServing && !quorum.isSuspended) tellCordoned(quorum, data, cordoned());
    });
    runtime.post(() =>
      startController(quorum, data, directories, cordoned, logger.of('log'), (brokerEpoch) => {
        isServing = true;
        tell({ type: 'serving', brokerEpoch });
      }),
    );
  }

  /** A start needs the metadata log; afterwards its errors are those of the directory that it lies in. */
  function onMetadataLogFailure(error: StorageError): void {
    if (isServing) host.takeOffline(data.metadataDirectory.path, error);
    else runtime.fail(new Error(`the cluster metadata cannot be written: ${error.message}`, { cause: error }));
  }

  /** Several workers may meet the failure before they hear of each other's: worker 0 says it, once. */
  function onOffline(directory: string, error: string): void {
    if (quorum === null) return;
    const isNeeded = directories.isNeeded(directory);
    tell({ type: 'offline', directory, error, isNeeded });
    logger.of('log').error('the log directory failed and is offline', { directory, error });
    if (isNeeded) quorum.suspend();
    else tellFailure(quorum, data, directory);
  }

  /**
   * Of a stop: how many workers have no connections left. Logs are closed when none has: a client of another worker that is still
   * being answered would be refused its record otherwise (NOT_LEADER_OR_FOLLOWER).
   */
  let endedCount = 0;
  let closeLogs = (): void => {};

  function onControl(from: number, message: BetweenBrokerWorkers): void {
    switch (message.type) {
      case 'metadata-snapshot':
      case 'metadata-batch':
        metadata.receive(message);
        host.onMetadataApplied();
        answers.onMetadataApplied();
        return;
      case 'metadata-applied':
        assert(quorum !== null, 'only the controller hears what was applied');
        quorum.receive(message);
        return;
      case 'controller-request':
        assert(quorum !== null, 'only the controller is asked');
        serveController(quorum, room, runtime, from, message);
        return;
      case 'directory-offline':
        if (host.isOffline(message.directory)) return;
        host.goOffline(message.directory);
        onOffline(message.directory, message.error);
        return;
      case 'connections-ended':
        if (++endedCount === runtime.workerCount) closeLogs();
        return;
      case 'log-level-wanted':
      case 'log-level':
      case 'log-level-holds':
        logLevel.receive(from, message);
        return;
      case 'controller-response':
        controller.receive(message);
        return;
      case 'partitions-request':
        answers.receive(from, message);
        return;
      case 'partitions-response':
        questions.receive(message);
    }
  }

  return {
    network,
    onControl: (from, message) => onControl(from, message as BetweenBrokerWorkers),
    onSupervisor(message) {
      const told = message as ToBrokerWorker;
      if (told.type === 'log-starts-written') return starts.onWritten(told.failed);
      if (told.type === 'directory-failed') return host.takeOffline(told.directory, { message: told.error });
      if (told.type === 'descriptors') return room.begin(told.share, metadata.image);
      if (told.type === 'connections-open') {
        room.connectionCount = told.count;
        return;
      }
      if (told.type === 'close-idlest') return network.closeIdlest(told.listener);
      const sources = { runtime, host, coordinators: coordinatorHost };
      gatherReport(sources, told.partitionsMax, (report) => tell({ type: 'report', id: told.id, report }));
    },
    onConnection: (descriptor, about) => void network.adopt(new SocketTransport(descriptor), about as Acceptance),
    abandon: () => network.abandonAll(),
    stop(done) {
      closeLogs = () => {
        quorum?.stop();
        coordinatorHost.close();
        upkeep.close();
        // What the pool still has lies in memory that must stay as it is, of requests whose connections may be gone.
        host.whenIdle(() =>
          logs.close((unclean) => {
            reportEnds(unclean);
            done();
          }),
        );
      };
      network.closeAll(() => {
        for (let worker = 0; worker < runtime.workerCount; worker++) {
          runtime.sendControl(worker, { type: 'connections-ended' } satisfies BetweenBrokerWorkers);
        }
      });
    },
  };
}
