// What kind of file system a directory lies on, as far as it matters: whether its files are memory.
// Runs on: any worker, at its start.
import { statfsSync } from 'node:fs';

/** f_type of tmpfs and of ramfs: reading their files waits for nothing. */
const MEMORY_TYPES: readonly number[] = [0x0102_1994, 0x8584_58f6];

/** Whether a directory's files lie in memory alone. False where nobody says. */
export function isInMemory(directory: string): boolean {
  try {
    return process.platform === 'linux' && MEMORY_TYPES.includes(statfsSync(directory).type);
  } catch {
    return false;
  }
}
