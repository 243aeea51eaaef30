import { SluiceError } from '@sluice/contracts';
import { type Client, isConnectionLoss, quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { pipeCopy, type CopyPipeResult, type CopyPipeStatements } from './copy-pipe.js';
import { beginTableUnderSnapshot, beginUnderSnapshot } from './exported-snapshot.js';
import { copyLargeObjects } from './large-objects/copy-large-objects.js';
import { type RolesOfLargeObjects } from './large-objects/large-object-attributes.js';
import { areLargeObjects } from './large-objects/plan-large-objects.js';
import { type CopyThrottle } from './source-tap.js';
import { type Chunk, lockChunk, markChunkDone } from './ledger/chunk-ledger.js';

export interface ChunkSessions {
  readonly source: Client;
  readonly target: Client;
}

export interface CopyChunkOptions {
  readonly chunkId: string;
  readonly signal?: AbortSignal;
  /** Default: all that the target has. */
  readonly roles?: RolesOfLargeObjects;
  readonly throttle?: CopyThrottle;
  /** Called at the two moments where a crash matters. */
  readonly passing?: (moment: 'before-commit' | 'after-commit') => void | Promise<void>;
}

const ALL_ROLES: RolesOfLargeObjects = { existing: true, privilegesOfCreated: true };

export type CopyChunkResult = { readonly kind: 'nothing-to-do' } | ({ readonly kind: 'copied' } & CopyPipeResult);

/**
 * Copies one chunk exactly once: its ledger row is locked, and marked in the transaction that holds its rows. The
 * commit need not be flushed (I5): if a crash of the target loses it, it loses rows and mark together.
 *
 * After a failure neither session can be used again.
 * @throws SluiceError 3003 when the snapshot is lost, 3004 when one of the servers refused.
 */
export async function copyChunk(sessions: ChunkSessions, options: CopyChunkOptions): Promise<CopyChunkResult> {
  const { source, target } = sessions;
  await target.query('BEGIN');
  const locked = await lockChunk(target, options.chunkId);
  if (!locked) {
    await target.query('ROLLBACK');
    return { kind: 'nothing-to-do' };
  }
  const { chunk, snapshot } = locked;
  if (areLargeObjects(chunk)) await beginUnderSnapshot(source, snapshot);
  else await beginTableUnderSnapshot(source, snapshot, chunk);
  const copied = await copyContent(sessions, chunk, options);
  await markChunkDone(target, chunk, copied);
  await options.passing?.('before-commit');
  await Promise.all([target.query('COMMIT'), source.query('COMMIT')]);
  await options.passing?.('after-commit');
  return { kind: 'copied', ...copied };
}

async function copyContent(
  { source, target }: ChunkSessions,
  chunk: Chunk,
  { signal, throttle, roles = ALL_ROLES }: CopyChunkOptions,
): Promise<CopyPipeResult> {
  try {
    if (areLargeObjects(chunk)) return await copyLargeObjects({ source, target }, chunk, { roles, signal, throttle });
    // Emptied in the same transaction, the rows can be written as frozen: nobody has to visit them again. An earlier
    // attempt left nothing in the table, so nothing is lost.
    if (chunk.ownsTable) await target.query(`TRUNCATE ONLY ${quoteQualified(chunk.schema, chunk.name)}`);
    return await pipeCopy(source, target, {
      ...copyStatements(chunk),
      ...(signal && { signal }),
      ...(throttle && { throttle }),
    });
  } catch (error) {
    throw asCopyError(error, chunk);
  }
}

/** The two commands that move a chunk. Columns are named, so that their order may differ; a table may have none. */
export function copyStatements(chunk: Chunk): Pick<CopyPipeStatements, 'copyTo' | 'copyFrom'> {
  const relation = quoteQualified(chunk.schema, chunk.name);
  const columns = chunk.columns.map(quoteIdentifier).join(', ');
  const columnList = columns === '' ? '' : ` (${columns})`;
  const format = chunk.isBinary ? ['FORMAT binary'] : [];
  const options = (list: readonly string[]): string => (list.length === 0 ? '' : ` WITH (${list.join(', ')})`);
  const conditions = [
    ...(chunk.fromBlock === null ? [] : [`ctid >= '(${chunk.fromBlock},0)'::tid`]),
    ...(chunk.toBlock === null ? [] : [`ctid < '(${chunk.toBlock},0)'::tid`]),
  ];
  const rows =
    conditions.length === 0
      ? `${relation}${columnList}`
      : `(SELECT ${columns} FROM ONLY ${relation} WHERE ${conditions.join(' AND ')})`;
  return {
    copyTo: `COPY ${rows} TO STDOUT${options(format)}`,
    copyFrom: `COPY ${relation}${columnList} FROM STDIN${options([...format, ...(chunk.ownsTable ? ['FREEZE'] : [])])}`,
  };
}

function asCopyError(error: unknown, chunk: Chunk): unknown {
  if (isConnectionLoss(error) || !(error instanceof Error) || error instanceof SluiceError) return error;
  if (error.name === 'AbortError') return error;
  if (areLargeObjects(chunk)) {
    const range = `${chunk.fromBlock ?? 'the first'} to ${chunk.toBlock === null ? 'the last' : `before ${chunk.toBlock}`}`;
    return new SluiceError('SLUICE-3004', { detail: `large objects, ${range}: ${error.message}`, cause: error });
  }
  const place = `${quoteQualified(chunk.schema, chunk.name)}${placeOf(error, chunk)}`;
  return new SluiceError('SLUICE-3004', { detail: `${place}: ${error.message}`, cause: error });
}

/** `COPY t, line 7, column v: "…"` (PostgreSQL 10–18, the context of an error while rows are read): what stands behind the column is the value. */
const COPY_CONTEXT = /^COPY .*?, line (\d+)(?:, column ([^:]+))?/;

/** Which row it was, counted from where the chunk begins, and which column, where the server says so. */
function placeOf(error: Error, { fromBlock }: Chunk): string {
  const context: unknown = Reflect.get(error, 'where');
  const [, row, column] = (typeof context === 'string' && COPY_CONTEXT.exec(context)) || [];
  if (row === undefined) return '';
  const from = fromBlock === null ? '' : ` from ctid (${fromBlock},0) on`;
  return `, row ${row}${from}${column === undefined ? '' : `, column ${column}`}`;
}
