import { type Conflict, type RowImage } from '@sluice/contracts';
import { type ClientBase } from 'pg';
import { forgetJournaled, readJournal } from './conflict-journal.js';

/** A message on the bus holds 1 MiB by default, headers included. */
const MESSAGE_BYTES_MAX = 768 * 1024;
/** So much is read at once; JSON of short values is longer than what the target counts. */
const READ = { limit: 500, bytesMax: MESSAGE_BYTES_MAX };
/** A value is cut at the first of these with which the conflict fits into a message. */
const SHOWN_BYTES = [65_536, 8_192, 1_024, 128, 16];

/**
 * Hands the journal of a task over, oldest first, and deletes what was taken. Taking the same conflict again must be
 * harmless: the deletion may be lost.
 * @returns how many were handed over.
 */
export async function handOverJournal(
  target: ClientBase,
  taskId: string,
  take: (conflicts: Conflict[]) => Promise<void>,
): Promise<number> {
  const { rows } = await target.query("SELECT FROM pg_catalog.pg_class WHERE oid = to_regclass('sluice.conflict')");
  // A target that no changes were written to.
  if (rows.length === 0) return 0;
  for (let count = 0; ;) {
    const conflicts = await readJournal(target, taskId, READ);
    if (conflicts.length === 0) return count;
    for (const message of packConflicts(conflicts)) {
      await take(message);
      await forgetJournaled(
        target,
        message.map(({ conflictId }) => conflictId),
      );
      count += message.length;
    }
  }
}

/** Messages of bounded size. */
export function packConflicts(conflicts: readonly Conflict[]): Conflict[][] {
  const messages: Conflict[][] = [];
  let bytes = Infinity;
  for (const conflict of conflicts) {
    const shown = shownConflict(conflict);
    const size = sizeOf(shown);
    const last = messages.at(-1);
    if (last && bytes + size <= MESSAGE_BYTES_MAX) {
      last.push(shown);
      bytes += size;
    } else {
      messages.push([shown]);
      bytes = size;
    }
  }
  return messages;
}

/** The conflict with its values cut, so that it fits into a message; of very many rows in the way the first ones. */
function shownConflict(conflict: Conflict): Conflict {
  let shown = conflict;
  for (const bytesMax of SHOWN_BYTES) {
    shown = {
      ...conflict,
      key: cutRow(conflict.key, bytesMax),
      sourceRow: conflict.sourceRow && cutRow(conflict.sourceRow, bytesMax),
      targetRows: conflict.targetRows.map((row) => cutRow(row, bytesMax)),
    };
    if (sizeOf(shown) <= MESSAGE_BYTES_MAX) return shown;
  }
  while (shown.targetRows.length > 0 && sizeOf(shown) > MESSAGE_BYTES_MAX)
    shown = { ...shown, targetRows: shown.targetRows.slice(0, Math.floor(shown.targetRows.length / 2)) };
  return shown;
}

function cutRow(row: RowImage, bytesMax: number): RowImage {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : cut(value, bytesMax)]),
  );
}

function cut(value: string, bytesMax: number): string {
  if (value.length <= bytesMax / 4) return value;
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length <= bytesMax) return value;
  // A character that was cut through is left out.
  return `${new TextDecoder().decode(bytes.subarray(0, bytesMax - 3), { stream: true })}…`;
}

function sizeOf(conflict: Conflict): number {
  return Buffer.byteLength(JSON.stringify(conflict)) + 1;
}
