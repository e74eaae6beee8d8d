// What Apache Kafka's dump-log says of the files of a data directory. It complains in words and exits with 0.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const COMPLAINT = /mismatch|non-consecutive|exception|error|could not|corrupt|unknown|isvalid: false|skipping|out of order|\bKO\b/i;

/** What dump-log says of one file. */
export interface Dump {
  readonly path: string;
  readonly text: string;
}

/**
 * The tool holds -1 for the offset before the first one of every file, and complains of each segment but the first, Apache Kafka's own
 * included. A first offset that is not the one in the file's name stays.
 */
export function withoutFirstOffsets(err: string): string {
  return err.replace(/^Non-consecutive offsets in .*\/0*(\d+)\.log\n {2}-1 is followed by \1\n/gm, '');
}

export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The output by file; mismatches that are told at the end, together, stay with the last one. */
export function splitDumps(output: string): Dump[] {
  return output
    .split(/^Dumping /m)
    .slice(1)
    .map((text) => ({ path: text.slice(0, text.indexOf('\n')), text: text.slice(text.indexOf('\n') + 1) }));
}
