import { type ConflictPolicy, SluiceError } from '@sluice/contracts';
import { type Lsn, parseLsn, type SourceIdentity } from '@sluice/model';
import { type Client, connect, type Endpoint, hasSqlState, SQLSTATE, VALUE_SETTINGS } from '@sluice/postgres-client';
import { conflictError, ConflictStop, FoldedStatementFailed, targetError } from './apply-failure.js';
import { type ApplyMode, ChangeApplier } from './change-applier.js';
import { type Checkpoint, claimCheckpoint, ensureCheckpointTable, moveCheckpoint, recordSource } from './checkpoint.js';
import { conflictIdOf, journal } from './conflict-journal.js';
import { DdlRunner, type DdlSettings } from './ddl-runner.js';
import { type ConflictCounts, ExactWriter } from './exact-writer.js';
import { PendingTables } from './pending-tables.js';
import { RelationRegistry, startKey } from './relation-registry.js';
import { LargeTransaction } from './large-transaction.js';
import { type SourceTransaction } from './source-transaction.js';
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

/** A commit of ours and where the target's WAL stood behind it. */
interface UnflushedCommit {
  readonly appliedLsn: Lsn;
  readonly targetLsn: Lsn;
}

/**
 * The target as one task's only writer.
 *
 * Maintained invariants: rows and checkpoint are written in one transaction (I2), whose commit fails when a newer
 * writer has claimed the checkpoint (I3). A source transaction never spans two target transactions (I4).
 */
export class TargetSession {
  readonly #client: Client;
  readonly #pipeline: TargetPipeline;
  readonly #relations: RelationRegistry;
  readonly #pending: PendingTables;
  readonly #ddl: DdlRunner | null;
  readonly #taskId: string;
  readonly #epoch: bigint;
  readonly #conflictPolicy: ConflictPolicy;
  #source: SourceIdentity | null;
  #appliedLsn: Lsn;
  #durableLsn: Lsn;
  #unflushed: UnflushedCommit[] = [];
  #changeCount = 0;
  readonly #conflicts: ConflictCounts = { ignored: 0, overwritten: 0 };

  private constructor(
    client: Client,
    options: {
      taskId: string;
      checkpoint: Checkpoint;
      startLsns: ReadonlyMap<string, Lsn>;
      pending: PendingTables;
      ddl: DdlSettings | null;
      conflictPolicy: ConflictPolicy;
    },
  ) {
    const { pending, startLsns } = options;
    this.#client = client;
    this.#pipeline = new TargetPipeline(client);
    this.#relations = new RelationRegistry(client, this.#pipeline, {
      startLsns,
      addedColumns: options.ddl?.addedColumns ?? null,
    });
    this.#pending = pending;
    this.#ddl = options.ddl && new DdlRunner(client, { ...options.ddl, pending, startLsns });
    this.#taskId = options.taskId;
    this.#epoch = options.checkpoint.epoch;
    this.#conflictPolicy = options.conflictPolicy;
    this.#source = options.checkpoint.source;
    this.#appliedLsn = options.checkpoint.appliedLsn;
    this.#durableLsn = options.checkpoint.appliedLsn;
  }

  /** Opens the session and claims the checkpoint. What the checkpoint says then is durable. */
  static async open(
    endpoint: Endpoint,
    options: {
      silenceMs?: number;
      taskId: string;
      startLsns?: ReadonlyMap<string, Lsn>;
      ddl?: DdlSettings | null;
      conflictPolicy?: ConflictPolicy;
    },
  ): Promise<TargetSession> {
    const client = await connect(endpoint, {
      applicationName: `apply ${options.taskId}`,
      settings: APPLY_SETTINGS,
      pipeline: true,
      ...(options.silenceMs !== undefined && { silenceMs: options.silenceMs }),
    });
    try {
      const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
      for (const [sinceVersion, setting] of NEWER_SETTINGS) {
        if (Number(rows[0]?.server_version_num) >= sinceVersion) await client.query(`SET ${setting}`);
      }
      await client.query('SET session_replication_role = replica');
      await ensureCheckpointTable(client);
      await endEarlierSessions(client);
      // Order: the claim must be on disk before anything is reported durable, so it is the one commit that waits.
      await client.query('SET synchronous_commit = on');
      const checkpoint = await claimCheckpoint(client, options.taskId);
      await client.query('SET synchronous_commit = off');
      const startLsns = options.startLsns ?? (await readStartLsns(client, options.taskId));
      const pending = await PendingTables.read(client, options.taskId);
      return new TargetSession(client, {
        taskId: options.taskId,
        checkpoint,
        startLsns,
        pending,
        ddl: options.ddl ?? null,
        conflictPolicy: options.conflictPolicy ?? 'error',
      });
    } catch (error) {
      await client.end().catch(() => undefined);
      throw targetError(error, 'opening the target');
    }
  }

  /** The server that what is applied is from; null before the first change came. */
  get source(): SourceIdentity | null {
    return this.#source;
  }

  /** The changes that come next are from this server. Nothing may be under way. */
  async recordSource(source: SourceIdentity): Promise<void> {
    await recordSource(this.#client, { taskId: this.#taskId, epoch: this.#epoch, source });
    this.#source = source;
  }

  /** What is applied and visible. */
  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  /** What is applied and on the target's disk: what may be confirmed to the source. */
  get durableLsn(): Lsn {
    return this.#durableLsn;
  }

  /** Which writer this is, in the checkpoint. */
  get epoch(): bigint {
    return this.#epoch;
  }

  /** Tables whose rows are still to be copied. */
  get pending(): PendingTables {
    return this.#pending;
  }

  /** Conflicts committed, by what was done about them. */
  get conflicts(): Readonly<ConflictCounts> {
    return this.#conflicts;
  }

  /** Row changes and truncations committed. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /**
   * Applies whole transactions in one target transaction; when folding meets a conflict, one by one in the source's order,
   * so that those before the conflicting one are applied and nothing of it is.
   * @throws SluiceError 50xx
   */
  async applyTransactions(transactions: readonly SourceTransaction[]): Promise<void> {
    try {
      await this.#applyTogether(transactions, 'folded');
    } catch (error) {
      if (!(error instanceof FoldedStatementFailed)) throw error;
      for (const transaction of transactions) await this.#applyTogether([transaction], 'exact');
    }
  }

  /** Begins a transaction that is written while it still arrives. Nothing else may be applied until it ends. */
  beginLarge(mode: ApplyMode): LargeTransaction {
    return new LargeTransaction({
      applier: this.#newApplier(mode),
      begin: () => {
        this.#begin();
      },
      sendCheckpoint: (transaction) => this.#sendCheckpoint(transaction),
      commit: (transaction, applier) => this.#commit(transaction, applier),
      rollbackAfter: (error) => this.#rollbackAfter(error),
    });
  }

  /** Moves the checkpoint past WAL that holds nothing for the task. */
  async advance(appliedLsn: Lsn): Promise<void> {
    const position = { endLsn: appliedLsn, commitTime: null };
    this.#begin();
    this.#sendCheckpoint(position);
    try {
      await this.#pipeline.settle();
    } catch (error) {
      throw await this.#rollbackAfter(error);
    }
    await this.#commit(position, null);
  }

  /** Asks the target how far its WAL is on disk. */
  async refreshDurable(): Promise<Lsn> {
    if (this.#unflushed.length === 0) return this.#durableLsn;
    const { rows } = await this.#client.query<{ lsn: string }>({
      name: 'sluice_flushed',
      text: 'SELECT pg_catalog.pg_current_wal_flush_lsn()::text AS lsn',
    });
    const flushedLsn = parseLsn(rows[0]?.lsn ?? '0/0');
    while (this.#unflushed[0] && this.#unflushed[0].targetLsn <= flushedLsn) {
      this.#durableLsn = this.#unflushed[0].appliedLsn;
      this.#unflushed.shift();
    }
    return this.#durableLsn;
  }

  async close(): Promise<void> {
    try {
      await this.#client[Symbol.asyncDispose]();
    } catch {
      // A connection that is lost cannot be closed any better.
    }
  }

  async #applyTogether(transactions: readonly SourceTransaction[], mode: ApplyMode): Promise<void> {
    const last = transactions.at(-1);
    if (!last) return;
    const applier = this.#newApplier(mode);
    this.#begin();
    try {
      for (const transaction of transactions) await applier.apply(transaction);
      await applier.complete(() => this.#sendCheckpoint(last));
    } catch (error) {
      throw await this.#rollbackAfter(error);
    }
    await this.#commit(last, applier);
  }

  #newApplier(mode: ApplyMode): ChangeApplier {
    const [client, relations, pipeline, policy] = [this.#client, this.#relations, this.#pipeline, this.#conflictPolicy];
    const exact = new ExactWriter({ client, pipeline, policy, writer: { taskId: this.#taskId, epoch: this.#epoch } });
    return new ChangeApplier({ relations, pipeline, mode, pending: this.#pending, ddl: this.#ddl, exact });
  }

  /** Rolls back; of several failures the one that came first is the cause of the others. */
  async #rollbackAfter(error: unknown): Promise<unknown> {
    const first: unknown = await this.#pipeline.settle().then(
      () => error,
      (failure: unknown) => failure,
    );
    await this.#rollback();
    return first instanceof ConflictStop ? this.#stopAt(first) : first;
  }

  /** Nothing of its transaction is left, so the conflict is journaled in one of its own. */
  async #stopAt({ entry }: ConflictStop): Promise<Error> {
    const writer = { taskId: this.#taskId, epoch: this.#epoch };
    try {
      await this.#client.query('BEGIN');
      // Order: on disk before the task says that it stopped, as nothing will write it again.
      await this.#client.query('SET LOCAL synchronous_commit = on');
      await journal(this.#client, writer, [entry]);
      await this.#client.query('COMMIT');
    } catch (error) {
      await this.#rollback();
      return targetError(error, 'journaling a conflict');
    }
    return conflictError(conflictIdOf(this.#taskId, entry), entry);
  }

  #begin(): void {
    this.#pipeline.send({
      text: 'BEGIN',
      values: [],
      expectedRows: null,
      onFailure: (failure) => (failure.kind === 'server' ? targetError(failure.error, 'BEGIN') : new Error('BEGIN')),
    });
  }

  /** Behind the rows and in one round trip with them: the last statement before COMMIT (I2, I3). */
  #sendCheckpoint(transaction: { endLsn: Lsn; commitTime: Date | null }): void {
    this.#pipeline.send({
      ...moveCheckpoint({
        taskId: this.#taskId,
        epoch: this.#epoch,
        appliedLsn: transaction.endLsn,
        commitTime: transaction.commitTime?.toISOString() ?? null,
      }),
      expectedRows: 1,
      onFailure: (failure) =>
        failure.kind === 'server'
          ? targetError(failure.error, 'checkpoint')
          : new SluiceError('SLUICE-5004', {
              detail: 'the checkpoint was claimed by a newer run, or moved beyond ours',
            }),
    });
  }

  async #commit(transaction: { endLsn: Lsn; commitTime: Date | null }, applier: ChangeApplier | null): Promise<void> {
    try {
      // Order: all statements, the checkpoint's too, were settled before, so COMMIT cannot silently become ROLLBACK.
      // Awaited together: a lost connection rejects both, and a rejection that nobody awaits would end the process.
      const [, { rows }] = await Promise.all([
        this.#client.query('COMMIT'),
        this.#client.query<{ lsn: string }>({
          name: 'sluice_inserted',
          text: 'SELECT pg_catalog.pg_current_wal_insert_lsn()::text AS lsn',
        }),
      ]);
      this.#unflushed.push({
        appliedLsn: transaction.endLsn,
        targetLsn: parseLsn(rows[0]?.lsn ?? 'FFFFFFFF/FFFFFFFF'),
      });
    } catch (error) {
      await this.#rollback();
      throw targetError(error, 'commit');
    }
    this.#appliedLsn = transaction.endLsn;
    this.#changeCount += applier?.changeCount ?? 0;
    this.#conflicts.ignored += applier?.conflicts.ignored ?? 0;
    this.#conflicts.overwritten += applier?.conflicts.overwritten ?? 0;
    this.#relations.commit();
    this.#pending.commit();
    this.#ddl?.commit();
  }

  async #rollback(): Promise<void> {
    await this.#pipeline.settle().catch(() => undefined);
    for (const table of this.#relations.tables()) if (!table.fold.isEmpty) table.fold.take();
    // On a lost connection the server rolls back by itself.
    await this.#client.query('ROLLBACK').catch(() => undefined);
    if (this.#ddl?.rollback()) this.#relations.unbind();
    this.#relations.rollback();
    this.#pending.rollback();
  }
}

/**
 * The claim waits for a writer that has moved the checkpoint and not committed, and rows for one that has locked them:
 * for ever, if that one is frozen or cut off. What it has not committed is read again from the stream.
 */
async function endEarlierSessions(client: Client): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(other.pid)
     FROM pg_catalog.pg_stat_activity AS me
     JOIN pg_catalog.pg_stat_activity AS other USING (datid, usesysid, application_name)
     WHERE me.pid = pg_catalog.pg_backend_pid() AND other.pid <> me.pid`,
  );
}

/** Where tables join the stream that were loaded under a later snapshot; none when the load keeps no such list. */
async function readStartLsns(client: Client, taskId: string): Promise<ReadonlyMap<string, Lsn>> {
  try {
    const { rows } = await client.query<{ schema: string; name: string; lsn: string }>(
      `SELECT schema_name AS schema, table_name AS name, start_lsn::text AS lsn FROM sluice.table_load
       WHERE task_id = $1 AND start_lsn IS NOT NULL`,
      [taskId],
    );
    return new Map(rows.map((row) => [startKey(row), parseLsn(row.lsn)]));
  } catch (error) {
    if (hasSqlState(error, SQLSTATE.undefinedTable)) return new Map();
    throw error;
  }
}
