import { type Workload } from '../backlog/workload.js';
import { type BenchCase } from '../bench-case.js';
import { execute } from '../bench-servers.js';
import { backlogSystems } from './backlog-case.js';

const ROWS = 1_000_000;
const UPDATED_SHARE = 0.3;
const DELETED_SHARE = 0.2;

export const bulk: BenchCase = {
  withPglogical: true,
  systems: (context) => backlogSystems(context, threeLarge(context.scale), { pglogical: true, nativeStreaming: true }),
};

/** Three transactions: inserts, updates of the first of these rows, deletes of the last. */
function threeLarge(scale: number): Workload {
  const rows = Math.round(ROWS * scale);
  const updated = Math.round(rows * UPDATED_SHARE);
  const deleted = Math.round(rows * DELETED_SHARE);
  return {
    description: `${rows} inserts, ${updated} updates, ${deleted} deletes`,
    createBase: (server, database) =>
      execute(
        server,
        database,
        `CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, amount numeric(12,2) NOT NULL, status text NOT NULL,
           note text, created_at timestamptz NOT NULL)`,
      ),
    write: (server, database) =>
      execute(
        server,
        database,
        `INSERT INTO orders SELECT i, i % 50000, (i % 100000) / 7.0, 'new', md5(i::text), '2024-01-01Z'::timestamptz + i * interval '1 second'
         FROM generate_series(1, ${rows}) i`,
        `UPDATE orders SET amount = amount + 1, status = 'paid' WHERE id <= ${updated}`,
        `DELETE FROM orders WHERE id > ${rows - deleted}`,
      ),
  };
}
