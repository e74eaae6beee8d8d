// `.kafka_cleanshutdown`: the last broker in this directory closed every log, so that nothing needs to be checked.
// Invariant: it is there only while no broker runs; who reads it removes it before it opens a log.
// Pure, but for the storage handed in.
import type { Storage } from './storage.ts';

const CLEAN_SHUTDOWN_NAME = '.kafka_cleanshutdown';
const VERSION = 0;
/** "Unknown" in the protocol. */
export const UNKNOWN_BROKER_EPOCH = -1;

export interface CleanShutdown {
  readonly isClean: boolean;
  /** The broker epoch that the last broker had, UNKNOWN_BROKER_EPOCH where it is not told. */
  readonly brokerEpoch: number;
}

/** Reads the marker and removes it, for good before this returns: a crash from now on is an unclean stop. */
export function takeCleanShutdown(storage: Storage, directory: string): CleanShutdown {
  const path = `${directory}/${CLEAN_SHUTDOWN_NAME}`;
  const text = storage.readText(path);
  if (text === null) return { isClean: false, brokerEpoch: UNKNOWN_BROKER_EPOCH };
  storage.remove(path);
  storage.syncDirectory(directory);
  return { isClean: true, brokerEpoch: brokerEpochOf(text) };
}

/** Written last, when every log is closed and the checkpoints are on the medium. */
export function markCleanShutdown(storage: Storage, directory: string, brokerEpoch: number): void {
  storage.replaceText(`${directory}/${CLEAN_SHUTDOWN_NAME}`, `{"version":${VERSION},"brokerEpoch":${brokerEpoch}}`);
}

function brokerEpochOf(text: string): number {
  const match = /"brokerEpoch"\s*:\s*(\d{1,16})/.exec(text);
  const epoch = match === null ? UNKNOWN_BROKER_EPOCH : Number(match[1]);
  return Number.isSafeInteger(epoch) ? epoch : UNKNOWN_BROKER_EPOCH;
}
