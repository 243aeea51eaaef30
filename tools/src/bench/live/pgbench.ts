import { type PostgresServer } from '@sluice/embedded';
import { existsSync } from 'node:fs';
import { BENCH_MAJOR } from '../bench-servers.js';
import { isInstalled, runShell } from '../shell.js';
import { runTpcBClients } from './tpc-b-clients.js';

const DEBIAN_PGBENCH = `/usr/lib/postgresql/${BENCH_MAJOR}/bin/pgbench`;
const CLIENTS = 40;

export interface ProductionOptions {
  readonly seconds: number;
  /** Transactions per second in all; default: as many as the source can do. */
  readonly rate?: number;
}

/** Commits TPC-B transactions with 40 clients on the source. */
export interface Production {
  readonly description: string;
  /** @returns how many were committed. */
  run(source: PostgresServer, database: string, options: ProductionOptions): Promise<number>;
}

/** pgbench, or where it is not installed clients of our own. */
export function findProduction(): Production {
  const command = isInstalled('pgbench') ? 'pgbench' : DEBIAN_PGBENCH;
  if (command !== 'pgbench' && !existsSync(command)) {
    return {
      description: `missing: pgbench not installed; ${CLIENTS} clients of our own write instead`,
      run: (source, database, options) => runTpcBClients(source, database, { ...options, clientCount: CLIENTS }),
    };
  }
  return {
    description: `pgbench with ${CLIENTS} clients`,
    run: async (source, database, options) => {
      const output = await runShell(pgbenchCommand(command, options), connectionOf(source, database));
      const count = /transactions actually processed: (\d+)/.exec(output)?.[1];
      if (count === undefined) throw new Error(`pgbench did not say what it did: ${output}`);
      return Number(count);
    },
  };
}

function pgbenchCommand(command: string, { seconds, rate }: ProductionOptions): string {
  const limit = rate === undefined ? '' : `--rate=${rate.toFixed(2)}`;
  return `${command} --no-vacuum --protocol=prepared --client=${CLIENTS} --jobs=2 --time=${Math.ceil(seconds)} ${limit}`;
}

function connectionOf(server: PostgresServer, database: string): Record<string, string> {
  const { user, password } = server.endpoint(database);
  return {
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password.reveal(),
  };
}
