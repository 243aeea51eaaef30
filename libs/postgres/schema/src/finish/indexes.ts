import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { commands, objectKey, type ObjectKey, type SchemaObject, type Source } from '../schema-object.js';

interface IndexRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly tableOid: number;
  readonly tableName: string;
  readonly definition: string;
  readonly isPartitioned: boolean;
  readonly isValid: boolean;
  readonly isClustered: boolean;
  readonly isReplicaIdentity: boolean;
  /** The index above it, and the table at the root of the partition tree that both stand in. */
  readonly parent: { readonly schema: string; readonly name: string; readonly tree: string } | null;
  readonly statistics: readonly { readonly position: number; readonly target: number }[];
  readonly constraint: {
    readonly oid: number;
    readonly name: string;
    readonly type: 'p' | 'u' | 'x';
    readonly definition: string;
    readonly isPeriod: boolean;
    readonly isDeferrable: boolean;
    readonly isDeferred: boolean;
  } | null;
}

export interface IndexPlan {
  readonly objects: readonly SchemaObject[];
  readonly unsupported: readonly UnsupportedObject[];
}

/**
 * Every index build is a statement of its own. Keys are built as plain unique indexes and turned into constraints
 * afterwards: CREATE INDEX lets other builds of the table run beside it, ADD PRIMARY KEY does not.
 * Partitioned indexes are made from their leaves: leaf indexes, then the parent ON ONLY, then ATTACH.
 */
export async function readIndexes(source: Source): Promise<IndexPlan> {
  const rows = await readIndexRows(source);
  const usable = rows.filter(({ isValid, isPartitioned }) => isValid || isPartitioned);
  return {
    objects: [
      ...usable.flatMap(toBuild),
      ...usable.flatMap(toConstraint),
      ...toAttachments(usable.filter((row) => !isMadeWithParent(row))),
      ...topDown(usable.filter(isMadeWithParent)).map(toRename),
      ...usable.flatMap(toSettings),
    ],
    unsupported: rows
      .filter((row) => !usable.includes(row))
      .map((row) => ({
        kind: 'index',
        identity: `index ${quoteQualified(row.schema, row.name)}`,
        relation: { schema: row.schema, name: row.tableName },
        reason: 'it is invalid on the source, as a failed CREATE INDEX CONCURRENTLY leaves it',
      })),
  };
}

/** PostgreSQL turns a unique btree index into a key; exclusion constraints and temporal keys only come as a whole. */
function becomesConstraintFromIndex({ constraint, isPartitioned }: IndexRow): boolean {
  return constraint !== null && constraint.type !== 'x' && !constraint.isPeriod && !isPartitioned;
}

/**
 * Exclusion constraints of partitions (from 17): the server does not attach one to another, as it cannot tell whether they
 * are alike. So the one of the root is made for all partitions at once, and the others get their names afterwards.
 */
function isMadeWithParent({ constraint, parent }: IndexRow): boolean {
  return constraint?.type === 'x' && parent !== null;
}

/** The index above is found by its name, so it has to have it. */
function topDown(rows: readonly IndexRow[]): IndexRow[] {
  const byName = new Map(rows.map((row) => [quoteQualified(row.schema, row.name), row]));
  const depthOf = ({ parent }: IndexRow): number => {
    const above = parent && byName.get(quoteQualified(parent.schema, parent.name));
    return above ? depthOf(above) + 1 : 0;
  };
  return rows.toSorted((a, b) => depthOf(a) - depthOf(b));
}

function toRename(row: IndexRow, lane: number): SchemaObject {
  const { parent, schema, name, tableName } = row;
  const of = quoteLiteral(quoteQualified(parent?.schema ?? '', parent?.name ?? ''));
  const on = quoteLiteral(quoteQualified(schema, tableName));
  return {
    key: objectKey('named index', row.oid),
    kind: 'name of index',
    address: `INDEX ${quoteQualified(schema, name)}`,
    stage: 'attach',
    lane,
    phase: 'other',
    sql: `DO $sluice$ DECLARE made regclass; BEGIN
  SELECT h.inhrelid INTO made FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid
  WHERE h.inhparent = ${of}::regclass AND i.indrelid = ${on}::regclass;
  IF made IS DISTINCT FROM pg_catalog.to_regclass(${quoteLiteral(quoteQualified(schema, name))}) THEN
    EXECUTE pg_catalog.format('ALTER INDEX %s RENAME TO %I', made, ${quoteLiteral(name)});
  END IF;
END $sluice$`,
    needs: [objectKey('pg_class', row.oid)],
  };
}

function toBuild(row: IndexRow): SchemaObject[] {
  // Kept without SQL where the constraint makes it: a comment can still be on it.
  const comesWithConstraint = row.constraint !== null && !becomesConstraintFromIndex(row);
  const name = quoteQualified(row.schema, row.name);
  return [
    {
      key: objectKey('pg_class', row.oid),
      kind: 'index',
      address: `INDEX ${name}`,
      // ON ONLY a partitioned table builds nothing, but its lock would wait for the leaves' builds.
      stage: row.isPartitioned ? 'constraint' : 'index',
      lane: row.isPartitioned ? 1 : 0,
      phase: 'index',
      sql: comesWithConstraint ? '' : row.definition,
      table: { schema: row.schema, name: row.tableName },
      claims: `relation ${name}`,
      needs: [objectKey('pg_class', row.tableOid)],
    },
  ];
}

function toConstraint(row: IndexRow): SchemaObject[] {
  const { constraint } = row;
  if (constraint === null) return [];
  const table = quoteQualified(row.schema, row.tableName);
  const name = quoteIdentifier(constraint.name);
  const kind = { p: 'PRIMARY KEY', u: 'UNIQUE', x: 'EXCLUDE' }[constraint.type];
  const deferrable = constraint.isDeferrable ? ` DEFERRABLE${constraint.isDeferred ? ' INITIALLY DEFERRED' : ''}` : '';
  const definition = becomesConstraintFromIndex(row)
    ? `${kind} USING INDEX ${quoteIdentifier(row.name)}${deferrable}`
    : constraint.definition;
  return [
    {
      key: objectKey('pg_constraint', constraint.oid),
      kind: { p: 'primary key', u: 'unique constraint', x: 'exclusion constraint' }[constraint.type],
      address: `CONSTRAINT ${name} ON ${table}`,
      stage: 'constraint',
      lane: row.isPartitioned ? 1 : 0,
      phase: 'constraint',
      sql: isMadeWithParent(row)
        ? ''
        : `ALTER TABLE ${constraint.type === 'x' && row.isPartitioned ? '' : 'ONLY '}${table} ADD CONSTRAINT ${name} ${definition}`,
      table: { schema: row.schema, name: row.tableName },
      needs: [objectKey('pg_class', row.tableOid)],
    },
  ];
}

/** Each attachment keeps locks on two indexes and their tables until its statement ends. */
const ATTACHMENTS_PER_STATEMENT = 100;

/**
 * Attachments inside one tree of tables lock the same tables in different orders, also those of different indexes, so
 * they go one after the other: as one statement, or as many in consecutive lanes. Trees go side by side.
 */
function toAttachments(rows: readonly IndexRow[]): SchemaObject[] {
  const attached = rows.flatMap(({ parent, ...row }) => (parent === null ? [] : [{ ...row, parent }]));
  return [...Map.groupBy(attached, ({ parent }) => parent.tree).values()].flatMap((tree) =>
    Array.from({ length: Math.ceil(tree.length / ATTACHMENTS_PER_STATEMENT) }, (_, lane) => {
      const part = tree.slice(lane * ATTACHMENTS_PER_STATEMENT, (lane + 1) * ATTACHMENTS_PER_STATEMENT);
      const [first] = part.map(({ oid, parent }) => ({ oid, parent }));
      const attach = (gone: ReadonlySet<ObjectKey>): string =>
        commands(
          ...part.map(
            ({ oid, parent, schema, name }) =>
              !gone.has(objectKey('pg_class', oid)) &&
              `ALTER INDEX ${quoteQualified(parent.schema, parent.name)} ATTACH PARTITION ${quoteQualified(schema, name)}`,
          ),
        );
      return {
        key: objectKey('attached index', first?.oid ?? 0),
        kind: 'partitioned index',
        address: `INDEX ${quoteQualified(first?.parent.schema ?? '', first?.parent.name ?? '')}`,
        stage: 'attach' as const,
        lane,
        phase: 'index' as const,
        sql: attach(new Set()),
        sqlWithout: attach,
        joins: part.map(({ oid }) => objectKey('pg_class', oid)),
      };
    }),
  );
}

function toSettings(row: IndexRow): SchemaObject[] {
  const table = quoteQualified(row.schema, row.tableName);
  const name = quoteIdentifier(row.name);
  const sqlText = commands(
    ...row.statistics.map(
      ({ position, target }) =>
        `ALTER INDEX ${quoteQualified(row.schema, row.name)} ALTER COLUMN ${position} SET STATISTICS ${target}`,
    ),
    row.isClustered && `ALTER TABLE ${table} CLUSTER ON ${name}`,
    row.isReplicaIdentity && `ALTER TABLE ONLY ${table} REPLICA IDENTITY USING INDEX ${name}`,
  );
  if (sqlText === '') return [];
  return [
    {
      key: objectKey('index settings', row.oid),
      kind: 'settings of index',
      address: `INDEX ${quoteQualified(row.schema, row.name)}`,
      stage: 'setting',
      phase: 'other',
      sql: sqlText,
      table: { schema: row.schema, name: row.tableName },
      needs: [objectKey('pg_class', row.tableOid), objectKey('pg_class', row.oid)],
    },
  ];
}

/** Tested on PostgreSQL 10–18. Partitioned indexes exist from 11, temporal keys from 18. */
function readIndexRows({ client, versionNum }: Source): Promise<IndexRow[]> {
  const isPeriod = since(versionNum, { from: 180_000, use: sql`k.conperiod`, before: sql`false` });
  // Before 12 the root cannot be asked for; then all trees count as one.
  const tree = since(versionNum, {
    from: 120_000,
    use: sql`pg_catalog.pg_partition_root(i.indrelid)::oid::text`,
    before: sql`''`,
  });
  return readRows<IndexRow>(
    client,
    sql`
    SELECT i.indexrelid AS oid, n.nspname AS schema, c.relname AS name, t.oid AS "tableOid", t.relname AS "tableName",
      pg_catalog.pg_get_indexdef(i.indexrelid) AS definition, c.relkind = 'I' AS "isPartitioned",
      i.indisvalid AS "isValid", i.indisclustered AS "isClustered",
      i.indisreplident AS "isReplicaIdentity",
      (SELECT pg_catalog.json_build_object('schema', pn.nspname, 'name', p.relname, 'tree', ${tree})
       FROM pg_catalog.pg_inherits h
       JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
       WHERE h.inhrelid = i.indexrelid AND c.relispartition) AS parent,
      coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object('position', a.attnum, 'target', a.attstattarget) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0), '[]') AS statistics,
      (SELECT pg_catalog.json_build_object('oid', k.oid::bigint, 'name', k.conname, 'type', k.contype,
          'definition', pg_catalog.pg_get_constraintdef(k.oid), 'isPeriod', ${isPeriod},
          'isDeferrable', k.condeferrable, 'isDeferred', k.condeferred)
       FROM pg_catalog.pg_constraint k
       WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')) AS constraint
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind IN ('r', 'p', 'm') AND t.relpersistence <> 't' AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`t.oid`)}
    ORDER BY n.nspname, t.relname, c.relname`,
  );
}
