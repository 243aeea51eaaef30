import { type ErrorCode, SluiceError } from '@sluice/contracts';
import { hasSqlState, SQLSTATE, sqlStateOf } from '@sluice/postgres-client';

/** An error of the server in replication mode, read from its ErrorResponse; `code` is the SQLSTATE. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const MESSAGES: readonly { readonly pattern: RegExp; readonly code: ErrorCode }[] = [
  // `replication slot "s" does not exist` (PostgreSQL 10–18, SQLSTATE 42704)
  { pattern: /^replication slot .* does not exist/, code: 'SLUICE-4001' },
  // `replication slot "s" is active for PID 42` (10–18, 55006)
  { pattern: /^replication slot .* is active/, code: 'SLUICE-4002' },
  // `cannot read from logical replication slot "s"` (14–17, 55000: lost slot), `can no longer get changes from replication
  // slot "s"` (13–17, 55000), `can no longer access replication slot "s"` (18, 55000)
  {
    pattern: /^(cannot read from|can no longer (get changes from|access)) (logical )?replication slot/,
    code: 'SLUICE-4003',
  },
  // `requested WAL segment 000000010000000000000001 has already been removed` (10–18, 58P01)
  { pattern: /^requested WAL segment .* has already been removed/, code: 'SLUICE-4003' },
  // `publication "p" does not exist` (10–17, 42704)
  { pattern: /^publication .* does not exist/, code: 'SLUICE-4005' },
];

/** What ended the stream, as a catalogued error. */
export function classifyReplicationError(error: unknown, slotName: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const state = sqlStateOf(error);
  const known = MESSAGES.find(({ pattern }) => pattern.test(message));
  const code = known?.code ?? codeBySqlState(error, state);
  return new SluiceError(code, { detail: `slot ${slotName}: ${message}`, cause: error });
}

function codeBySqlState(error: unknown, state: string | null): ErrorCode {
  if (state === null || state.startsWith('08') || state.startsWith('57P')) return 'SLUICE-1012';
  if (hasSqlState(error, SQLSTATE.untranslatableCharacter, SQLSTATE.characterNotInRepertoire)) return 'SLUICE-4010';
  if (hasSqlState(error, SQLSTATE.objectInUse)) return 'SLUICE-4002';
  return 'SLUICE-4004';
}
