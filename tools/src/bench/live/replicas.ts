import { quoteLiteral } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import { type BenchContext } from '../bench-case.js';
import { checkpointBoth, conninfo, emptyDatabase, execute, restoreDatabase } from '../bench-servers.js';
import { requireEqual } from '../equality.js';
import { DATABASE, restoreSource, TEMPLATE, untilFollowing } from './live-base.js';

const PUBLICATION = 'bench_publication';
const SUBSCRIPTION = 'bench_subscription';

/** A target that follows the source while it is written to. */
export interface LiveReplica {
  readonly name: string;
  /** The target's database. */
  readonly database: string;
  /** Both sides anew, equal, and following. */
  prepare(): Promise<void>;
  /** Proves that both sides are equal and ends the replication. */
  verify(): Promise<void>;
}

export function sluiceReplica(context: BenchContext): LiveReplica {
  const { sluice, servers } = context;
  const database = 'bench_sluice';
  let taskId = '';
  return {
    name: 'sluice',
    database,
    prepare: async () => {
      await restoreSource(context);
      await emptyDatabase(servers.target, database);
      taskId = await sluice.createTask(`bench-live-${randomBytes(4).toString('hex')}`, {
        source: servers.source.endpoint(DATABASE),
        target: servers.target.endpoint(database),
      });
      await sluice.act(taskId, 'start', 'incremental');
      await untilFollowing(context, database);
      await checkpointBoth(servers);
    },
    verify: async () => {
      await verifyEqual(context, database);
      await sluice.act(taskId, 'end', 'ended');
    },
  };
}

export function nativeReplica(context: BenchContext): LiveReplica {
  const { servers } = context;
  const database = 'bench_native';
  return {
    name: 'native',
    database,
    prepare: async () => {
      await restoreSource(context);
      await restoreDatabase(servers.target, database, TEMPLATE);
      await execute(servers.source, DATABASE, `CREATE PUBLICATION ${PUBLICATION} FOR ALL TABLES`);
      await execute(
        servers.target,
        database,
        `CREATE SUBSCRIPTION ${SUBSCRIPTION} CONNECTION ${quoteLiteral(conninfo(servers.source, DATABASE))}
         PUBLICATION ${PUBLICATION} WITH (copy_data = false)`,
      );
      await untilFollowing(context, database);
      await checkpointBoth(servers);
    },
    verify: async () => {
      await verifyEqual(context, database);
      await execute(servers.target, database, `DROP SUBSCRIPTION ${SUBSCRIPTION}`);
    },
  };
}

function verifyEqual({ servers }: BenchContext, database: string): Promise<void> {
  return requireEqual({ server: servers.source, database: DATABASE }, { server: servers.target, database });
}
