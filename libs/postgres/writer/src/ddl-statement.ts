import { type Client } from '@sluice/postgres-client';
import { type DdlCommand } from '@sluice/postgres-ddl';
import { ddlError, ddlFailed, type ShownDdl } from './ddl-failure.js';
import { type DdlPlace } from './ddl-runner.js';
import { withSettings } from './ddl-target.js';

export interface StatementContext {
  readonly ddl: ShownDdl;
  readonly place: DdlPlace;
  /** Of the session on the source: names and literals mean what they meant there. */
  readonly settings: DdlCommand['settings'];
}

/** Readers of the target wait behind us, so it is better to try again later. */
const LOCK_TIMEOUT_MS = 15_000;
/** A function may name what comes later, or what was left out. */
const SETTINGS = { lock_timeout: String(LOCK_TIMEOUT_MS), check_function_bodies: 'off' };
const TRANSACTION_COMMAND = /^[\s;]*(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i;

/** Executes a statement in the open transaction. @throws the server's error as it is; SluiceError 5013 for what would end the transaction. */
export async function runStatement(
  target: Client,
  statement: string,
  { ddl, place, settings }: StatementContext,
): Promise<void> {
  if (TRANSACTION_COMMAND.test(statement))
    throw ddlError('SLUICE-5013', { ddl, place, reason: 'a statement cannot begin or end the transaction' });
  // The extended protocol takes a single command.
  const query = { text: statement, queryMode: 'extended' };
  await withSettings(target, { ...settings, ...SETTINGS }, () => target.query(query));
}

/** The same. @throws SluiceError 5013 with the statement and its place; 5011 and others that pass by themselves. */
export async function runOrFail(target: Client, statement: string, context: StatementContext): Promise<void> {
  try {
    await runStatement(target, statement, context);
  } catch (error) {
    throw ddlFailed(context.ddl, context.place, error);
  }
}
