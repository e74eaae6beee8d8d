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
