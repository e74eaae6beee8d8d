// Numbers for files that have no descriptor of the operating system (memory, simulation), so that a read plan names them the same way.
// Invariant: they are below -1, which means "no file"; real descriptors are never negative. A number is good on its own thread only.
// Runs on: any thread that has such files.
import type { StorageFile } from './storage.ts';

/** The largest virtual descriptor; they count down from here. */
const FIRST = -2;

const files = new Map<number, StorageFile>();
let next = FIRST;

/** A number for `file`, until releaseVirtualDescriptor. */
export function claimVirtualDescriptor(file: StorageFile): number {
  const descriptor = next--;
  files.set(descriptor, file);
  return descriptor;
}

export function releaseVirtualDescriptor(descriptor: number): void {
  files.delete(descriptor);
}

/** The open file behind a virtual descriptor. */
export function virtualFile(descriptor: number): StorageFile | undefined {
  return files.get(descriptor);
}
