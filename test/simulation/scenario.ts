// What a simulation scenario is, the list of them, and how one is run so that a failure says how to run it again.
import { broker } from './scenarios/broker.ts';
import { groups } from './scenarios/groups.ts';
import { journal } from './scenarios/journal.ts';

/** A story with a seed. Its invariants are its own: it throws when one does not hold. */
export interface Scenario {
  readonly name: string;
  /** One line for `--list`. */
  readonly about: string;
  /** The same seed gives the same outcome, trace included. */
  run(seed: number, options: ScenarioOptions): Promise<ScenarioOutcome>;
}

export interface ScenarioOptions {
  /** Keep the trace as text: large. */
  readonly keepsTrace: boolean;
}

export interface ScenarioOutcome {
  readonly traceHash: number;
  /** Empty unless it was asked for. */
  readonly trace: readonly string[];
  /** What happened, in numbers: for the eye, and so that a test can tell that something did. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A scenario is added here. */
export const scenarios: readonly Scenario[] = [journal, broker, groups];

/** A scenario that failed: `message` names the seed and the command that replays it. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

/** Runs one scenario with one seed; throws a SimulationFailure. */
export async function runScenario(name: string, seed: number, options: ScenarioOptions = { keepsTrace: false }): Promise<ScenarioOutcome> {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}; there are ${scenarios.map((known) => known.name).join(', ')}`);
  try {
    return await scenario.run(seed, options);
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new SimulationFailure(
      `scenario ${name} failed with seed ${seed}; replay: node tools/simulate.ts --scenario ${name} --seed ${seed}\n${reason}`,
      {
        cause: error,
      },
    );
  }
}

/** Seeds for a test run: a fixed range, or those of NARU_SEEDS (`from-to` or a single one). */
export function seedsOf(from: number, count: number): number[] {
  const given = process.env.NARU_SEEDS;
  const [first = from, last = given === undefined ? from + count - 1 : first] = (given?.split('-') ?? []).map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
