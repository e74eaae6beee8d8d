// Memory of the machine, made ready before a run: on a virtual machine free memory goes back to the host, and every page that comes again
// costs a fault there, which would be counted as the broker's.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Touches as much memory as a run will write, in the directory's file system. */
export function touchMemory(directory: string, bytes: number): void {
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
 * For a run that writes slowly: touches 128 MB a second of what is free until the returned function is called, so that what the run writes
 * next is not the host's already. Costs a twentieth of a core.
 */
export function keepMemoryTouched(directory: string): () => void {
  const timer = setInterval(() => touchMemory(directory, KEEP_BYTES), KEEP_INTERVAL_MS);
  return () => clearInterval(timer);
}
