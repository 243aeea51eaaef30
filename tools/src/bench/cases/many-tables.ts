import { type BenchCase, type BenchContext } from '../bench-case.js';
import { execute } from '../bench-servers.js';
import { DATABASE, loadNative, loadPgcopydb, loadPgDump, loadSluice, publishAll } from './load-systems.js';

interface TableSet {
  readonly tableCount: number;
  readonly rowsPerTable: number;
}

/** Together as large as `full`: 640 MB. */
const TABLES: TableSet = { tableCount: 400, rowsPerTable: 12_500 };
const MANY_TABLES: TableSet = { tableCount: 10_000, rowsPerTable: 10 };
/** Each table is locked until its transaction commits. */
const TABLES_PER_TRANSACTION = 500;
/** One transaction creates them all, and pg_dump locks them all. */
const SETTINGS = { max_locks_per_transaction: '2048' };

/** As `full`, the rows in many tables of the same size. */
export const tables: BenchCase = {
  settings: SETTINGS,
  systems: async (context) => {
    await createTables(context, TABLES);
    return [
      loadSluice(context, { name: 'sluice' }),
      loadPgcopydb(context),
      loadPgDump(context),
      loadNative(context, { name: 'native' }),
    ];
  },
};

/** A large structure with little data; each table has two indexes. */
export const manyTables: BenchCase = {
  settings: SETTINGS,
  systems: async (context) => {
    await createTables(context, MANY_TABLES);
    return [loadSluice(context, { name: 'sluice' }), loadPgcopydb(context), loadPgDump(context)];
  },
};

async function createTables(context: BenchContext, { tableCount, rowsPerTable }: TableSet): Promise<void> {
  const { servers, scale, report } = context;
  const count = Math.max(1, Math.round(tableCount * scale));
  report(`making the source: ${count} tables of ${rowsPerTable} rows`);
  await execute(servers.source, 'postgres', `CREATE DATABASE ${DATABASE}`);
  await execute(
    servers.source,
    DATABASE,
    'SET synchronous_commit = off',
    `DO $$
     BEGIN
       FOR n IN 1..${count} LOOP
         EXECUTE format('CREATE TABLE t_%s (id int PRIMARY KEY, parent int, amount numeric(12, 2), filler char(84))', n);
         EXECUTE format('INSERT INTO t_%s SELECT i, i %% 100, i / 7.0, %L FROM generate_series(1, ${rowsPerTable}) i', n, '');
         EXECUTE format('CREATE INDEX ON t_%s (parent)', n);
         IF n % ${TABLES_PER_TRANSACTION} = 0 THEN COMMIT; END IF;
       END LOOP;
     END $$`,
    'ANALYZE',
  );
  await publishAll(context);
}
