// Counts what vitest ran and says why tests were skipped; tools/run-vitest.ts reads the count.
// Not what people read while the tests run: that is vitest's own reporter, beside this one.
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

export interface TestCount {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each skipped test, with the reason that it gave. */
  readonly skips: readonly string[];
}

/** Where the count goes. Not NARU_…: those are the options of the brokers that tests start. */
export const COUNT_FILE_VARIABLE = 'TEST_COUNT_FILE';

export function countTests(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): TestCount {
  let passed = 0;
  // An error outside of all tests is a failure that no test tells.
  let failed = unhandledErrors.length;
  const skips: string[] = [];
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed++;
      else if (state === 'failed') failed++;
      else skips.push(`${module.relativeModuleId} > ${test.fullName}: ${reasonOf(test)}`);
    }
  }
  return { passed, failed, skipped: skips.length, skips };
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return note ?? (test.options.mode === 'todo' ? 'still to be written' : 'no reason given');
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env[COUNT_FILE_VARIABLE];
    if (file !== undefined) writeFileSync(file, JSON.stringify(countTests(modules, unhandledErrors)));
  }
}
