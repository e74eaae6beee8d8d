// Memory of the machine, made ready before a run: on a virtual machine free memory goes back to the host, and every page that comes again
// costs a fault there, which would be counted as the broker's.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What a gigabyte costs to write where the pages are the machine's own, CPU-s, and how often to try for that. */
const WARM_CPU_PER_GB = 0.12;
const WARM_ROUNDS = 4;

/**
 * Touches as much memory as a run will write, in the directory's file system, until that is cheap.
 * Returns what a gigabyte cost at last, CPU-s: the floor of whatever writes there next.
 */
export function warmMemory(directory: string, bytes: number): number {
  let cost = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= WARM_ROUNDS && cost > WARM_CPU_PER_GB; round++) {
    const before = process.cpuUsage();
    touchMemory(directory, bytes);
    const { user, system } = process.cpuUsage(before);
    cost = (user + system) / 1e6 / (bytes / 1e9);
  }
  return cost;
}

/** Touches as much memory, in the directory's file system. */
function touchMemory(directory: string, bytes: number): void {
  const path = join(directory, 'warm');
  const chunk = Buffer.alloc(1 << 20, 1);
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes; written += chunk.length) writeSync(file, chunk);
  closeSync(file);
  unlinkSync(path);
}

/** Free memory is the host's again after about two seconds. */
const KEEP_INTERVAL_MS = 250;
const KEEP_BYTES = 32 * 2 ** 20;

/**
 * For a run that starts late or writes slowly: touches 128 MB a second of what is free until `work` has ended, so that what the run writes
 * next is not the host's already. Costs a twentieth of a core, of which none is counted as the broker's.
 */
export async function whileMemoryIsTouched<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => touchMemory(directory, KEEP_BYTES), KEEP_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
