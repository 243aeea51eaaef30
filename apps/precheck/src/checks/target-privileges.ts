import { inUserSchema, readRows, sql } from '@sluice/postgres-catalog';
import { type Client, hasSqlState, quoteIdentifier, SQLSTATE } from '@sluice/postgres-client';
import { type Check, type CheckContext, failed, listSome, passed, statements } from '../check.js';

interface Lack {
  readonly what: string;
  readonly grant: string;
}

/** Since then the right to set a parameter can be granted. */
const GRANT_ON_PARAMETER_MAJOR = 15;

export const targetPrivileges: Check = {
  id: 'target-privileges',
  title: 'Target role may create the structure and write without firing triggers',
  dependsOn: ['target-writable'],
  run: async (context) => {
    const { currentUser } = context.targetFacts;
    const lacks = [
      ...(await lacksOnDatabase(context)),
      ...(await lacksOnSchemas(context)),
      ...(await lacksReplicationRole(context)),
    ];
    if (lacks.length === 0) return passed(`${currentUser} has every privilege that is needed`);
    return failed({
      evidence: `${currentUser} lacks: ${listSome(lacks.map(({ what }) => what))}`,
      reason: 'Tables and bookkeeping are created on the target, and rows are written as they were on the source.',
      fix: statements(lacks.map(({ grant }) => grant)),
    });
  },
};

async function lacksOnDatabase({ target, targetFacts }: CheckContext): Promise<Lack[]> {
  const [row] = await readRows<{ allowed: boolean }>(
    target,
    sql`SELECT pg_catalog.has_database_privilege(current_database(), 'CREATE') AS allowed`,
  );
  if (row?.allowed) return [];
  const [database, role] = [targetFacts.databaseName, targetFacts.currentUser].map(quoteIdentifier);
  const grant = `GRANT CREATE ON DATABASE ${database} TO ${role};`;
  return [{ what: `CREATE on database ${targetFacts.databaseName}`, grant }];
}

/** Schemas of the source that exist on the target already, such as public, in which not everybody may create since 15. */
async function lacksOnSchemas({ source, target, targetFacts, judge }: CheckContext): Promise<Lack[]> {
  const wanted = await readRows<{ schema: string }>(
    source,
    sql`
      SELECT n.nspname::text AS schema
      FROM pg_catalog.pg_namespace n
      WHERE ${inUserSchema} AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)`,
  );
  const rows = await readRows<{ schema: string }>(
    target,
    sql`
      SELECT n.nspname::text AS schema
      FROM pg_catalog.pg_namespace n
      WHERE n.nspname = ANY ($1::text[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
      ORDER BY 1`,
    [wanted.map(({ schema }) => schema).filter((schema) => judge.mayHold(schema))],
  );
  return rows.map(({ schema }) => ({
    what: `CREATE on schema ${schema}`,
    grant: `GRANT CREATE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(targetFacts.currentUser)};`,
  }));
}

/** Tried out, since managed services allow it in ways that no catalog shows. */
async function lacksReplicationRole({ target, targetFacts }: CheckContext): Promise<Lack[]> {
  if (await maySetReplicationRole(target)) return [];
  const role = quoteIdentifier(targetFacts.currentUser);
  const grant =
    targetFacts.major >= GRANT_ON_PARAMETER_MAJOR
      ? `GRANT SET ON PARAMETER session_replication_role TO ${role};`
      : `ALTER ROLE ${role} SUPERUSER; -- before PostgreSQL ${GRANT_ON_PARAMETER_MAJOR} nothing less allows it`;
  return [{ what: 'SET on parameter session_replication_role', grant }];
}

async function maySetReplicationRole(target: Client): Promise<boolean> {
  await target.query('SAVEPOINT before_replication_role');
  try {
    await target.query('SET LOCAL session_replication_role = replica');
    return true;
  } catch (error) {
    if (hasSqlState(error, SQLSTATE.insufficientPrivilege)) return false;
    throw error;
  } finally {
    await target.query('ROLLBACK TO SAVEPOINT before_replication_role');
  }
}
