// Runs simulation scenarios by seed: `node tools/simulate.ts --seed N` replays one that failed, `--count N` runs as many from there on.
// Ends with exit code 1 at the first seed that fails, and prints the command that replays it.
import { parseArgs } from 'node:util';
import { runScenario, scenarios } from '../test/simulation/scenario.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: scenarios[0]?.name ?? '' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    /** Prints what happened when; with one seed. */
    trace: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) {
  for (const { name, about } of scenarios) console.log(`${name.padEnd(16)} ${about}`);
} else {
  const first = Number(values.seed);
  const count = Number(values.count);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
    console.error('--seed and --count are whole numbers');
    process.exit(2);
  }
  for (let seed = first; seed < first + count; seed++) {
    try {
      const { traceHash, trace, counts } = await runScenario(values.scenario, seed, { keepsTrace: values.trace && count === 1 });
      for (const line of trace) console.log(line);
      const told = Object.entries(counts).map(([name, value]) => `${name} ${value}`);
      console.log(`${values.scenario} seed ${seed}: ${told.join(', ')}; trace ${traceHash.toString(16)}`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    }
  }
}
