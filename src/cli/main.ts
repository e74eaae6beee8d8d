#!/usr/bin/env node
// The entry of `naru`. It looks at Node's version before anything else is loaded, since newer code would not even parse on an old Node.
// Invariant: no static imports, nothing newer than Node 20.
// Runs on: the main thread.
const MAJOR_MIN = 24;
const major = Number.parseInt(process.versions.node, 10);

if (major < MAJOR_MIN) {
  process.stderr.write(`naru: Node ${MAJOR_MIN} or newer is needed; this is Node ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  import('./run.ts').then(
    ({ run }) => run(process.argv.slice(2)),
    (error: unknown) => {
      process.stderr.write(`naru: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
