// Keeps compiled code for the next start soon after this one: by itself Node writes it when a thread ends in order, which a process that is
// killed never does. Only where its compile cache is on (src/cli/run.ts); what was read from the cache is not written again.
// Runs on: the main thread, and worker 0, which has loaded what the others have.
import module from 'node:module';

/** Behind the first answers: to write the code takes some 10 ms of the thread's time, at the first start of a version only. */
const WRITTEN_AFTER_MS = 500;

/** Writes, a little later, what this thread has compiled by then. */
export function keepCompiledCode(afterMs = WRITTEN_AFTER_MS): void {
  if (module.getCompileCacheDir() === undefined) return;
  setTimeout(() => module.flushCompileCache(), afterMs).unref();
}
