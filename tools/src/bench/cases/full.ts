import { type BenchCase, type BenchContext } from '../bench-case.js';
import { execute } from '../bench-servers.js';
import { type System } from '../measurement.js';
import { createPgbenchDatabase } from '../pgbench-database.js';
import { requireInstalled, runShell } from '../shell.js';
import {
  DATABASE,
  loadBase,
  loadNative,
  loadPgcopydb,
  loadPgDump,
  loadSluice,
  publishAll,
  TARGET,
  urls,
} from './load-systems.js';

const SCALE = 50;
const TABLES = ['pgbench_branches', 'pgbench_tellers', 'pgbench_accounts', 'pgbench_history'];
const PRIMARY_KEYS = { pgbench_branches: 'bid', pgbench_tellers: 'tid', pgbench_accounts: 'aid' };

/** Structure, data, keys and indexes of a database with one big table, into an empty database. */
export const full: BenchCase = {
  systems: async (context) => {
    await createFullSource(context);
    return [
      loadSluice(context, { name: 'sluice' }),
      handMade(context),
      loadPgcopydb(context),
      loadPgDump(context),
      loadNative(context, { name: 'native' }),
    ];
  },
};

export async function createFullSource(context: BenchContext): Promise<void> {
  const { servers, scale, report } = context;
  const pgbenchScale = Math.max(1, Math.round(SCALE * scale));
  report(`making the source: pgbench scale ${pgbenchScale}`);
  await createPgbenchDatabase(servers.source, DATABASE, pgbenchScale);
  await publishAll(context);
}

/** What the two servers can do with no tool between: binary COPY piped, then the keys, two at a time. */
function handMade(context: BenchContext): System {
  const { source, target } = urls(context);
  const pipe = (table: string): string =>
    `psql -qX ${source} -c 'COPY ${table} TO STDOUT (FORMAT binary)' | psql -qX ${target} -c 'BEGIN' -c 'TRUNCATE ${table}' -c 'COPY ${table} FROM STDIN (FORMAT binary, FREEZE)' -c 'COMMIT'`;
  return {
    name: 'limit',
    ...loadBase(context),
    run: async () => {
      requireInstalled('psql', 'pg_dump');
      await runShell(`pg_dump -s --section=pre-data --no-publications ${source} | psql -qX ${target} >/dev/null`);
      for (const table of TABLES) await runShell(pipe(table));
      for (const [table, column] of Object.entries(PRIMARY_KEYS)) {
        await execute(context.servers.target, TARGET, `ALTER TABLE ${table} ADD PRIMARY KEY (${column})`);
      }
      await execute(context.servers.target, TARGET, 'ANALYZE');
    },
  };
}
