import { z } from 'zod';

/** What a step counts; a lint or type step is one test. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 };
export const ONE_PASSED: Counts = { ...NO_COUNTS, passed: 1 };
export const ONE_FAILED: Counts = { ...NO_COUNTS, failed: 1 };

export function addCounts(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/** The part of Jest's `--json` output that is counted. */
const JestResults = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
});

/** @param json what Jest wrote; `null` when it wrote nothing, which is a failure whatever its exit code says. */
export function countJestResults(json: string | null, isSuccess: boolean): Counts {
  if (json === null) return ONE_FAILED;
  const results = JestResults.parse(JSON.parse(json));
  // A suite that could not be loaded has no tests that could fail, and counts as one.
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && !isSuccess ? 1 : failed,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
