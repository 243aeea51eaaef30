import { frames, MESSAGE_KIND } from '@sluice/postgres-replication';
import { type FrameRun } from './source-transaction.js';

/** Position of `dataStart` in a CopyData frame: behind `d`, the length and `w`. */
const DATA_START_OFFSET = 6;

interface Place {
  readonly run: number;
  readonly offset: number;
}

/** A message, and the frames in front of it that belong behind it. */
interface Move {
  readonly groupStart: Place;
  readonly start: Place;
  readonly end: Place;
}

/**
 * The frames of a transaction in the order in which the source wrote them. A row change carries the LSN at which its record
 * begins, a logical message that at which its record ends. So a message and the change right behind it carry the same, and a
 * server that merges sub-transactions by LSN may send the change first: with a DDL between them, a row of a table that does
 * not look like that yet. (PostgreSQL 14–18, logicalmsg_decode in src/backend/replication/logical/decode.c)
 */
export function inWalOrder(runs: readonly FrameRun[]): readonly FrameRun[] {
  const moves = findMoves(runs);
  if (moves.length === 0) return runs;
  const ordered: FrameRun[] = [];
  let from: Place = { run: 0, offset: runs[0]?.start ?? 0 };
  for (const { groupStart, start, end } of moves) {
    ordered.push(...between(runs, from, groupStart), ...between(runs, start, end), ...between(runs, groupStart, start));
    from = end;
  }
  const last = runs.length - 1;
  return [...ordered, ...between(runs, from, { run: last, offset: runs[last]?.end ?? 0 })];
}

function findMoves(runs: readonly FrameRun[]): Move[] {
  const moves: Move[] = [];
  let group: Place | null = null;
  let groupLsn = 0n;
  for (const [run, { buffer, start, end }] of runs.entries()) {
    const cursor = frames(buffer, { start, limit: end });
    while (cursor.advance()) {
      // A description holds wherever it stands before its changes; those at the head of a batch are older.
      if (cursor.kind === MESSAGE_KIND.relation) continue;
      const lsn = buffer.readBigUInt64BE(cursor.offset + DATA_START_OFFSET);
      if (cursor.kind === MESSAGE_KIND.message) {
        if (group && lsn === groupLsn) {
          const [from, to] = [
            { run, offset: cursor.offset },
            { run, offset: cursor.end },
          ];
          moves.push({ groupStart: group, start: from, end: to });
        }
        group = null;
      } else if (cursor.kind === MESSAGE_KIND.begin || lsn === 0n) {
        group = null;
      } else if (!group || lsn !== groupLsn) {
        group = { run, offset: cursor.offset };
        groupLsn = lsn;
      }
    }
  }
  return moves;
}

function between(runs: readonly FrameRun[], from: Place, to: Place): FrameRun[] {
  return runs.slice(from.run, to.run + 1).flatMap(({ buffer, start, end }, index) => {
    const run = from.run + index;
    const piece = {
      buffer,
      start: run === from.run ? from.offset : start,
      end: run === to.run ? to.offset : end,
    };
    return piece.end > piece.start ? [piece] : [];
  });
}
