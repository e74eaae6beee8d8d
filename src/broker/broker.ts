// Starts a broker: with threads or, where they cannot be had, without, and with the reason in the words of the settings where it cannot start.
// Runs on: the main thread. Not here: what a start does, and in which order (broker-instance.ts).
import { resolve } from 'node:path';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';
import { configureNative } from '../native/load.ts';
import { canHandOver } from '../network/hand-over.ts';
import { SpareThreads } from '../scheduler/spare-threads.ts';
import type { LeveledLogger } from '../telemetry/logger.ts';
import { type Broker, BrokerInstance } from './broker-instance.ts';
import { DescriptorBudget, isOutOfDescriptors } from './descriptor-budget.ts';
import { accessRefusal } from './directory-access.ts';
import { WORKER_ENTRY } from './worker-entry.ts';

export type { Broker, BrokerFacts } from './broker-instance.ts';

/**
 * Starts a broker. Rejects with ConfigError, StorageError, DirectoryAccessError, DirectoryLockedError, DescriptorLimitError, a listen error, or what a worker
 * failed with. `calledOff` ends the start: all of it is stopped, then the promise rejects with the signal's reason. `begun`: threads that
 * whoever lends them has started already, of WORKER_ENTRY.
 */
export async function startBroker(
  config: BrokerConfig,
  logger: LeveledLogger,
  calledOff?: AbortSignal,
  begun?: SpareThreads,
): Promise<Broker> {
  calledOff?.throwIfAborted();
  configureNative({ enabled: config.isNativeAllowed });
  const start = (spares: SpareThreads | null): Promise<Broker> => startInstance(config, logger, spares, calledOff);
  if (config.workers === 0 || !config.isNativeAllowed) {
    void begun?.end();
    return start(null);
  }
  if (begun === undefined) return SpareThreads.lend(WORKER_ENTRY, config.workers, start);
  begun.begin(config.workers); // First of all: they load their modules beside what follows.
  return start(begun);
}

async function startInstance(
  config: BrokerConfig,
  logger: LeveledLogger,
  spares: SpareThreads | null,
  calledOff: AbortSignal | undefined,
): Promise<Broker> {
  let { workers } = config;
  const descriptors = new DescriptorBudget();
  if (workers > 0 && !canHandOver()) {
    logger.warn(`naru.workers=${workers}: without native calls connections cannot be given to threads, so one thread does everything`);
    workers = 0;
    await spares?.end();
  }
  try {
    const instance = new BrokerInstance({ ...config, workers }, logger, descriptors, spares);
    await instance.start(calledOff ?? new AbortController().signal);
    return instance;
  } catch (error) {
    const refusal = accessRefusal(
      error,
      [...config.logDirs, config.metadataLogDir].map((each) => resolve(each)),
    );
    if (refusal !== null) throw refusal;
    if (isOutOfDescriptors(error)) throw descriptors.tooFew(error);
    throw error instanceof RangeError && error.message === 'Array buffer allocation failed' ? tooMuchMemory(config) : error;
  }
}

/** How much there is to be had depends on the machine and on what else runs, so it shows only when it is asked for. */
function tooMuchMemory({ memoryMaxBytes }: BrokerConfig): ConfigError {
  const message = `naru.memory.max=${memoryMaxBytes}: this process cannot get so much memory (allowed: at least 16777216, at most what the machine can give)`;
  return new ConfigError(message, 'naru.memory.max', String(memoryMaxBytes));
}
