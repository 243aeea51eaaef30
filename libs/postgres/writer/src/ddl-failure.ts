import { type ErrorCode, SluiceError } from '@sluice/contracts';
import { formatLsn } from '@sluice/model';
import { sqlStateOf } from '@sluice/postgres-client';
import { targetError } from './apply-failure.js';
import { type DdlPlace } from './ddl-runner.js';

/** What a person is shown of a DDL that stops the task, and needs to decide on it. */
export interface ShownDdl {
  readonly tag: string;
  readonly identity: string | null;
  readonly class: string;
  /** `null` when it is not known. */
  readonly statement: string | null;
}

/** A statement can be as long as a transaction; an error travels as one message. */
const SHOWN_STATEMENT_LENGTH = 10_000;
/** Its place in the stream is enough to find the rest. */
const PASSWORD = /(password\s*(?:=|:)?\s*)E?'(?:[^']|'')*'/gi;

/** The target refused a statement, or it did not do there what it did on the source. */
export function ddlFailed(ddl: ShownDdl, place: DdlPlace, error: unknown): Error {
  const catalogued = targetError(error, describe(ddl, place));
  // Locks, a lost connection, a full disk: nothing is wrong with the statement.
  if (catalogued instanceof SluiceError && catalogued.spec.retry === 'backoff') return catalogued;
  const sqlState = sqlStateOf(error);
  return ddlError('SLUICE-5013', {
    ddl,
    place,
    reason: error instanceof Error ? error.message : String(error),
    more: {
      ...(sqlState !== null && { sqlState }),
      ...positionOf(error),
    },
    cause: error,
  });
}

export function ddlError(
  code: Extract<ErrorCode, 'SLUICE-5013' | 'SLUICE-5014' | 'SLUICE-5016'>,
  options: {
    readonly ddl: ShownDdl;
    readonly place: DdlPlace;
    readonly reason: string;
    readonly more?: Readonly<Record<string, string>>;
    readonly cause?: unknown;
  },
): SluiceError {
  const { ddl, place, reason, more, cause } = options;
  return new SluiceError(code, {
    detail: `${describe(ddl, place)}: ${reason}`,
    evidence: {
      commitLsn: formatLsn(place.commitLsn),
      number: String(place.number),
      tag: ddl.tag,
      class: ddl.class,
      ...(ddl.identity !== null && { identity: ddl.identity }),
      ...(ddl.statement !== null && { statement: shown(ddl.statement) }),
      ...more,
    },
    cause,
  });
}

function describe({ tag, identity }: ShownDdl, { commitLsn, number }: DdlPlace): string {
  const what = identity === null ? tag : `${tag} ${identity}`;
  return `${what}, number ${number} of the transaction that commits at ${formatLsn(commitLsn)}`;
}

/** A statement can hold a secret: of a user mapping, of a subscription (I9). */
function shown(statement: string): string {
  return statement.slice(0, SHOWN_STATEMENT_LENGTH).replace(PASSWORD, "$1'…'");
}

/** Characters from the statement's begin, from 1. */
function positionOf(error: unknown): { position?: string } {
  if (typeof error !== 'object' || error === null || !('position' in error)) return {};
  return typeof error.position === 'string' ? { position: error.position } : {};
}
