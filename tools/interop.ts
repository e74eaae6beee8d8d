// `npm run test:interop`: Kafka's own tools and clients in other languages against a broker of ours, and the image and the unit of `packaging`.
// Needs Java, Go, Python, kcat, podman and systemd-nspawn, and says what it skips where one is absent; the last line is the sum. Takes minutes.
// `npm run test:interop -- --workers 0,1,2` runs all of it at each number of workers; `--install` gets Debian's packages that are absent, as
// root; other arguments name the test files to run.
import { parseArgs } from 'node:util';
import { printCount, runVitest } from './run-vitest.ts';

function main(): void {
  const { values, positionals } = parseArgs({
    options: { workers: { type: 'string', default: '1' }, install: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (!/^\d+(,\d+)*$/.test(values.workers)) {
    console.error(`--workers takes numbers with commas between them; "${values.workers}" was given`);
    process.exitCode = 2;
    return;
  }
  const count = runVitest({
    reporter: 'verbose',
    args: ['--config', 'vitest.interop.config.ts', ...positionals],
    environment: { NARU_INTEROP_WORKERS: values.workers, ...(values.install ? { NARU_INTEROP_INSTALL: '1' } : {}) },
  });
  printCount(count);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

main();
