import { type Client, quoteIdentifier } from '@sluice/postgres-client';
import { type TestDatabase } from '@sluice/testing';
import { type ConformanceCase } from './conformance-case.js';

const searchPath = ({ name }: ConformanceCase): string => `SET search_path = ${quoteIdentifier(name)}, public`;

/** Structure and first rows of a case, in a schema of its own. */
export async function setUpCase(session: Client, testCase: ConformanceCase): Promise<void> {
  await explain(testCase, async () => {
    await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(testCase.name)}; ${searchPath(testCase)}`);
    await session.query(testCase.setup);
  });
}

/** The traffic of a case, from its own sessions. */
export async function runTraffic(source: TestDatabase, testCase: ConformanceCase): Promise<void> {
  await using sessions = new AsyncDisposableStack();
  const open = async (): Promise<Client> => {
    const session = sessions.use(await source.connect());
    await session.query(searchPath(testCase));
    return session;
  };
  const { traffic } = testCase;
  await explain(testCase, async () => {
    if (typeof traffic === 'function') return traffic({ open });
    const session = await open();
    for (const transaction of traffic) await session.query(transaction);
  });
}

async function explain(testCase: ConformanceCase, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`conformance case "${testCase.name}" is wrong itself: ${String(error)}`, { cause: error });
  }
}
