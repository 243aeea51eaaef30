import { type Workload } from '../backlog/workload.js';
import { type BenchCase } from '../bench-case.js';
import { execute } from '../bench-servers.js';
import { backlogSystems } from './backlog-case.js';

const TRANSACTIONS = 120_000;
const ROWS = 2_000;

export const hot: BenchCase = {
  withPglogical: true,
  systems: (context) => backlogSystems(context, fewHotRows(context.scale), { pglogical: true }),
};

/**
 * Two updates in each transaction, of rows chosen by Zipf's law with exponent 1: the n-th row is hit 1/n times as often
 * as the first. Every update changes the indexed column, so that none is a heap-only one.
 */
function fewHotRows(scale: number): Workload {
  const count = Math.round(TRANSACTIONS * scale);
  return {
    description: `${count} transactions of two updates on ${ROWS} rows`,
    createBase: (server, database) =>
      execute(
        server,
        database,
        'CREATE TABLE hot (id int PRIMARY KEY, score bigint NOT NULL, hits int NOT NULL, note text NOT NULL)',
        `INSERT INTO hot SELECT i, i, 0, md5(i::text) FROM generate_series(1, ${ROWS}) i`,
        'CREATE INDEX hot_score ON hot (score)',
        'VACUUM ANALYZE hot',
      ),
    write: (server, database) =>
      execute(
        server,
        database,
        'SELECT setseed(0.5)',
        // Only the making of the backlog; what is measured is durable.
        'SET synchronous_commit = off',
        `DO $$
         DECLARE
           -- The share of hits of the rows before each row; a random number's bucket is the row.
           shares float8[] := ARRAY(SELECT sum(1.0 / i) OVER (ORDER BY i) / (SELECT sum(1.0 / j) FROM generate_series(1, ${ROWS}) j)
                                    FROM generate_series(1, ${ROWS - 1}) i);
         BEGIN
           FOR n IN 1..${count} LOOP
             UPDATE hot SET score = score + n % 97, hits = hits + 1 WHERE id = 1 + width_bucket(random(), shares);
             UPDATE hot SET score = score - n % 89, hits = hits + 1 WHERE id = 1 + width_bucket(random(), shares);
             COMMIT;
           END LOOP;
         END $$`,
      ),
  };
}
