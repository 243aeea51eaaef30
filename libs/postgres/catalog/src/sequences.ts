import { quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { inUserSchema, notExtensionMember, type QualifiedName } from './scope.js';
import { readRows, sql } from './sql.js';

export interface SequenceState {
  readonly schema: string;
  readonly name: string;
  /** Text, as it can exceed what a JavaScript number holds exactly. */
  readonly lastValue: string;
  readonly isCalled: boolean;
}

/** Each sequence read stays locked until its statement ends, and the server's lock table is small by default. */
const SEQUENCES_PER_STATEMENT = 500;

/**
 * Where every sequence stands, those of identity columns included. Sequences ignore snapshots: read them outside of a
 * long transaction, which would also keep every lock. pg_sequence_last_value() is not enough: it hides what
 * `setval(…, false)` stored. Tested on PostgreSQL 10–18.
 */
export async function readSequences(client: ClientBase): Promise<SequenceState[]> {
  return readSequenceStates(client, await listSequences(client));
}

export interface ListedSequence extends QualifiedName {
  readonly oid: number;
  readonly isReadable: boolean;
}

export function listSequences(client: ClientBase): Promise<ListedSequence[]> {
  return readRows<ListedSequence>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name,
           pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS "isReadable"
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname`,
  );
}

/** Where these stand. They must exist. */
export async function readSequenceStates(
  client: ClientBase,
  names: readonly QualifiedName[],
): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (let start = 0; start < names.length; start += SEQUENCES_PER_STATEMENT) {
    const selects = names
      .slice(start, start + SEQUENCES_PER_STATEMENT)
      .map(
        ({ schema, name }) =>
          `SELECT ${quoteLiteral(schema)}::text AS schema, ${quoteLiteral(name)}::text AS name, ` +
          `last_value::text AS "lastValue", is_called AS "isCalled" FROM ${quoteQualified(schema, name)}`,
      );
    const { rows } = await client.query<SequenceState>(selects.join('\nUNION ALL\n'));
    states.push(...rows);
  }
  return states;
}

/** Brings the sequences of the target to the states read at the source, in statements of bounded size. */
export async function setSequences(client: ClientBase, states: readonly SequenceState[]): Promise<void> {
  for (let start = 0; start < states.length; start += SEQUENCES_PER_STATEMENT) {
    const part = states.slice(start, start + SEQUENCES_PER_STATEMENT);
    await client.query(
      `SELECT count(pg_catalog.setval(pg_catalog.format('%I.%I', s.schema, s.name)::regclass, s.value, s.called))
       FROM unnest($1::text[], $2::text[], $3::int8[], $4::bool[]) s(schema, name, value, called)`,
      [
        part.map(({ schema }) => schema),
        part.map(({ name }) => name),
        part.map(({ lastValue }) => lastValue),
        part.map(({ isCalled }) => isCalled),
      ],
    );
  }
}
