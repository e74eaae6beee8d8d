// A disk of a few pages that really fills up: a tmpfs, for which the tests have to run as root on Linux.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SmallDisk {
  readonly #mountPoint: string;

  /** `pages` of memory hold all there will be: each file takes whole pages. */
  constructor(pages: number) {
    this.#mountPoint = mount(pages);
  }

  /** A directory on it. */
  directory(name: string): string {
    const path = join(this.#mountPoint, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  resize(pages: number): void {
    execFileSync('mount', ['-o', `remount,nr_blocks=${pages}`, this.#mountPoint], { stdio: 'pipe' });
  }

  /** Takes all that is free. */
  fill(): void {
    const page = Buffer.alloc(4096);
    try {
      for (;;) writeFileSync(join(this.#mountPoint, 'filler'), page, { flag: 'a' });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }

  /** With all that is on it. */
  remove(): void {
    execFileSync('umount', ['--lazy', this.#mountPoint], { stdio: 'pipe' });
    rmdirSync(this.#mountPoint);
  }
}

function mount(pages: number): string {
  const mountPoint = mkdtempSync(join(tmpdir(), 'naru-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `nr_blocks=${pages}`, 'naru-test', mountPoint], { stdio: 'pipe' });
  } catch (error) {
    rmdirSync(mountPoint);
    throw error;
  }
  return mountPoint;
}

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'a disk that is full needs tmpfs';
  if (process.getuid?.() !== 0) return 'a disk that is full needs root, to mount a tmpfs';
  try {
    new SmallDisk(1).remove(); // Hence this stands behind the class.
    return null;
  } catch (error) {
    if (!(error instanceof Error && 'status' in error)) throw error; // Of this file, not of the command.
    return 'a disk that is full needs a tmpfs, which cannot be mounted here';
  }
}

/** Why there can be no such disk here, or null. */
export const noSmallDisk: string | null = whyNot();
