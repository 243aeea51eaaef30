import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cluster, startCluster } from '../src/cluster.js';
import { peakMemoryBytes } from '../src/peak-memory.js';
import { casesFor } from './cases/all-cases.js';
import { type ConformanceCase } from './conformance-case.js';
import { runPair } from './pair.js';

/** The oldest major, a common one, one pair that crosses majors, the newest. */
const PAIRS = [
  [10, 10],
  [15, 15],
  [13, 18],
  [18, 18],
] as const;

/** A row of 60 MB took apply to 650 MB: what arrived, its pieces put together, the parameter, and what is not collected yet. */
const SERVICE_BYTES_MAX = 1024 * 1024 * 1024;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe.each(PAIRS)('what happens on PostgreSQL %i arrives on %i', (sourceMajor, targetMajor) => {
  const cases = casesFor(sourceMajor, targetMajor);
  let findings: ReadonlyMap<ConformanceCase, string[]>;

  beforeAll(async () => {
    findings = await runPair(cluster, { sourceMajor, targetMajor, cases });
  });

  it.each(cases.map((testCase) => [testCase.name, testCase] as const))('%s', (_, testCase) => {
    expect(findings.get(testCase)).toEqual([]);
  });
});

it.each(['capture', 'apply'])('took bounded memory: %s', async (service) => {
  expect(await peakMemoryBytes(cluster.pidOf(service))).toBeLessThan(SERVICE_BYTES_MAX);
});
