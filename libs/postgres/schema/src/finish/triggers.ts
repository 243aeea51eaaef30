import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface TriggerRow {
  readonly oid: number;
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly definition: string;
  readonly enabled: 'A' | 'D' | 'O' | 'R';
  /** Made by the trigger of the partitioned parent; listed only where its state differs from the parent's. */
  readonly isClone: boolean;
}

/** How pg_trigger and pg_rewrite keep the state that ALTER TABLE sets. */
export const ENABLED = { A: 'ENABLE ALWAYS', D: 'DISABLE', O: 'ENABLE', R: 'ENABLE REPLICA' } as const;

export async function readTriggers(source: Source): Promise<SchemaObject[]> {
  const rows = await readTriggerRows(source);
  return rows.map((row) => {
    const table = quoteQualified(row.schema, row.table);
    const name = quoteIdentifier(row.name);
    return {
      key: objectKey('pg_trigger', row.oid),
      kind: 'trigger',
      address: `TRIGGER ${name} ON ${table}`,
      stage: 'behaviour',
      // Clones exist as soon as their parent's trigger does, so their states follow in a later lane.
      lane: row.isClone ? 1 : 0,
      phase: 'other',
      sql: commands(
        !row.isClone && row.definition,
        (row.isClone || row.enabled !== 'O') && `ALTER TABLE ${table} ${ENABLED[row.enabled]} TRIGGER ${name}`,
      ),
      table: { schema: row.schema, name: row.table },
    };
  });
}

/**
 * Tested on PostgreSQL 10–18. Clones on partitions name their parent from 13, and count as internal before 15;
 * before 13 their states are not told apart.
 */
function readTriggerRows({ client, versionNum }: Source): Promise<TriggerRow[]> {
  const parent = since(versionNum, { from: 130_000, use: sql`t.tgparentid`, before: sql`0::oid` });
  return readRows<TriggerRow>(
    client,
    sql`
    SELECT t.oid, t.tgname AS name, n.nspname AS schema, c.relname AS table,
      pg_catalog.pg_get_triggerdef(t.oid) AS definition, t.tgenabled AS enabled, ${parent} <> 0 AS "isClone"
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_trigger p ON p.oid = ${parent}
    WHERE ((NOT t.tgisinternal AND ${parent} = 0) OR (p.oid IS NOT NULL AND NOT p.tgisinternal AND t.tgenabled <> p.tgenabled))
      AND c.relkind IN ('r', 'p', 'v') AND c.relpersistence <> 't' AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname, t.tgname`,
  );
}

/** Tested on PostgreSQL 10–18. Only a superuser may create them; they come last, or they would fire for our own commands. */
export async function readEventTriggers({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<{
    oid: number;
    name: string;
    owner: string;
    definition: string;
    enabled: TriggerRow['enabled'];
  }>(
    client,
    sql`
    SELECT e.oid, e.evtname AS name, r.rolname AS owner, e.evtenabled AS enabled,
      pg_catalog.format('ON %s%s EXECUTE PROCEDURE %s()', e.evtevent,
        coalesce(' WHEN TAG IN (' || (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(tag), ', ')
          FROM unnest(e.evttags) tag) || ')', ''), e.evtfoid::regproc) AS definition
    FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_roles r ON r.oid = e.evtowner
    JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_event_trigger`, sql`e.oid`)}
    ORDER BY e.evtname`,
  );
  return rows.map((row) => {
    const address = `EVENT TRIGGER ${quoteIdentifier(row.name)}`;
    return {
      key: objectKey('pg_event_trigger', row.oid),
      kind: 'event trigger',
      address,
      stage: 'event-trigger',
      phase: 'other',
      sql: commands(
        `CREATE ${address} ${row.definition}`,
        row.enabled !== 'O' && `ALTER ${address} ${ENABLED[row.enabled]}`,
      ),
      owner: row.owner,
      needsSuperuser: true,
    };
  });
}
