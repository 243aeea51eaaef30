import { quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { EVERYTHING } from '@sluice/contracts';
import { judgeObjects, type ObjectJudge } from '@sluice/model';
import { type ClientBase } from 'pg';
import { inUserSchema, notExtensionMember, type QualifiedName } from './scope.js';
import { readAncestors } from './selected-tables.js';
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
export async function readSequences(client: ClientBase, choice: SequenceChoice = ALL): Promise<SequenceState[]> {
  return readSequenceStates(client, await listSequences(client, choice));
}

/** Which sequences are meant. */
export interface SequenceChoice {
  readonly judge: ObjectJudge;
  /** A table that is published belongs to the task, whatever its name is now. */
  readonly publicationName: string | null;
}

const ALL: SequenceChoice = { judge: judgeObjects(EVERYTHING), publicationName: null };

export interface ListedSequence extends QualifiedName {
  readonly oid: number;
  readonly isReadable: boolean;
}

interface OwnedSequence extends ListedSequence {
  /** Tables that own it, or take their defaults from it. */
  readonly tables: readonly {
    readonly oid: number;
    readonly schema: string;
    readonly name: string;
    readonly isOwner: boolean;
  }[];
}

export async function listSequences(client: ClientBase, choice: SequenceChoice = ALL): Promise<ListedSequence[]> {
  if (choice.judge.isEverything) return listAll(client);
  const sequences = await listWithTables(client);
  const { judge, publicationName } = choice;
  const published = publicationName === null ? new Set<number>() : await readPublished(client, publicationName);
  const ancestors = await readAncestors(client);
  const isOfTask = ({ oid, schema, name }: OwnedSequence['tables'][number]): boolean =>
    published.has(oid) || judge.selectsTable({ schema, name, ancestors: ancestors.get(oid) ?? [] });
  return sequences.filter(({ schema, name, tables }) => {
    if (tables.some(isOfTask)) return true;
    // At database level the sequence of a column goes where its table goes.
    const isJudgedAlone = judge.level === 'table' || !tables.some(({ isOwner }) => isOwner);
    return isJudgedAlone && judge.selects({ kind: 'sequence', schema, name });
  });
}

const IS_SEQUENCE = sql`c.relkind = 'S' AND c.relpersistence <> 't' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}`;

function listAll(client: ClientBase): Promise<ListedSequence[]> {
  return readRows<ListedSequence>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name,
           pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS "isReadable"
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${IS_SEQUENCE}
    ORDER BY n.nspname, c.relname`,
  );
}

/** Tested on PostgreSQL 10–18. */
function listWithTables(client: ClientBase): Promise<OwnedSequence[]> {
  return readRows<OwnedSequence>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name,
      pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS "isReadable",
      coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
          'oid', t.oid::bigint, 'schema', tn.nspname, 'name', t.relname, 'isOwner', u.is_owner))
        FROM (
          SELECT d.refobjid AS oid, true AS is_owner FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
            AND d.refclassid = 'pg_catalog.pg_class'::regclass
          UNION
          SELECT a.adrelid, false FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef a ON a.oid = d.objid
          WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid
            AND d.classid = 'pg_catalog.pg_attrdef'::regclass) u
        JOIN pg_catalog.pg_class t ON t.oid = u.oid
        JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace), '[]') AS tables
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${IS_SEQUENCE}
    ORDER BY n.nspname, c.relname`,
  );
}

async function readPublished(client: ClientBase, publicationName: string): Promise<ReadonlySet<number>> {
  const rows = await readRows<{ oid: number }>(
    client,
    sql`SELECT r.prrelid AS oid FROM pg_catalog.pg_publication p
        JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1`,
    [publicationName],
  );
  return new Set(rows.map(({ oid }) => oid));
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
