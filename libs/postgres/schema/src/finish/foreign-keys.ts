import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface ForeignKeyRow {
  readonly oid: number;
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  /** Roots of the partition trees of both sides: adding the key locks the whole trees. */
  readonly lockedTables: readonly [string, string];
  readonly isPartitioned: boolean;
  readonly isValid: boolean;
  readonly definition: string;
}

/**
 * Foreign keys are added NOT VALID, which scans nothing, and validated afterwards, where the locks let writers and
 * other validations of the same tables go on. A partitioned table takes only a valid key (before 18).
 */
export async function readForeignKeys(source: Source): Promise<SchemaObject[]> {
  const rows = await readForeignKeyRows(source);
  const lanes = assignLanes(rows.map(({ lockedTables }) => lockedTables));
  return rows.flatMap((row, index) => {
    const table = quoteQualified(row.schema, row.table);
    const name = quoteIdentifier(row.name);
    const isValidatedLater = row.isValid && !row.isPartitioned;
    const common = {
      kind: 'foreign key',
      table: { schema: row.schema, name: row.table },
      phase: 'foreign-key',
    } as const;
    const address = `CONSTRAINT ${name} ON ${table}`;
    return [
      {
        ...common,
        key: objectKey('pg_constraint', row.oid),
        address,
        stage: 'foreign-key' as const,
        lane: lanes[index] ?? 0,
        sql:
          `ALTER TABLE ${row.isPartitioned ? '' : 'ONLY '}${table} ADD CONSTRAINT ${name} ${row.definition}` +
          (isValidatedLater ? ' NOT VALID' : ''),
      },
      ...(isValidatedLater
        ? [
            {
              ...common,
              key: objectKey('validation', row.oid),
              address,
              stage: 'validation' as const,
              sql: `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`,
              needs: [objectKey('pg_constraint', row.oid)],
            },
          ]
        : []),
    ];
  });
}

/**
 * Gives every key the first lane in which neither of its tables is locked by another key. Two keys between the same
 * tables, added at the same time in opposite directions, would deadlock.
 */
export function assignLanes(lockedTables: readonly (readonly [string, string])[]): number[] {
  const nextFree = new Map<string, number>();
  return lockedTables.map(([table, referenced]) => {
    const lane = Math.max(nextFree.get(table) ?? 0, nextFree.get(referenced) ?? 0);
    nextFree.set(table, lane + 1);
    nextFree.set(referenced, lane + 1);
    return lane;
  });
}

/** Tested on PostgreSQL 10–18. A key of a partition that comes from its parent's (conparentid, from 11) is made with it. */
function readForeignKeyRows({ client, versionNum }: Source): Promise<ForeignKeyRow[]> {
  const isOwn = since(versionNum, { from: 110_000, use: sql`k.conparentid = 0`, before: sql`true` });
  const root = (oid: ReturnType<typeof sql>): ReturnType<typeof sql> =>
    since(versionNum, {
      from: 120_000,
      use: sql`coalesce(pg_catalog.pg_partition_root(${oid})::oid, ${oid})::text`,
      before: sql`${oid}::text`,
    });
  return readRows<ForeignKeyRow>(
    client,
    sql`
    SELECT k.oid, k.conname AS name, n.nspname AS schema, c.relname AS table, c.relkind = 'p' AS "isPartitioned",
      k.convalidated AS "isValid", pg_catalog.pg_get_constraintdef(k.oid) AS definition,
      ARRAY[${root(sql`k.conrelid`)}, ${root(sql`k.confrelid`)}] AS "lockedTables"
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND ${isOwn} AND c.relkind IN ('r', 'p') AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname, k.conname`,
  );
}
