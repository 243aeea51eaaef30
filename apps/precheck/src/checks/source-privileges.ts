import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { type Client, quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type Check, failed, FOLLOWING, listSome, passed, statements } from '../check.js';

/** Something that the role lacks, and what gives it. */
interface Lack {
  readonly what: string;
  readonly grant: string;
}

export const sourcePrivileges: Check = {
  id: 'source-privileges',
  title: 'Source role may read, and publish what it reads',
  run: async ({ source, sourceFacts, syncType }) => {
    const role = quoteIdentifier(sourceFacts.currentUser);
    if (sourceFacts.isSuperuser) return passed(`${sourceFacts.currentUser} is superuser`);
    const database = sourceFacts.databaseName;
    const isFollowing = FOLLOWING.includes(syncType);
    const lacks = [
      ...(isFollowing && !sourceFacts.canReplicate ? [lackOfReplication(role)] : []),
      ...(isFollowing ? await lacksOnDatabase(source, { role, database }) : []),
      ...(await lacksOnSchemas(source, role)),
      ...(await lacksOnRelations(source, role)),
      ...(isFollowing ? await lacksOwnership(source, role) : []),
    ];
    if (lacks.length === 0) return passed(`${sourceFacts.currentUser} has every privilege that is needed`);
    return failed({
      evidence: `${sourceFacts.currentUser} lacks: ${listSome(lacks.map(({ what }) => what))}`,
      reason: 'Every table and sequence has to be read, and only its owner can put a table in a publication.',
      fix: statements(lacks.map(({ grant }) => grant)),
    });
  },
};

function lackOfReplication(role: string): Lack {
  return { what: 'REPLICATION', grant: `ALTER ROLE ${role} REPLICATION;` };
}

async function lacksOnDatabase(source: Client, names: { role: string; database: string }): Promise<Lack[]> {
  const [row] = await readRows<{ allowed: boolean }>(
    source,
    sql`SELECT pg_catalog.has_database_privilege(current_database(), 'CREATE') AS allowed`,
  );
  if (row?.allowed) return [];
  const grant = `GRANT CREATE ON DATABASE ${quoteIdentifier(names.database)} TO ${names.role};`;
  return [{ what: `CREATE on database ${names.database}`, grant }];
}

async function lacksOnSchemas(source: Client, role: string): Promise<Lack[]> {
  const rows = await readRows<{ schema: string }>(
    source,
    sql`
      SELECT n.nspname::text AS schema
      FROM pg_catalog.pg_namespace n
      WHERE ${inUserSchema} AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      ORDER BY 1`,
  );
  return rows.map(({ schema }) => ({
    what: `USAGE on schema ${schema}`,
    grant: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role};`,
  }));
}

async function lacksOnRelations(source: Client, role: string): Promise<Lack[]> {
  // The kind must be known before a privilege is asked for: has_sequence_privilege refuses what is no sequence.
  const rows = await readRows<{ schema: string; name: string; isSequence: boolean }>(
    source,
    sql`
      SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind = 'S' AS "isSequence"
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND ${inUserSchema}
        AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
        AND NOT CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
          ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END
      ORDER BY 1, 2`,
  );
  return rows.map(({ schema, name, isSequence }) => ({
    what: `SELECT on ${isSequence ? 'sequence' : 'table'} ${schema}.${name}`,
    grant: `GRANT SELECT ON ${isSequence ? 'SEQUENCE' : 'TABLE'} ${quoteQualified(schema, name)} TO ${role};`,
  }));
}

/** One line for each owner: membership in the owner's role is ownership of all that it owns. */
async function lacksOwnership(source: Client, role: string): Promise<Lack[]> {
  const rows = await readRows<{ owner: string; tableCount: number; example: string }>(
    source,
    sql`
      SELECT pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, count(*)::int AS "tableCount",
        min(n.nspname || '.' || c.relname) AS example
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND ${inUserSchema}
        AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
        AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
      GROUP BY c.relowner
      ORDER BY 1`,
  );
  return rows.map(({ owner, tableCount, example }) => ({
    what: `ownership of ${tableCount} table(s) of ${owner}, such as ${example}`,
    grant: `GRANT ${quoteIdentifier(owner)} TO ${role};`,
  }));
}
