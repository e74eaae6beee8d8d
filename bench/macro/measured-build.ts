// Which build was measured, told with each line of results: lines of one build bear the same digest, whatever was committed or changed meanwhile.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MeasuredBuild {
  /** As `git describe --always --dirty` tells it. Results that are written do not make a tree dirty. */
  readonly commit: string;
  /** Of the names and bytes of all files of the bundle, the beginning of its SHA-256. */
  readonly build: string;
}

/** What stands in `dist`, and what the working tree is right now. */
export function measuredBuild(dist = 'dist'): MeasuredBuild {
  const described = execFileSync('git', ['describe', '--always'], { encoding: 'utf8' }).trim();
  const isClean = spawnSync('git', ['diff', '--quiet', 'HEAD', '--', ':/', ':(top,exclude)bench/results']).status === 0;
  const digest = createHash('sha256');
  for (const name of readdirSync(dist).sort()) digest.update(name).update(readFileSync(join(dist, name)));
  return { commit: isClean ? described : `${described}-dirty`, build: digest.digest('hex').slice(0, 12) };
}
