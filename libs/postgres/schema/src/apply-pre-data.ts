import { SluiceError } from '@sluice/contracts';
import { hasSqlState, SQLSTATE } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { type StructurePlan } from './plan.js';

/** Bodies may speak of what is created later, and every name in a plan is qualified. */
export const STRUCTURE_SETTINGS = `SET LOCAL check_function_bodies = off; SET LOCAL search_path = ''; SET LOCAL client_min_messages = warning`;

/**
 * Creates everything that has to be there before the rows. The caller owns the transaction: after a crash the target
 * has all of it or nothing. The settings made here, an empty search_path among them, last until its end.
 * @throws SluiceError 3001 with the statement and the server's error.
 */
export async function applyPreData(target: ClientBase, plan: StructurePlan): Promise<void> {
  await target.query(STRUCTURE_SETTINGS);
  for (const { identity, sql } of plan.preData) {
    try {
      await target.query(sql);
    } catch (error) {
      const remedy = lockRemedyFor(error, plan);
      throw new SluiceError('SLUICE-3001', {
        detail: `${identity}: ${error instanceof Error ? error.message : String(error)}`,
        cause: error,
        ...(remedy !== null && { remedy }),
      });
    }
  }
}

/** Every object created in a transaction holds a lock until its end. `null` when the error is another. */
export function lockRemedyFor(error: unknown, plan: StructurePlan): string | null {
  const isOutOfLocks =
    hasSqlState(error, SQLSTATE.outOfMemory) && error instanceof Error && /shared memory/.test(error.message);
  if (!isOutOfLocks) return null;
  // A table takes up to four locks: itself, its TOAST table and index, its sequence; the default allows 100 sessions.
  const locksPerTransaction = Math.max(128, Math.ceil((plan.preData.length * 4) / 100));
  return `Raise max_locks_per_transaction on the target to ${locksPerTransaction} or more and restart it.`;
}
