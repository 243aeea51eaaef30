import { type TableName } from '@sluice/contracts';
import { type Client, quoteQualified } from '@sluice/postgres-client';
import { tableKey } from './comparable-tables.js';
import { type SequenceDifference, type SequenceState } from './comparison-report.js';

/** One statement reads so many sequences; each stands in it as a table of its own. */
const SEQUENCES_PER_STATEMENT = 200;

interface NamedState extends SequenceState {
  readonly sequence: TableName;
}

/** Sequences whose next value is another one, or that are missing on one side. */
export async function compareSequences(source: Client, target: Client): Promise<SequenceDifference[]> {
  const [sources, targets] = await Promise.all([readSequences(source), readSequences(target)]);
  const keys = new Set([...sources.keys(), ...targets.keys()]);
  return [...keys].flatMap((key) => {
    const [left, right] = [sources.get(key), targets.get(key)];
    const sequence = (left ?? right)?.sequence;
    const isEqual = left?.lastValue === right?.lastValue && left?.isCalled === right?.isCalled;
    return isEqual || !sequence ? [] : [{ sequence, source: stateOf(left), target: stateOf(right) }];
  });
}

function stateOf(named: NamedState | undefined): SequenceState | null {
  return named ? { lastValue: named.lastValue, isCalled: named.isCalled } : null;
}

/** `pg_sequences` cannot be used: it does not tell a sequence that was set but not called from a new one. PostgreSQL 10–18. */
async function readSequences(client: Client): Promise<Map<string, NamedState>> {
  const { rows: names } = await client.query<TableName>(
    `SELECT n.nspname AS schema, c.relname AS name
     FROM pg_class AS c
     JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND c.relpersistence <> 't'
       AND n.nspname !~ '^(pg_|sluice_[0-9a-f]{32}$)' AND n.nspname NOT IN ('information_schema', 'sluice')
       AND NOT EXISTS (
         SELECT FROM pg_depend AS d
         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
       )
     ORDER BY 1, 2`,
  );
  const states = new Map<string, NamedState>();
  for (let start = 0; start < names.length; start += SEQUENCES_PER_STATEMENT) {
    const batch = names.slice(start, start + SEQUENCES_PER_STATEMENT);
    const parts = batch.map(
      ({ schema, name }, index) =>
        `SELECT ${index} AS position, last_value, is_called FROM ${quoteQualified(schema, name)}`,
    );
    const { rows } = await client.query<{ position: number; last_value: string; is_called: boolean }>(
      parts.join(' UNION ALL '),
    );
    for (const { position, last_value: lastValue, is_called: isCalled } of rows) {
      const sequence = batch[position];
      if (sequence) states.set(tableKey(sequence), { sequence, lastValue, isCalled });
    }
  }
  return states;
}
