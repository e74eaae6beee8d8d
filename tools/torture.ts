// Tortures a broker with real threads: `node tools/torture.ts --minutes 5 --workers 2`, and `--seed N` for what a failure named. By hand; a short
// run is one of the tests. Exit code 1 at the first contradiction.
import { parseArgs } from 'node:util';
import { torture } from '../test/support/torture/torture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Without native parts. */
    plain: { type: 'boolean', default: false },
  },
});
const [minutes, workers, seed] = [values.minutes, values.workers, values.seed].map(Number) as [number, number, number];
if (!(minutes > 0) || !Number.isSafeInteger(workers) || !Number.isSafeInteger(seed)) {
  console.error('--minutes, --workers and --seed are numbers');
  process.exit(2);
}
console.log(`seed ${seed}, ${workers} workers, ${minutes} minutes${values.plain ? ', without native parts' : ''}`);
const environment: Record<string, string> = values.plain ? { NARU_NATIVE: 'off' } : {};
try {
  const outcome = await torture({ workers, seed, durationMs: minutes * 60_000, environment, report: (line) => console.log(line) });
  console.log(`nothing wrong: ${JSON.stringify(outcome)}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
