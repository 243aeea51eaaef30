import { type ObjectJudge } from '@sluice/model';
import { inUserSchema, listSequences, notExtensionMember, readRows, selectTables, sql } from '@sluice/postgres-catalog';
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
  run: async ({ source, sourceFacts, syncType, judge }) => {
    const role = quoteIdentifier(sourceFacts.currentUser);
    if (sourceFacts.isSuperuser) return passed(`${sourceFacts.currentUser} is superuser`);
    const database = sourceFacts.databaseName;
    const isFollowing = FOLLOWING.includes(syncType);
    const lacks = [
      ...(isFollowing && !sourceFacts.canReplicate ? [lackOfReplication(role)] : []),
      ...(isFollowing ? await lacksOnDatabase(source, { role, database }) : []),
      ...(await lacksOnSchemas(source, { role, judge })),
      ...(await lacksOnRelations(source, { role, judge })),
      ...(isFollowing ? await lacksOwnership(source, { role, judge }) : []),
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

interface Asked {
  readonly role: string;
  readonly judge: ObjectJudge;
}

async function lacksOnSchemas(source: Client, { role, judge }: Asked): Promise<Lack[]> {
  const rows = await readRows<{ schema: string }>(
    source,
    sql`
      SELECT n.nspname::text AS schema
      FROM pg_catalog.pg_namespace n
      WHERE ${inUserSchema} AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      ORDER BY 1`,
  );
  const wanted = rows.filter(({ schema }) => judge.mayHold(schema));
  return wanted.map(({ schema }) => ({
    what: `USAGE on schema ${schema}`,
    grant: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role};`,
  }));
}

async function lacksOnRelations(source: Client, { role, judge }: Asked): Promise<Lack[]> {
  const tables = await readRows<{ oid: number; schema: string; name: string }>(
    source,
    sql`
      SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${inUserSchema}
        AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
        AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
      ORDER BY 2, 3`,
  );
  const sequences = await listSequences(source, { judge, publicationName: null });
  const lack = (kind: 'sequence' | 'table', { schema, name }: { schema: string; name: string }): Lack => ({
    what: `SELECT on ${kind} ${schema}.${name}`,
    grant: `GRANT SELECT ON ${kind.toUpperCase()} ${quoteQualified(schema, name)} TO ${role};`,
  });
  return [
    ...sequences.filter(({ isReadable }) => !isReadable).map((sequence) => lack('sequence', sequence)),
    ...(await selectTables(source, tables, { judge })).map((table) => lack('table', table)),
  ];
}

/** One line for each owner: membership in the owner's role is ownership of all that it owns. */
async function lacksOwnership(source: Client, { role, judge }: Asked): Promise<Lack[]> {
  const rows = await readRows<{ oid: number; owner: string; schema: string; name: string }>(
    source,
    sql`
      SELECT c.oid, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, n.nspname::text AS schema, c.relname::text AS name
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND ${inUserSchema}
        AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
        AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
      ORDER BY 2, n.nspname || '.' || c.relname`,
  );
  const byOwner = Map.groupBy(await selectTables(source, rows, { judge }), ({ owner }) => owner);
  return [...byOwner].map(([owner, tables]) => ({
    what: `ownership of ${tables.length} table(s) of ${owner}, such as ${tables[0]?.schema ?? ''}.${tables[0]?.name ?? ''}`,
    grant: `GRANT ${quoteIdentifier(owner)} TO ${role};`,
  }));
}
