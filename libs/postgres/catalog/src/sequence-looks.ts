import { type ClientBase } from 'pg';
import {
  listSequences,
  type ListedSequence,
  readSequenceStates,
  type SequenceChoice,
  type SequenceState,
} from './sequences.js';
import { readRows, sql } from './sql.js';

/** Each sequence that is asked stays locked until its statement ends, and the server's lock table is small by default. */
const SEQUENCES_PER_STATEMENT = 500;
/** Read again whether they seem to have moved or not, in each look, in turn. */
const SEQUENCES_PER_TURN = 500;

/**
 * Finds the sequences that moved since the look before. Asking the server for the last value is cheap and shows every
 * `nextval`; what it does not show, `setval(…, false)` on a sequence that was not called, is found when its turn comes. So
 * is what a receiver has missed. Tested on PostgreSQL 10–18.
 */
export class SequenceLooks {
  #lastValues = new Map<number, string | null>();
  #turn = 0;
  readonly #choice: SequenceChoice | undefined;

  /** @param choice default: all sequences. */
  constructor(choice?: SequenceChoice) {
    this.#choice = choice;
  }

  /** The states of those that moved, and of some that did not; all of them at the first look. */
  async look(client: ClientBase): Promise<SequenceState[]> {
    const sequences = (await listSequences(client, this.#choice)).filter(({ isReadable }) => isReadable);
    const lastValues = await readLastValues(client, sequences);
    const before = this.#lastValues;
    this.#lastValues = lastValues;
    const inTurn = this.#takeTurn(sequences);
    return readSequenceStates(
      client,
      sequences.filter((one) => inTurn.has(one) || before.get(one.oid) !== lastValues.get(one.oid)),
    );
  }

  #takeTurn(sequences: readonly ListedSequence[]): ReadonlySet<ListedSequence> {
    if (this.#turn >= sequences.length) this.#turn = 0;
    const turn = sequences.slice(this.#turn, this.#turn + SEQUENCES_PER_TURN);
    this.#turn += SEQUENCES_PER_TURN;
    return new Set(turn);
  }
}

/** By OID; null for one that was not called since it was made or set. */
async function readLastValues(
  client: ClientBase,
  sequences: readonly ListedSequence[],
): Promise<Map<number, string | null>> {
  const values = new Map<number, string | null>();
  for (let start = 0; start < sequences.length; start += SEQUENCES_PER_STATEMENT) {
    const oids = sequences.slice(start, start + SEQUENCES_PER_STATEMENT).map(({ oid }) => oid);
    const rows = await readRows<{ oid: number; lastValue: string | null }>(
      client,
      // The join leaves out what was dropped meanwhile.
      sql`SELECT s.seqrelid::oid AS oid, pg_catalog.pg_sequence_last_value(s.seqrelid::regclass)::text AS "lastValue"
          FROM pg_catalog.pg_sequence s WHERE s.seqrelid = ANY ($1::oid[])`,
      [oids],
    );
    for (const { oid, lastValue } of rows) values.set(oid, lastValue);
  }
  return values;
}
