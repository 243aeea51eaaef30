import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cluster, startCluster } from '../src/cluster.js';
import { encodingCases, ENCODING_PAIRS } from './cases/encodings.js';
import { type ConformanceCase } from './conformance-case.js';
import { runPair } from './pair.js';

/** The newest in which two encodings and both forms of values meet; a conversion is the same in all. */
const MAJOR = 17;
const PAIRS = ENCODING_PAIRS.map((pair) => ({ pair, cases: encodingCases(pair) }));

let cluster: Cluster;
let runs: readonly Promise<ReadonlyMap<ConformanceCase, string[]>>[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  const shared = { sourceMajor: MAJOR, targetMajor: MAJOR, followsDdl: true } as const;
  // Beside each other, as they mostly wait. Whoever looks at one is told of its failure.
  runs = PAIRS.map(({ pair, cases }) => runPair(cluster, { ...shared, encodings: pair, cases }));
  await Promise.allSettled(runs);
});
afterAll(async () => cluster[Symbol.asyncDispose]());

describe.each(PAIRS.map(({ pair, cases }, index) => ({ ...pair, cases, index })))(
  'what is encoded in $source arrives in $target, values as binary: $isBinary',
  ({ cases, index }) => {
    it.each(cases.map((testCase) => [testCase.name, testCase] as const))('%s', async (_, testCase) => {
      expect((await runs[index])?.get(testCase)).toEqual([]);
    });
  },
);
