import { delay } from '@sluice/kernel';
import { readRows, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { type CopyPipeResult } from '../copy-pipe.js';
import { type Chunk } from '../ledger/chunk-ledger.js';
import { recordLargeObjects } from '../ledger/large-object-ledger.js';
import { type CopyThrottle } from '../source-tap.js';
import {
  type LargeObjectAttributes,
  readLargeObjectAttributes,
  readLargeObjectRoles,
  revokeDefaults,
  type RolesOfLargeObjects,
  toAttributeStatements,
} from './large-object-attributes.js';

/** Most objects are smaller, and come many at a time. */
const HEAD_BYTES = 16 * 1024;
/** What is in memory of a large object, twice: the driver has it as text as well. */
const PIECE_BYTES = 1024 * 1024;

export interface CopyLargeObjectsOptions {
  readonly roles: RolesOfLargeObjects;
  readonly signal: AbortSignal | undefined;
  readonly throttle: CopyThrottle | undefined;
}

/**
 * Creates the large objects of a chunk with their OIDs, as columns refer to them, and notes in the ledger that they are
 * the task's. The source is under the snapshot. They are read by functions, which honour their privileges: the catalog
 * itself is for superusers.
 */
export async function copyLargeObjects(
  { source, target }: { readonly source: Client; readonly target: Client },
  chunk: Chunk,
  { roles, ...pace }: CopyLargeObjectsOptions,
): Promise<CopyPipeResult> {
  const objects = await readLargeObjectAttributes(source, chunk);
  if (objects.length === 0) return { rows: 0, bytes: 0 };
  const heads = await copyHeads({ source, target }, objects);
  let bytes = heads.reduce((sum, { headBytes }) => sum + headBytes, 0);
  await keepPace(bytes, pace);
  for (const { oid, headBytes } of heads) {
    if (headBytes === HEAD_BYTES) bytes += await copyRest({ source, target }, oid, pace);
  }
  await recordLargeObjects(
    target,
    chunk.taskId,
    objects.map(({ oid }) => oid),
  );
  const onTarget = await readLargeObjectRoles(target, chunk.taskId, roles);
  if (!onTarget.areLeftOut) await revokeDefaults(target, objects);
  const statements = toAttributeStatements(objects, onTarget);
  if (statements.length > 0) await target.query(statements.join('; '));
  return { rows: 0, bytes };
}

type Pace = Omit<CopyLargeObjectsOptions, 'roles'>;

async function keepPace(bytes: number, { throttle, signal }: Pace): Promise<void> {
  throttle?.passed(bytes);
  for (let waitMs = throttle?.waitMs() ?? 0; waitMs > 0; waitMs = throttle?.waitMs() ?? 0) await delay(waitMs, signal);
}

async function copyHeads(
  { source, target }: { readonly source: Client; readonly target: Client },
  objects: readonly LargeObjectAttributes[],
): Promise<{ readonly oid: string; readonly headBytes: number }[]> {
  const heads = await readRows<{ oid: string; head: Buffer }>(
    source,
    sql`SELECT o.oid::text AS oid, pg_catalog.lo_get(o.oid, 0, $2) AS head FROM unnest($1::oid[]) AS o(oid)`,
    [objects.map(({ oid }) => oid), HEAD_BYTES],
  );
  await target.query(
    'SELECT count(pg_catalog.lo_from_bytea(o.oid, o.head)) FROM unnest($1::oid[], $2::bytea[]) AS o(oid, head)',
    [heads.map(({ oid }) => oid), heads.map(({ head }) => head)],
  );
  return heads.map(({ oid, head }) => ({ oid, headBytes: head.length }));
}

/** Behind the head. @returns how many bytes there were. */
async function copyRest(
  { source, target }: { readonly source: Client; readonly target: Client },
  oid: string,
  pace: Pace,
): Promise<number> {
  let offset = HEAD_BYTES;
  let endsInHole = false;
  for (;;) {
    pace.signal?.throwIfAborted();
    const [row] = await readRows<{ piece: Buffer }>(source, sql`SELECT pg_catalog.lo_get($1::oid, $2, $3) AS piece`, [
      oid,
      offset,
      PIECE_BYTES,
    ]);
    const piece = row?.piece ?? Buffer.alloc(0);
    // A hole stays one, or an object of which little is written could fill the disk.
    if (piece.length > 0) {
      endsInHole = isZero(piece);
      if (!endsInHole) await put(target, { oid, offset, piece });
    }
    offset += piece.length;
    await keepPace(piece.length, pace);
    if (piece.length === PIECE_BYTES) continue;
    // What is written last makes the length.
    if (endsInHole) await put(target, { oid, offset: offset - 1, piece: Buffer.alloc(1) });
    return offset - HEAD_BYTES;
  }
}

async function put(
  target: Client,
  { oid, offset, piece }: { readonly oid: string; readonly offset: number; readonly piece: Buffer },
): Promise<void> {
  await target.query('SELECT pg_catalog.lo_put($1::oid, $2, $3)', [oid, offset, piece]);
}

const ZEROS = Buffer.alloc(PIECE_BYTES);

function isZero(piece: Buffer): boolean {
  return piece.equals(ZEROS.subarray(0, piece.length));
}
