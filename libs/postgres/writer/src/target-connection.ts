import { SluiceError } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Client, connect, type Endpoint, VALUE_SETTINGS } from '@sluice/postgres-client';
import { type AddedColumns } from './add-columns.js';
import { targetError } from './apply-failure.js';
import { moveCheckpoint } from './checkpoint.js';
import { RelationRegistry } from './relation-registry.js';
import { TargetPipeline } from './target-pipeline.js';

/**
 * Statements find rows by key through an index whatever the statistics of a freshly loaded or empty table say: a plan
 * made while a table was small must not scan it when it is large. Commits do not wait for the disk; `durableLsn` says
 * what the disk has (I5).
 */
const APPLY_SETTINGS: Readonly<Record<string, string>> = {
  ...VALUE_SETTINGS,
  synchronous_commit: 'off',
  // A worker that vanished without a word must not keep its locks for the two hours that are the default.
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
};

/** The same for settings that older majors refuse to hear of. */
const NEWER_SETTINGS: readonly (readonly [sinceVersion: number, setting: string])[] = [
  [110_000, 'jit = off'],
  // A plan for every execution would cost more than the rows; the settings above make the generic one right.
  [120_000, 'plan_cache_mode = force_generic_plan'],
  [140_000, 'idle_session_timeout = 0'],
  [170_000, 'transaction_timeout = 0'],
];

/** Opens a session that writes for a task. All of a task have one name: whoever takes it over ends them together. */
export async function connectForWriting(
  endpoint: Endpoint,
  { taskId, silenceMs }: { readonly taskId: string; readonly silenceMs?: number | undefined },
): Promise<{ readonly client: Client; readonly backendPid: number }> {
  const client = await connect(endpoint, {
    applicationName: `apply ${taskId}`,
    settings: APPLY_SETTINGS,
    pipeline: true,
    ...(silenceMs !== undefined && { silenceMs }),
  });
  try {
    const { rows } = await client.query<{ version: number; pid: number }>(
      `SELECT pg_catalog.current_setting('server_version_num')::int AS version, pg_catalog.pg_backend_pid() AS pid`,
    );
    const { version, pid } = present(rows[0], 'what every server answers');
    const settings = NEWER_SETTINGS.filter(([sinceVersion]) => version >= sinceVersion).map(([, setting]) => setting);
    // In one round trip.
    await client.query(
      [...settings, 'session_replication_role = replica'].map((setting) => `SET ${setting}`).join('; '),
    );
    return { client, backendPid: pid };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** What a target transaction comes to in the checkpoint. */
export interface AppliedEnd {
  readonly endLsn: Lsn;
  readonly commitTime: Date | null;
}

export interface TargetConnectionOptions {
  readonly taskId: string;
  readonly epoch: bigint;
  readonly startLsns: ReadonlyMap<string, Lsn>;
  readonly addedColumns: AddedColumns | null;
}

/**
 * One session that writes, and how its transactions begin and end.
 *
 * Maintained invariant: a transaction that has rows has the checkpoint, too (I2), and fails when a newer writer has
 * claimed that (I3).
 */
export class TargetConnection {
  readonly client: Client;
  readonly pipeline: TargetPipeline;
  readonly relations: RelationRegistry;
  /** The server's process that works for it. */
  readonly backendPid: number;
  readonly #options: TargetConnectionOptions;

  /** @param session from `connectForWriting`. */
  constructor(session: Awaited<ReturnType<typeof connectForWriting>>, options: TargetConnectionOptions) {
    this.client = session.client;
    this.backendPid = session.backendPid;
    this.pipeline = new TargetPipeline(this.client);
    this.relations = new RelationRegistry(this.client, this.pipeline, options);
    this.#options = options;
  }

  begin(): void {
    this.pipeline.send({
      text: 'BEGIN',
      values: [],
      expectedRows: null,
      onFailure: (failure) => (failure.kind === 'server' ? targetError(failure.error, 'BEGIN') : new Error('BEGIN')),
    });
  }

  /** Behind the rows and in one round trip with them: the last statement before COMMIT (I2, I3). */
  sendCheckpoint({ endLsn, commitTime }: AppliedEnd): void {
    const { taskId, epoch } = this.#options;
    this.pipeline.send({
      ...moveCheckpoint({ taskId, epoch, appliedLsn: endLsn, commitTime: commitTime?.toISOString() ?? null }),
      expectedRows: 1,
      onFailure: (failure) =>
        failure.kind === 'server'
          ? targetError(failure.error, 'checkpoint')
          : new SluiceError('SLUICE-5004', {
              detail: 'the checkpoint was claimed by a newer run, or moved beyond ours',
            }),
    });
  }

  /** All statements must have been settled. @returns where the target's WAL stands behind the commit. @throws what the server said; not rolled back. */
  async commit(): Promise<Lsn> {
    // Order: all statements, the checkpoint's too, were settled before, so COMMIT cannot silently become ROLLBACK.
    // Awaited together: a lost connection rejects both, and a rejection that nobody awaits would end the process.
    const [, { rows }] = await Promise.all([
      this.client.query('COMMIT'),
      this.client.query<{ lsn: string }>({
        name: 'sluice_inserted',
        text: 'SELECT pg_catalog.pg_current_wal_insert_lsn()::text AS lsn',
      }),
    ]);
    return parseLsn(rows[0]?.lsn ?? 'FFFFFFFF/FFFFFFFF');
  }

  /** Waits for what is under way, and rolls back. Never fails: on a lost connection the server rolls back by itself. */
  async rollback(): Promise<void> {
    await this.pipeline.settle().catch(() => undefined);
    for (const table of this.relations.tables()) if (!table.fold.isEmpty) table.fold.take();
    await this.client.query('ROLLBACK').catch(() => undefined);
  }

  /** Waits for what is under way: of several failures the one that came first is the cause of the others. */
  async firstFailure(error: unknown): Promise<unknown> {
    return this.pipeline.settle().then(
      () => error,
      (failure: unknown) => failure,
    );
  }

  async close(): Promise<void> {
    try {
      await this.client[Symbol.asyncDispose]();
    } catch {
      // A connection that is lost cannot be closed any better.
    }
  }
}
