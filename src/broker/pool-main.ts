// The entry of a pool thread. Its exports are the jobs, under the names of pool-jobs.ts.
import { recompress as recompressBatch } from '../log/recompress.ts';
import { handingOver } from '../scheduler/pool-thread.ts';

export const recompress = handingOver(recompressBatch, ({ grown }) => grown?.buffer ?? null);
