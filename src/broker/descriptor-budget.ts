// How the descriptors that the process may open are shared: connections get numbers below a bound, so that those above it are left for files
// to come; the bound follows the partitions that are made and deleted, which controllers refuse beyond a share of their own (partition-room.ts).
// Invariant: a broker that serves can take CONNECTIONS_MIN connections at least, or does not start.
// Runs on: the main thread, at the start. Not here: refusing a connection (src/network/listener.ts).
import { closeSync, openSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { raiseDescriptorLimit } from '../native/raise-descriptor-limit.ts';
import { DESCRIPTORS_PER_PARTITION, raiseLimit } from './descriptor-advice.ts';
import type { DescriptorShare } from './partition-room.ts';

/** Kept back from connections, for the files of logs to come: three a segment that is open. */
const FILE_DESCRIPTORS_MIN = 4096;
/** A broker that can take fewer connections than this does not start: each client has several. */
const CONNECTIONS_MIN = 32;
/** Besides, a socket has two for a moment while a thread is given it, and a file may be open that is soon closed. */
const PASSING_DESCRIPTORS = 8;
/** What connections share where nobody can tell the limit: what most systems allow. */
const USUAL_LIMIT = 1024;

/** The process may open too few files to serve anybody. */
export class DescriptorLimitError extends Error {
  override readonly name = 'DescriptorLimitError';
  readonly code = 'ERR_DESCRIPTOR_LIMIT';
}

/** Somebody has run out of descriptors: a log, a listener, a thread. Errors that come from threads have their text alone. */
export function isOutOfDescriptors(error: unknown): error is Error {
  return Error.isError(error) && /\bEMFILE\b/.test(error.message);
}

export class DescriptorBudget {
  /** Connections are refused from this number on. */
  connectionsEnd: number;
  /** How many the process may open; null where nobody can tell. */
  readonly limit: number | null;
  /** Open at the end of the start. */
  #used = 0;

  /** Raises the soft limit to the hard one, where native calls can do that. */
  constructor() {
    this.limit = raiseDescriptorLimit()?.() ?? softLimit();
    const limit = this.limit ?? USUAL_LIMIT;
    this.connectionsEnd = limit - fileReserve(limit);
  }

  /** The limit for a line of the log: JSON has no infinite number. Undefined where nobody can tell. */
  get limitText(): number | 'unlimited' | undefined {
    if (this.limit === null) return undefined;
    return Number.isFinite(this.limit) ? this.limit : 'unlimited';
  }

  /** Shares what is left, once all that the start opens is open. Throws DescriptorLimitError. */
  share(): void {
    if (this.limit === null) return;
    const used = lowestFreeDescriptor();
    const left = this.limit - used;
    const needed = CONNECTIONS_MIN + PASSING_DESCRIPTORS;
    if (left - fileReserve(left) < needed) throw this.#refusal(`at least ${used + 2 * needed} are needed here`, used);
    this.connectionsEnd = this.limit - fileReserve(left);
    this.#used = used;
  }

  /**
   * What new partitions are measured by, once it is shared; null where nothing limits them. A quarter is kept back, of large limits as much as
   * files and connections are guaranteed together, and in any case more than the next start asks for.
   */
  get partitionShare(): DescriptorShare | null {
    const { limit } = this;
    if (limit === null || !Number.isFinite(limit)) return null;
    const kept = Math.max(3 * (CONNECTIONS_MIN + PASSING_DESCRIPTORS), Math.min(2 * FILE_DESCRIPTORS_MIN, Math.ceil(limit / 4)));
    return { limit, used: this.#used, kept };
  }

  /**
   * Since the start `count` partitions have come. Their files have numbers below the bound as well: were it to stay, they would keep all
   * connections out.
   */
  notePartitions(count: number): void {
    if (this.limit === null || !Number.isFinite(this.limit)) return;
    const used = this.#used + DESCRIPTORS_PER_PARTITION * Math.max(0, count);
    this.connectionsEnd = this.limit - fileReserve(Math.max(0, this.limit - used));
  }

  /** The start broke off since there were too few to open all that it opens. */
  tooFew(cause: Error): DescriptorLimitError {
    return this.#refusal(`more are needed here (${cause.message})`, this.limit ?? 0, cause);
  }

  #refusal(need: string, used: number, cause?: Error): DescriptorLimitError {
    const message = `the limit of open files is ${this.limit ?? 'too low'}; ${need}: raise it with ${raiseLimit(used)}`;
    return new DescriptorLimitError(message, { cause });
  }
}

/** How many of the descriptors that are left are kept for files: half of them, where there are few. */
function fileReserve(left: number): number {
  return Math.min(FILE_DESCRIPTORS_MIN, Math.ceil(left / 2));
}

/** The number that the next descriptor gets. Numbers are given from below, so that about as many are in use. */
function lowestFreeDescriptor(): number {
  const descriptor = openSync(devNull, 'r');
  closeSync(descriptor);
  return descriptor;
}

const OWN_DESCRIPTORS = '/proc/self/fd';

/**
 * How many the process has open; null where nobody can tell. Linux tells it as the folder's size from 6.2 on, in 0.1 ms and without opening
 * anything; before, the folder is read, off the loop: some 40 ms of a busy machine's pool for 10,000, of which the loop sees the list alone.
 */
export async function openDescriptors(): Promise<number | null> {
  try {
    const { size } = await stat(OWN_DESCRIPTORS);
    return size > 0 ? size : (await readdir(OWN_DESCRIPTORS)).length - 1; // Less the one that it is read by.
  } catch {
    return null; // No Linux, or none is left to read it by.
  }
}

/** The limit as it stands, where no native call can raise it. */
function softLimit(): number | null {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  report.excludeNetwork = true; // Otherwise it asks for the names of all peers.
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  report.excludeNetwork = excludeNetwork;
  const soft = userLimits?.open_files?.soft;
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
  return typeof soft === 'number' ? soft : null;
}
