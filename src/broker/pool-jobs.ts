// What a worker may have its pool do, by the jobs' names.
import { RECOMPRESS_JOB, type RecompressTask, recompress } from '../log/recompress.ts';

/** Each takes a task of its own type; who submits it knows which. The threads export the same functions (pool-main.ts). */
export const poolJobs: Readonly<Record<string, (task: never) => unknown>> = {
  [RECOMPRESS_JOB]: (task: RecompressTask) => recompress(task),
};
