import { type ClientBase } from 'pg';
import { readRows, readVersionNum, since, sql, type Sql } from './sql.js';
import { readTypes } from './types.js';

export interface ColumnFacts {
  readonly attnum: number;
  readonly name: string;
  readonly typeOid: number;
  readonly typeSchema: string;
  /** pg_type.typname, e.g. `int4`, `_text`. */
  readonly typeName: string;
  /** The bare type as SQL, without length or precision. Qualified when the session's search_path is empty. */
  readonly typeSql: string;
  /** The type as declared, with length or precision. */
  readonly formattedType: string;
  readonly notNull: boolean;
  readonly isGenerated: boolean;
  readonly identity: 'always' | 'by-default' | null;
  readonly hasEquality: boolean;
  readonly isBinaryCopySafe: boolean;
}

interface ColumnRow {
  readonly tableOid: number;
  readonly attnum: number;
  readonly name: string;
  readonly typeOid: number;
  readonly formattedType: string;
  readonly notNull: boolean;
  readonly isGenerated: boolean;
  readonly identity: '' | 'a' | 'd';
}

const IDENTITY = { '': null, a: 'always', d: 'by-default' } as const;

/** The columns of tables in their order, by table OID. Tested on PostgreSQL 10–18. */
export async function readColumns(
  client: ClientBase,
  tableOids: readonly number[],
): Promise<ReadonlyMap<number, ColumnFacts[]>> {
  const ofTables = sql`a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped`;
  const types = await readTypes(
    client,
    sql`SELECT DISTINCT a.atttypid FROM pg_catalog.pg_attribute a WHERE ${ofTables}`,
    [tableOids],
  );
  const rows = await readRows<ColumnRow>(client, columnsQuery(ofTables, await readVersionNum(client)), [tableOids]);
  const columns = new Map<number, ColumnFacts[]>(tableOids.map((oid) => [oid, []]));
  for (const { tableOid, identity, ...row } of rows) {
    const type = types.get(row.typeOid);
    columns.get(tableOid)?.push({
      ...row,
      typeSchema: type?.schema ?? '',
      typeName: type?.name ?? '',
      typeSql: type?.sql ?? row.formattedType,
      identity: IDENTITY[identity],
      hasEquality: type?.hasEquality ?? false,
      isBinaryCopySafe: type?.isBinaryCopySafe ?? false,
    });
  }
  return columns;
}

function columnsQuery(ofTables: Sql, versionNum: number): Sql {
  const isGenerated = since(versionNum, { from: 120_000, use: sql`a.attgenerated <> ''`, before: sql`false` });
  return sql`
    SELECT a.attrelid AS "tableOid", a.attnum, a.attname AS name, a.atttypid AS "typeOid",
      pg_catalog.format_type(a.atttypid, a.atttypmod) AS "formattedType", a.attnotnull AS "notNull",
      ${isGenerated} AS "isGenerated", a.attidentity AS identity
    FROM pg_catalog.pg_attribute a
    WHERE ${ofTables}
    ORDER BY a.attrelid, a.attnum`;
}
