// The file system that a directory lies on: whether its files are memory, and how much room there is.
// Runs on: any worker.
import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

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

export interface VolumeSizes {
  readonly totalBytes: number;
  /** What whoever is not root may still write. */
  readonly usableBytes: number;
}

/** Sizes of the volume that a directory is in; a job for the pool, since a file system on a network may keep one waiting. */
export async function volumeSizes(directory: string): Promise<VolumeSizes> {
  const { bsize, blocks, bavail } = await statfs(directory);
  const bytes = (count: number): number => Math.min(count * bsize, Number.MAX_SAFE_INTEGER);
  return { totalBytes: bytes(blocks), usableBytes: bytes(bavail) };
}
