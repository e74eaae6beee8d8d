// Skips tests with a reason that the end of the test run repeats (tools/test-reporter.ts).
import { beforeEach } from 'vitest';

/** Skips every test of the suite that calls it, where there is a reason. Its beforeAll hooks run all the same. */
export function skipSuite(reason: string | null): void {
  beforeEach((context) => context.skip(reason !== null, reason ?? ''));
}
