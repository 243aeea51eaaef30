import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cluster, startCluster } from '../src/cluster.js';
import { peakMemoryBytes } from '../src/peak-memory.js';
import { casesFor } from './cases/all-cases.js';
import { type ConformanceCase } from './conformance-case.js';
import { type PairOptions, runPair } from './pair.js';

/** The oldest major, a common one, one pair that crosses majors, the newest, which sends transactions while they run. */
const PAIRS: readonly (Omit<PairOptions, 'cases'> & { readonly mode: string })[] = [
  { sourceMajor: 10, targetMajor: 10, mode: 'sent when it commits' },
  { sourceMajor: 15, targetMajor: 15, mode: 'sent when it commits' },
  { sourceMajor: 13, targetMajor: 18, mode: 'sent when it commits' },
  { sourceMajor: 18, targetMajor: 18, mode: 'sent while it runs', isStreamed: true },
];

/** A row of 60 MB took apply to 361 MiB, one of 200 MB to 794: the row, the message that it is written with, and what is not collected yet. */
const SERVICE_BYTES_MAX = 1024 * 1024 * 1024;

/** Can be applied while it runs. Values of each type are written by the same code whenever they come, so the other pairs are enough for them. */
const isFollowed = ({ name, needsWhole = false }: ConformanceCase): boolean => !needsWhole && !/^type /.test(name);

/** Why running transactions may be asked for as a whole whatever they do: apply has bounds. */
const BOUNDS = ['too many subtransactions', 'more transactions than connections', 'locks are waited for'];

let cluster: Cluster;

beforeAll(async () => {
  // What cannot be followed while it runs is sent whole for a moment only, so that most is followed.
  cluster = await startCluster({ env: { SLUICE_CAPTURE_WHOLE_MS: '100', SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: '500' } });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe.each(PAIRS)('what happens on PostgreSQL $sourceMajor arrives on $targetMajor, $mode', (pair) => {
  const { sourceMajor, targetMajor } = pair;
  const cases = casesFor(sourceMajor, targetMajor).filter((testCase) => !pair.isStreamed || isFollowed(testCase));
  let findings: ReadonlyMap<ConformanceCase, string[]>;
  let loggedBefore = 0;

  beforeAll(async () => {
    loggedBefore = cluster.logOf('apply').length;
    findings = await runPair(cluster, { ...pair, cases });
  });

  it.each(cases.map((testCase) => [testCase.name, testCase] as const))('%s', (_, testCase) => {
    expect(findings.get(testCase)).toEqual([]);
  });

  if (pair.isStreamed) {
    it('nothing in it had to be sent again for what it is', () => {
      expect(reasonsToSendAgain(cluster.logOf('apply').slice(loggedBefore))).toEqual([]);
    });
  }
});

it.each(['capture', 'apply'])('took bounded memory: %s', async (service) => {
  expect(await peakMemoryBytes(cluster.pidOf(service))).toBeLessThan(SERVICE_BYTES_MAX);
});

function reasonsToSendAgain(log: string): string[] {
  const reasons = [...log.matchAll(/"reason":"((?:[^"\\]|\\.)*)","msg":"running transactions are asked for again/g)];
  return reasons.flatMap(([, reason = '']) => (BOUNDS.includes(reason) ? [] : [reason]));
}
