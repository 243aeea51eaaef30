import { type PostgresServer } from '@sluice/embedded';
import { execute } from './bench-servers.js';

const ACCOUNTS_PER_SCALE = 100_000;
const TELLERS_PER_SCALE = 10;

/** The tables of pgbench with `scale` branches in a new database, made by SQL so that no client tool is needed. */
export async function createPgbenchDatabase(server: PostgresServer, database: string, scale: number): Promise<void> {
  await execute(server, 'postgres', `CREATE DATABASE ${database}`);
  await createPgbenchTables(server, database, scale);
}

/** Every call makes the same rows. */
export async function createPgbenchTables(server: PostgresServer, database: string, scale: number): Promise<void> {
  await execute(
    server,
    database,
    `CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88)) WITH (fillfactor = 100)`,
    `CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100)`,
    `CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100)`,
    `CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))`,
    `INSERT INTO pgbench_branches SELECT b, 0, '' FROM generate_series(1, ${scale}) b`,
    `INSERT INTO pgbench_tellers SELECT t, (t - 1) / ${TELLERS_PER_SCALE} + 1, 0, '' FROM generate_series(1, ${scale * TELLERS_PER_SCALE}) t`,
    `INSERT INTO pgbench_accounts SELECT a, (a - 1) / ${ACCOUNTS_PER_SCALE} + 1, 0, '' FROM generate_series(1, ${scale * ACCOUNTS_PER_SCALE}) a`,
    `ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid)`,
    `ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid)`,
    `ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)`,
    // It has no key; without an identity UPDATE and DELETE on it would be refused once it is published.
    `ALTER TABLE pgbench_history REPLICA IDENTITY FULL`,
    `VACUUM ANALYZE`,
  );
}

/** Runs `count` TPC-B transactions, each committed by itself, inside the server. */
export async function runTpcB(
  server: PostgresServer,
  database: string,
  options: { scale: number; count: number },
): Promise<void> {
  await execute(
    server,
    database,
    `SELECT setseed(0.5)`,
    // Only the making of the backlog; what is measured is durable.
    'SET synchronous_commit = off',
    `DO $$
     DECLARE aid_ int; tid_ int; bid_ int; delta_ int;
     BEGIN
       FOR i IN 1..${options.count} LOOP
         aid_ := 1 + floor(random() * ${options.scale * ACCOUNTS_PER_SCALE});
         tid_ := 1 + floor(random() * ${options.scale * TELLERS_PER_SCALE});
         bid_ := 1 + floor(random() * ${options.scale});
         delta_ := floor(random() * 10001) - 5000;
         UPDATE pgbench_accounts SET abalance = abalance + delta_ WHERE aid = aid_;
         UPDATE pgbench_tellers SET tbalance = tbalance + delta_ WHERE tid = tid_;
         UPDATE pgbench_branches SET bbalance = bbalance + delta_ WHERE bid = bid_;
         INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (tid_, bid_, aid_, delta_, clock_timestamp());
         COMMIT;
       END LOOP;
     END $$`,
  );
}
