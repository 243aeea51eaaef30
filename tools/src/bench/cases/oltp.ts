import { type Workload } from '../backlog/workload.js';
import { type BenchCase } from '../bench-case.js';
import { createPgbenchTables, runTpcB } from '../pgbench-database.js';
import { backlogSystems } from './backlog-case.js';

const SCALE = 10;
const TRANSACTIONS = 60_000;

export const oltp: BenchCase = {
  withPglogical: true,
  systems: (context) => backlogSystems(context, tpcB(context.scale), { pglogical: true }),
};

/** Small transactions on random rows of a pgbench database. */
export function tpcB(scale: number): Workload {
  const count = Math.round(TRANSACTIONS * scale);
  return {
    description: `${count} TPC-B transactions, ${count * 4} changes`,
    createBase: (server, database) => createPgbenchTables(server, database, SCALE),
    write: (server, database) => runTpcB(server, database, { scale: SCALE, count }),
  };
}
