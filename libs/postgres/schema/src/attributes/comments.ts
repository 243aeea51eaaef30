import { readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';
import { type TargetFacts } from '../target-facts.js';

interface CommentRow {
  readonly catalog: string;
  readonly oid: number;
  readonly column: string | null;
  readonly text: string;
}

/** One object of SQL per object with comments, so that the comments of a table and its columns travel together. */
export async function readComments(
  source: Source,
  objects: readonly SchemaObject[],
  target: TargetFacts,
): Promise<SchemaObject[]> {
  // An extension brings its comment; only the owner of the extension could write it again.
  const comesWithExtension = (object: SchemaObject, { text }: CommentRow): boolean =>
    [...(target.extensions ?? [])].some(
      ([name, comment]) => object.address === `EXTENSION ${quoteIdentifier(name)}` && comment === text,
    );
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const comments = Map.groupBy(await readCommentRows(source), ({ catalog, oid }) => objectKey(catalog, oid));
  return [...comments].flatMap(([key, rows]) => {
    const object = byKey.get(key);
    if (!object || rows.every((row) => comesWithExtension(object, row))) return [];
    return [
      {
        key: `comment ${key}` as const,
        kind: `comment on ${object.kind}`,
        address: object.address,
        stage: object.stage === 'event-trigger' ? object.stage : ('comment' as const),
        lane: 1,
        phase: 'other' as const,
        sql: commands(...rows.map((row) => `COMMENT ON ${addressOf(object, row)} IS ${quoteLiteral(row.text)}`)),
        ...(object.table && { table: object.table }),
      },
    ];
  });
}

function addressOf({ address }: SchemaObject, { column }: CommentRow): string {
  if (column === null) return address;
  return `COLUMN ${address.replace(/^[A-Z ]+ /, '')}.${quoteIdentifier(column)}`;
}

/**
 * Tested on PostgreSQL 10–18. The row of a composite type in pg_class holds the comments of its attributes.
 * The comment that initdb gives to `public` is left out: only the owner may write it, who may be somebody else.
 */
function readCommentRows({ client }: Source): Promise<CommentRow[]> {
  return readRows<CommentRow>(
    client,
    sql`
    SELECT CASE WHEN c.relkind = 'c' THEN 'pg_type' ELSE d.classoid::regclass::text END AS catalog,
      CASE WHEN c.relkind = 'c' THEN c.reltype ELSE d.objoid END AS oid,
      a.attname AS column, d.description AS text
    FROM pg_catalog.pg_description d
    LEFT JOIN pg_catalog.pg_class c ON d.classoid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objoid
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid <> 0
    LEFT JOIN pg_catalog.pg_namespace n ON d.classoid = 'pg_catalog.pg_namespace'::regclass AND n.oid = d.objoid
    WHERE (d.objoid >= 16384 OR n.nspname = 'public')
      AND (n.nspname = 'public' AND d.description = 'standard public schema') IS NOT TRUE
    ORDER BY d.classoid, d.objoid, d.objsubid`,
  );
}
