import { type ClientBase } from 'pg';
import { type QualifiedName } from './scope.js';
import { readSequenceStates, type SequenceState, setSequences } from './sequences.js';
import { readRows, sql } from './sql.js';

export interface BroughtSequences {
  readonly setCount: number;
  /** Not there. */
  readonly missing: readonly QualifiedName[];
  /** There, but they do not take the value: another range, no right. */
  readonly refused: readonly { readonly sequence: QualifiedName; readonly error: unknown }[];
}

const key = ({ schema, name }: QualifiedName): string => JSON.stringify([schema, name]);

/** Sets those sequences that stand elsewhere, forwards or backwards, and leaves the others alone. */
export async function bringSequences(client: ClientBase, wanted: readonly SequenceState[]): Promise<BroughtSequences> {
  const existing = new Set((await findSequences(client, wanted)).map(key));
  const present = wanted.filter((state) => existing.has(key(state)));
  const standing = new Map((await readSequenceStates(client, present)).map((state) => [key(state), state]));
  const moved = present.filter((state) => {
    const now = standing.get(key(state));
    return now?.lastValue !== state.lastValue || now.isCalled !== state.isCalled;
  });
  const refused: BroughtSequences['refused'][number][] = [];
  await setSequences(client, moved).catch(async () => {
    // One that refuses must not hold up the others.
    for (const sequence of moved) {
      await setSequences(client, [sequence]).catch((error: unknown) => refused.push({ sequence, error }));
    }
  });
  return {
    setCount: moved.length - refused.length,
    missing: wanted.filter((state) => !existing.has(key(state))),
    refused,
  };
}

function findSequences(client: ClientBase, names: readonly QualifiedName[]): Promise<QualifiedName[]> {
  return readRows<QualifiedName>(
    client,
    sql`SELECT n.nspname AS schema, c.relname AS name
        FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
        JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind = 'S'`,
    [names.map(({ schema }) => schema), names.map(({ name }) => name)],
  );
}
