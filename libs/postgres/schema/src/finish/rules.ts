import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';
import { ENABLED } from './triggers.js';

interface RuleRow {
  readonly oid: number;
  readonly name: string;
  readonly schema: string;
  readonly relation: string;
  readonly definition: string;
  readonly enabled: keyof typeof ENABLED;
}

/** Tested on PostgreSQL 10–18. `_RETURN` is the view itself. */
export async function readRules({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<RuleRow>(
    client,
    sql`
    SELECT w.oid, w.rulename AS name, n.nspname AS schema, c.relname AS relation,
      pg_catalog.rtrim(pg_catalog.pg_get_ruledef(w.oid), ';') AS definition, w.ev_enabled AS enabled
    FROM pg_catalog.pg_rewrite w
    JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE w.rulename <> '_RETURN' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname, w.rulename`,
  );
  return rows.map((row, index) => {
    const relation = quoteQualified(row.schema, row.relation);
    const name = quoteIdentifier(row.name);
    return {
      key: objectKey('pg_rewrite', row.oid),
      kind: 'rule',
      address: `RULE ${name} ON ${relation}`,
      stage: 'behaviour',
      // One after the other: a rule locks its own table and those it speaks of, in an order nobody controls.
      lane: 2 + index,
      phase: 'other',
      sql: commands(
        row.definition,
        row.enabled !== 'O' && `ALTER TABLE ${relation} ${ENABLED[row.enabled]} RULE ${name}`,
      ),
      table: { schema: row.schema, name: row.relation },
    };
  });
}
