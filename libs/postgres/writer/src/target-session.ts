import { type ConflictPolicy, EVERYTHING } from '@sluice/contracts';
import { judgeObjects, type Lsn, type ObjectJudge, parseLsn, type SourceIdentity } from '@sluice/model';
import { type Client, type Endpoint, hasSqlState, SQLSTATE } from '@sluice/postgres-client';
import { asUnfit, conflictError, ConflictStop, FoldedStatementFailed, targetError } from './apply-failure.js';
import { type ApplyMode, ChangeApplier } from './change-applier.js';
import { type Checkpoint, claimCheckpoint, ensureCheckpointTable, recordSource } from './checkpoint.js';
import { conflictIdOf, journal } from './conflict-journal.js';
import { DdlRunner, type DdlSettings } from './ddl-runner.js';
import { type ConflictCounts, ExactWriter } from './exact-writer.js';
import { PendingTables } from './pending-tables.js';
import { TaskObjects } from './task-objects.js';
import { LockWatch } from './lock-watch.js';
import { startKey } from './relation-registry.js';
import { LargeTransaction } from './large-transaction.js';
import { type SourceTransaction } from './source-transaction.js';
import { SpareConnections } from './spare-connections.js';
import { StreamedTransaction } from './streamed-transaction.js';
import { type AppliedEnd, connectForWriting, TargetConnection } from './target-connection.js';

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
  readonly #endpoint: Endpoint;
  /** Writes what has committed at the source. */
  readonly #connection: TargetConnection;
  readonly #spare = new SpareConnections();
  readonly #startLsns: ReadonlyMap<string, Lsn>;
  readonly #pending: PendingTables;
  readonly #objects: TaskObjects;
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
    session: Awaited<ReturnType<typeof connectForWriting>>,
    options: {
      endpoint: Endpoint;
      taskId: string;
      checkpoint: Checkpoint;
      startLsns: ReadonlyMap<string, Lsn>;
      pending: PendingTables;
      objects: TaskObjects;
      ddl: DdlSettings | null;
      conflictPolicy: ConflictPolicy;
    },
  ) {
    const { pending, objects, startLsns } = options;
    this.#endpoint = options.endpoint;
    this.#startLsns = startLsns;
    this.#connection = new TargetConnection(session, {
      taskId: options.taskId,
      epoch: options.checkpoint.epoch,
      startLsns,
      addedColumns: options.ddl?.addedColumns ?? null,
    });
    this.#pending = pending;
    this.#objects = objects;
    this.#ddl = options.ddl && new DdlRunner(this.#connection.client, { ...options.ddl, pending, objects, startLsns });
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
      /** Which objects belong to the task; default: all. */
      judge?: ObjectJudge;
      conflictPolicy?: ConflictPolicy;
    },
  ): Promise<TargetSession> {
    const connected = await connectForWriting(endpoint, options).catch((error: unknown) => {
      throw targetError(error, 'opening the target');
    });
    const { client } = connected;
    try {
      await ensureCheckpointTable(client);
      await endEarlierSessions(client);
      // Order: the claim must be on disk before anything is reported durable, so it is the one commit that waits.
      await client.query('SET synchronous_commit = on');
      const checkpoint = await claimCheckpoint(client, options.taskId);
      await client.query('SET synchronous_commit = off');
      const startLsns = options.startLsns ?? (await readStartLsns(client, options.taskId));
      const pending = await PendingTables.read(client, options.taskId);
      return new TargetSession(connected, {
        endpoint,
        taskId: options.taskId,
        checkpoint,
        startLsns,
        pending,
        objects: await TaskObjects.read(client, options.taskId, options.judge ?? judgeObjects(EVERYTHING)),
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
    await recordSource(this.#connection.client, { taskId: this.#taskId, epoch: this.#epoch, source });
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
  beginLarge(mode: Exclude<ApplyMode, 'streamed'>): LargeTransaction {
    return new LargeTransaction({
      applier: this.#newApplier(mode),
      begin: () => {
        this.#connection.begin();
      },
      sendCheckpoint: (transaction) => this.#connection.sendCheckpoint(transaction),
      commit: (transaction, applier) => this.#commit(transaction, applier),
      rollbackAfter: (error) => this.#rollbackAfter(error),
    });
  }

  /** Begins a transaction that still runs at the source, on a connection of its own, beside all others. */
  async beginStreamed(xid: number): Promise<StreamedTransaction> {
    const connection = this.#spare.take() ?? (await this.#openAnother());
    return new StreamedTransaction({
      connection,
      applier: this.#newApplier('streamed', { connection, topXid: xid }),
      onCommitted: (end, targetLsn, applier) => this.#noteCommitted(end, { targetLsn, applier }),
      giveBack: (spare) => this.#spare.give(spare),
    });
  }

  async #openAnother(): Promise<TargetConnection> {
    const [taskId, epoch] = [this.#taskId, this.#epoch];
    const connected = await connectForWriting(this.#endpoint, { taskId }).catch((error: unknown) => {
      throw asUnfit(targetError(error, 'opening the target'));
    });
    return new TargetConnection(connected, { taskId, epoch, startLsns: this.#startLsns, addedColumns: null });
  }

  /** Of the session that writes what has committed. */
  get backendPid(): number {
    return this.#connection.backendPid;
  }

  watchLocks(): Promise<LockWatch> {
    return LockWatch.open(this.#endpoint, this.#taskId);
  }

  /** Moves the checkpoint past WAL that holds nothing for the task. */
  async advance(appliedLsn: Lsn): Promise<void> {
    const position = { endLsn: appliedLsn, commitTime: null };
    this.#connection.begin();
    this.#connection.sendCheckpoint(position);
    try {
      await this.#connection.pipeline.settle();
    } catch (error) {
      throw await this.#rollbackAfter(error);
    }
    await this.#commit(position, null);
  }

  /** Asks the target how far its WAL is on disk. */
  async refreshDurable(): Promise<Lsn> {
    if (this.#unflushed.length === 0) return this.#durableLsn;
    const { rows } = await this.#connection.client.query<{ lsn: string }>({
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
    await Promise.all([this.#spare[Symbol.asyncDispose](), this.#connection.close()]);
  }

  async #applyTogether(transactions: readonly SourceTransaction[], mode: ApplyMode): Promise<void> {
    const last = transactions.at(-1);
    if (!last) return;
    const applier = this.#newApplier(mode);
    this.#connection.begin();
    try {
      for (const transaction of transactions) await applier.apply(transaction);
      await applier.complete(() => this.#connection.sendCheckpoint(last));
    } catch (error) {
      throw await this.#rollbackAfter(error);
    }
    await this.#commit(last, applier);
  }

  #newApplier(
    mode: ApplyMode,
    { connection = this.#connection, ...streamed }: { connection?: TargetConnection; topXid?: number } = {},
  ): ChangeApplier {
    const { client, relations, pipeline } = connection;
    const writer = { taskId: this.#taskId, epoch: this.#epoch };
    const exact = new ExactWriter({ client, pipeline, policy: this.#conflictPolicy, writer });
    return new ChangeApplier({ relations, pipeline, mode, pending: this.#pending, ddl: this.#ddl, exact, ...streamed });
  }

  /** Rolls back; of several failures the one that came first is the cause of the others. */
  async #rollbackAfter(error: unknown): Promise<unknown> {
    const first = await this.#connection.firstFailure(error);
    await this.#rollback();
    return first instanceof ConflictStop ? this.#stopAt(first) : first;
  }

  /** Nothing of its transaction is left, so the conflict is journaled in one of its own. */
  async #stopAt({ entry }: ConflictStop): Promise<Error> {
    const writer = { taskId: this.#taskId, epoch: this.#epoch };
    const { client } = this.#connection;
    try {
      await client.query('BEGIN');
      // Order: on disk before the task says that it stopped, as nothing will write it again.
      await client.query('SET LOCAL synchronous_commit = on');
      await journal(client, writer, [entry]);
      await client.query('COMMIT');
    } catch (error) {
      await this.#rollback();
      return targetError(error, 'journaling a conflict');
    }
    return conflictError(conflictIdOf(this.#taskId, entry), entry);
  }

  async #commit(end: AppliedEnd, applier: ChangeApplier | null): Promise<void> {
    try {
      this.#noteCommitted(end, { targetLsn: await this.#connection.commit(), applier });
    } catch (error) {
      await this.#rollback();
      throw targetError(error, 'commit');
    }
    this.#connection.relations.commit();
    this.#pending.commit();
    this.#objects.commit();
    this.#ddl?.commit();
  }

  #noteCommitted(
    { endLsn }: AppliedEnd,
    { targetLsn, applier }: { readonly targetLsn: Lsn; readonly applier: ChangeApplier | null },
  ): void {
    this.#unflushed.push({ appliedLsn: endLsn, targetLsn });
    this.#appliedLsn = endLsn;
    this.#changeCount += applier?.changeCount ?? 0;
    this.#conflicts.ignored += applier?.conflicts.ignored ?? 0;
    this.#conflicts.overwritten += applier?.conflicts.overwritten ?? 0;
  }

  async #rollback(): Promise<void> {
    await this.#connection.rollback();
    const { relations } = this.#connection;
    if (this.#ddl?.rollback()) relations.unbind();
    relations.rollback();
    this.#pending.rollback();
    this.#objects.rollback();
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
