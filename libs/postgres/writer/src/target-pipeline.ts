import { type Client } from '@sluice/postgres-client';
import { type QueryResult } from 'pg';
import { type CopyIn, CopyInQuery } from './copy-in-query.js';

export interface PipelinedStatement {
  readonly text: string;
  readonly values: readonly (Buffer | string | null)[];
  /** Rows that must be affected; another number is a conflict. `null` for commands that affect no rows. */
  readonly expectedRows: number | null;
  /** Makes the error for a failure of this statement. */
  readonly onFailure: (failure: StatementFailure) => Error;
}

interface PipelinedCopy extends CopyIn {
  readonly expectedRows: number;
  readonly onFailure: PipelinedStatement['onFailure'];
}

export type StatementFailure =
  { readonly kind: 'rows'; readonly affected: number } | { readonly kind: 'server'; readonly error: unknown };

/** Statements that were prepared under a name stay prepared; beyond this many the oldest tables' are not worth it. */
const PREPARED_MAX = 2_000;

/** What was parsed in vain is known here by a name, and not there. */
const DEALLOCATE_OURS = `
  DO $$ DECLARE statement text;
  BEGIN
    FOR statement IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE name ~ '^sluice_[0-9]+$' LOOP
      EXECUTE 'DEALLOCATE ' || statement;
    END LOOP;
  END $$`;

/**
 * Sends statements without waiting for their answers. `settle()` waits for all of them and throws the first failure.
 *
 * Order: a failed statement aborts the transaction on the server, so that whatever was sent behind it has no effect;
 * nobody may COMMIT before `settle()` has returned.
 */
export class TargetPipeline {
  readonly #client: Client;
  readonly #names = new Map<string, string>();
  #nameCount = 0;
  #pending: Promise<Error | null>[] = [];
  #bytesInFlight = 0;

  /** @param client a session in pipeline mode. */
  constructor(client: Client) {
    this.#client = client;
  }

  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  send(statement: PipelinedStatement): void {
    const bytes = statement.values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    const answer = this.#client.query({
      ...this.#nameOf(statement.text),
      text: statement.text,
      values: [...statement.values],
    });
    this.#await(answer, statement, bytes);
  }

  /** `COPY … FROM STDIN` with its rows. */
  copy(statement: PipelinedCopy): void {
    const { promise, resolve, reject } = Promise.withResolvers<Pick<QueryResult, 'rowCount'>>();
    this.#client.query(
      new CopyInQuery(statement, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      }),
    );
    this.#await(promise, statement, statement.copyData.length);
  }

  #await(
    answer: Promise<Pick<QueryResult, 'rowCount'>>,
    statement: Pick<PipelinedStatement, 'expectedRows' | 'onFailure'>,
    bytes: number,
  ): void {
    this.#bytesInFlight += bytes;
    this.#pending.push(
      answer.then(
        (result) => {
          this.#bytesInFlight -= bytes;
          return check(statement, result);
        },
        (error: unknown) => {
          this.#bytesInFlight -= bytes;
          return statement.onFailure({ kind: 'server', error });
        },
      ),
    );
  }

  /** Waits for all answers. @throws the first statement's failure in the order of sending. */
  async settle(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    const outcomes = await Promise.all(pending);
    const failure = outcomes.find((outcome) => outcome !== null);
    if (failure) throw failure;
  }

  /** After a DDL: plans and parameter types were made for tables as they were. Names are not used again, as `pg` remembers them. */
  async forgetPrepared(): Promise<void> {
    await this.#client.query(DEALLOCATE_OURS);
    this.#names.clear();
  }

  #nameOf(text: string): { name?: string } {
    const known = this.#names.get(text);
    if (known !== undefined) return { name: known };
    if (this.#names.size >= PREPARED_MAX) return {};
    const name = `sluice_${this.#nameCount}`;
    this.#nameCount += 1;
    this.#names.set(text, name);
    return { name };
  }
}

function check(
  statement: Pick<PipelinedStatement, 'expectedRows' | 'onFailure'>,
  result: Pick<QueryResult, 'rowCount'>,
): Error | null {
  if (statement.expectedRows === null || result.rowCount === statement.expectedRows) return null;
  return statement.onFailure({ kind: 'rows', affected: result.rowCount ?? 0 });
}
