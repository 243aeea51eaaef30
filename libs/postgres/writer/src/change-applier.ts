import { present } from '@sluice/kernel';
import { type Lsn } from '@sluice/model';
import { type StatementTexts } from '@sluice/postgres-ddl';
import {
  decodeBegin,
  decodeMessage,
  decodeTruncate,
  frames,
  MESSAGE_KIND,
  newRowChange,
  relationOid,
  type RowChange,
  rowChange,
} from '@sluice/postgres-replication';
import { FoldedStatementFailed, foldedFailed, StreamedUnfit, targetError } from './apply-failure.js';
import { NotFoldable } from './not-foldable.js';
import { type DdlPlace, type DdlRunner } from './ddl-runner.js';
import { type ExactChange } from './exact-change.js';
import { type ConflictCounts, type ExactWriter } from './exact-writer.js';
import { type PendingTables } from './pending-tables.js';
import { type BoundTable, type RelationRegistry } from './relation-registry.js';
import { type FrameRun, type TransactionPart } from './source-transaction.js';
import { Subtransactions } from './subtransactions.js';
import { tableName } from './table-plan.js';
import { writeTruncate } from './table-writer.js';
import { inWalOrder } from './wal-order.js';
import { type PipelinedStatement, type TargetPipeline } from './target-pipeline.js';

/**
 * Folded: by key, deletes before updates before inserts. Exact: every change by itself, in the source's order. Streamed: folded, for a
 * transaction that still runs at the source, whose commit LSN is not known and whose subtransactions may be aborted.
 */
export type ApplyMode = 'folded' | 'exact' | 'streamed';

/** Statements in flight above this are waited for, so that neither side's buffers grow without bound (I7). */
const BYTES_IN_FLIGHT_MAX = 2 * 1024 * 1024;

const OPERATIONS = { I: 'insert', U: 'update', D: 'delete' } as const;

interface ChangeAt {
  readonly buffer: Buffer;
  readonly payloadOffset: number;
  readonly commitLsn: Lsn;
}

export interface ChangeApplierOptions {
  readonly relations: RelationRegistry;
  readonly pipeline: TargetPipeline;
  readonly mode: ApplyMode;
  readonly pending: PendingTables;
  readonly ddl: DdlRunner | null;
  /** For exact mode. */
  readonly exact: ExactWriter;
  /** In mode `streamed`. */
  readonly topXid?: number;
}

/** Turns the frames of transactions into statements of the target's open transaction. */
export class ChangeApplier {
  readonly #relations: RelationRegistry;
  readonly #pipeline: TargetPipeline;
  readonly #mode: ApplyMode;
  readonly #pending: PendingTables;
  /** `null` when DDL is none of the task's business. */
  readonly #ddl: DdlRunner | null;
  readonly #exact: ExactWriter;
  readonly #change: RowChange = newRowChange();
  readonly #dirty = new Set<BoundTable>();
  readonly #subtransactions: Subtransactions | null = null;
  /** Of a running transaction: whose changes come. */
  #subXid = 0;
  #lastOid = -1;
  #lastTable: BoundTable | null = null;
  #changeCount = 0;
  /** The transaction that is being written, and how many row changes of it came: a change is known by its place. */
  #commitLsn: Lsn | null = null;
  #xid = 0;
  #rowCount = 0;
  /** The newest DDL, and the texts of those of its transaction. */
  #ddlPlace: DdlPlace | null = null;
  #ddlTexts: StatementTexts = new Map();

  constructor(options: ChangeApplierOptions) {
    this.#relations = options.relations;
    this.#pipeline = options.pipeline;
    this.#mode = options.mode;
    this.#pending = options.pending;
    this.#ddl = options.ddl;
    this.#exact = options.exact;
    if (options.topXid !== undefined) this.#subtransactions = new Subtransactions(options.topXid);
  }

  /** Row changes and truncations seen. */
  get changeCount(): number {
    return this.#changeCount;
  }

  async apply({ runs, commitLsn }: TransactionPart): Promise<void> {
    if (commitLsn !== this.#commitLsn) this.#rowCount = 0;
    this.#commitLsn = commitLsn;
    // A streamed one with DDL is refused, whatever its order.
    const isOrdered = this.#ddl === null || this.#mode === 'streamed';
    for (const run of isOrdered ? runs : inWalOrder(runs)) await this.#applyRun(run, commitLsn);
  }

  /** Conflicts by what was done about them. */
  get conflicts(): Readonly<ConflictCounts> {
    return this.#exact.counts;
  }

  /** Sends what is folded; what is written one by one is on the target, or resolved. */
  async flush(): Promise<void> {
    for (const table of this.#dirty) this.#sendFold(table);
    this.#dirty.clear();
    await this.#exact.flush();
    if (this.#pipeline.bytesInFlight > BYTES_IN_FLIGHT_MAX) await this.#pipeline.settle();
  }

  /**
   * The transactions are written completely.
   * @param sendCheckpoint is called when nothing before it can be taken back alone any more, and answered with the rest.
   */
  async complete(sendCheckpoint?: () => void): Promise<void> {
    await this.flush();
    await this.#exact.complete();
    // Order: the checkpoint is the transaction's own, not that of its last subtransaction: whoever looks at the row knows the commit by its xmin.
    for (let left = this.#subtransactions?.release() ?? 0; left > 0; left -= 1)
      this.#sendCommand('RELEASE SAVEPOINT sluice_subtransaction');
    sendCheckpoint?.();
    await this.#pipeline.settle();
  }

  /** What was written since the first change of this subtransaction is void. */
  async abortSubtransaction(xid: number): Promise<void> {
    const count = this.#subtransactions?.abort(xid) ?? 0;
    if (count === 0) return;
    // It was gathered since the newest savepoint.
    for (const table of this.#dirty) table.fold.take();
    this.#dirty.clear();
    // Order: a failure before it must be seen, as the server forgets it with what is rolled back.
    await this.#pipeline.settle();
    for (let left = count; left > 0; left -= 1) {
      this.#sendCommand('ROLLBACK TO SAVEPOINT sluice_subtransaction');
      this.#sendCommand('RELEASE SAVEPOINT sluice_subtransaction');
    }
    this.#subXid = 0;
  }

  async #applyRun(run: FrameRun, commitLsn: Lsn): Promise<void> {
    const isStreamed = this.#mode === 'streamed';
    const cursor = frames(run.buffer, { start: run.start, limit: run.end, isStreamed });
    while (cursor.advance()) {
      // Descriptions at the head of a batch are older, and hold whatever is rolled back.
      if (isStreamed && cursor.kind !== MESSAGE_KIND.relation && cursor.xid !== this.#subXid)
        await this.#enter(cursor.xid);
      switch (cursor.kind) {
        case MESSAGE_KIND.insert:
        case MESSAGE_KIND.update:
        case MESSAGE_KIND.delete:
          this.#rowCount += 1;
          if (run.buffer.readUInt32BE(cursor.payloadOffset + 1) !== this.#lastOid) {
            const oid = run.buffer.readUInt32BE(cursor.payloadOffset + 1);
            if (await this.#isLeftOut(oid, { buffer: run.buffer, payloadOffset: cursor.payloadOffset, commitLsn }))
              break;
            await this.#turnTo(oid);
          }
          this.#applyRow(run.buffer, cursor.payloadOffset, commitLsn);
          if (this.#exact.isFull) await this.#exact.flush();
          break;
        case MESSAGE_KIND.begin:
          this.#xid = decodeBegin(run.buffer, cursor.payloadOffset).xid;
          break;
        case MESSAGE_KIND.relation:
          this.#describe(run.buffer.subarray(cursor.payloadOffset, cursor.end));
          break;
        case MESSAGE_KIND.truncate:
          await this.#truncate(run.buffer, cursor.payloadOffset, commitLsn);
          break;
        case MESSAGE_KIND.message:
          await this.#takeMessage(run.buffer, cursor.payloadOffset, commitLsn);
          break;
        default:
          // Commit, origin and type messages carry nothing to write.
          break;
      }
    }
  }

  /** Changes of another subtransaction come. */
  async #enter(xid: number): Promise<void> {
    this.#subXid = xid;
    if (!this.#subtransactions?.enter(xid)) return;
    if (this.#subtransactions.isFull) throw new StreamedUnfit('too many subtransactions');
    // Order: what was gathered before it stays when it is aborted.
    await this.flush();
    this.#sendCommand('SAVEPOINT sluice_subtransaction');
  }

  #sendCommand(text: string): void {
    const onFailure: PipelinedStatement['onFailure'] = (failure) =>
      failure.kind === 'server' ? targetError(failure.error, text) : new Error(text);
    this.#pipeline.send({ text, values: [], expectedRows: null, onFailure });
  }

  /** What only a whole transaction can be asked for, in its place among the others. */
  #refuseStreamed(what: string): void {
    if (this.#mode === 'streamed') throw new StreamedUnfit(what);
  }

  /** Changes of a table whose rows are still to be copied, and the rows of the table of DDL events. */
  async #isLeftOut(oid: number, { buffer, payloadOffset, commitLsn }: ChangeAt): Promise<boolean> {
    if (this.#pending.has(oid)) {
      this.#refuseStreamed('change of a table that is still to be copied');
      this.#pending.touch(commitLsn);
      return true;
    }
    if (!this.#ddl?.isEventTable(oid)) return false;
    const event = this.#ddl.eventOf(oid, buffer, rowChange(buffer, payloadOffset, this.#change));
    if (event !== null) await this.#executeDdl(event, commitLsn);
    return true;
  }

  async #takeMessage(buffer: Buffer, payloadOffset: number, commitLsn: Lsn): Promise<void> {
    if (!this.#ddl) return;
    const message = decodeMessage(buffer, payloadOffset);
    // Order: whose it is can be told in a whole transaction only, so nothing may be left out here.
    if (this.#ddl.isMessage(message)) this.#refuseStreamed('DDL');
    const event = await this.#ddl.eventOfMessage(message, { commitLsn, xid: this.#xid });
    if (event !== null) await this.#executeDdl(event, commitLsn);
  }

  async #executeDdl(event: string, commitLsn: Lsn): Promise<void> {
    if (!this.#ddl) return;
    this.#refuseStreamed('DDL');
    if (this.#ddlPlace?.commitLsn === commitLsn) {
      this.#ddlPlace = { commitLsn, number: this.#ddlPlace.number + 1 };
    } else {
      this.#ddlPlace = { commitLsn, number: 1 };
      this.#ddlTexts = new Map();
    }
    // Order: what was changed before it must be on the target, and known to have succeeded, before it.
    await this.complete();
    await this.#ddl.execute(event, { place: this.#ddlPlace, mode: this.#mode, texts: this.#ddlTexts });
    this.#relations.unbind();
    await this.#pipeline.forgetPrepared();
    this.#lastOid = -1;
    this.#lastTable = null;
  }

  #applyRow(buffer: Buffer, payloadOffset: number, commitLsn: Lsn): void {
    const change = rowChange(buffer, payloadOffset, this.#change);
    const table = present(this.#lastTable, 'the table of a change');
    if (table.startLsn !== null && commitLsn < table.startLsn) {
      // Whether it commits below where the table's copy stands is not known yet.
      this.#refuseStreamed('change of a table that was copied later');
      return;
    }
    this.#changeCount += 1;
    if (this.#mode !== 'exact' && table.plan.canFold && this.#fold(table, buffer, change)) return;
    if (this.#mode !== 'exact' && change.operation === 'I' && isKeyless(table)) {
      table.fold.insert({ buffer, offset: change.newTupleOffset });
      this.#dirty.add(table);
      return;
    }
    // By itself: after everything of the table before it.
    this.#sendFold(table);
    this.#dirty.delete(table);
    const alone = this.#asExact(table, { buffer, change, commitLsn });
    if (this.#mode === 'exact') this.#exact.add(alone);
    else table.rows.send(alone, (failure) => foldedFailed(table.plan, failure));
  }

  #fold(table: BoundTable, buffer: Buffer, change: RowChange): boolean {
    const old = change.oldTupleOffset < 0 ? null : { buffer, offset: change.oldTupleOffset };
    const row = { buffer, offset: change.newTupleOffset };
    try {
      if (change.operation === 'I') table.fold.insert(row);
      else if (change.operation === 'U') table.fold.update(old, row);
      else if (old) table.fold.delete(old);
      else return false;
    } catch (error) {
      if (error instanceof NotFoldable) return false;
      throw error;
    }
    this.#dirty.add(table);
    return true;
  }

  #asExact(table: BoundTable, at: { buffer: Buffer; change: RowChange; commitLsn: Lsn }): ExactChange {
    const { buffer, change, commitLsn } = at;
    const row = change.newTupleOffset < 0 ? [] : [{ buffer, offset: change.newTupleOffset }];
    return {
      table,
      operation: OPERATIONS[change.operation],
      old: change.oldTupleOffset < 0 ? null : { buffer, offset: change.oldTupleOffset },
      isOldWhole: change.oldKind === 'O',
      row,
      commitLsn,
      number: this.#rowCount - 1,
    };
  }

  #sendFold(table: BoundTable): void {
    if (!table.fold.isEmpty) table.writer.writeFolded(table.fold.take());
  }

  async #truncate(buffer: Buffer, payloadOffset: number, commitLsn: Lsn): Promise<void> {
    // Nobody could read the table until the source commits.
    this.#refuseStreamed('TRUNCATE');
    const message = decodeTruncate(buffer, payloadOffset);
    const tables: BoundTable[] = [];
    for (const oid of message.relationOids) {
      if (this.#pending.has(oid)) this.#pending.touch(commitLsn);
      else tables.push(await this.#turnTo(oid));
    }
    // Order: changes before the truncation must reach the target before it, of all tables, as a foreign key may join them.
    await this.flush();
    this.#changeCount += 1;
    writeTruncate(
      tables.filter(({ startLsn }) => startLsn === null || commitLsn >= startLsn).map(({ plan }) => plan),
      { pipeline: this.#pipeline, restartIdentity: message.restartIdentity },
    );
  }

  #describe(message: Buffer): void {
    const oid = relationOid(message.readUInt32BE(1));
    const earlier = this.#relations.find(oid);
    if (!this.#relations.describe(oid, message)) return;
    this.#ddl?.noteRelation(message);
    if (earlier) {
      this.#sendFold(earlier);
      this.#dirty.delete(earlier);
    }
    this.#lastOid = -1;
    this.#lastTable = null;
  }

  async #turnTo(oid: number): Promise<BoundTable> {
    const relation = relationOid(oid);
    const table = this.#relations.find(relation) ?? (await this.#relations.bind(relation));
    // What such keys need is looked at in exact mode only.
    if (this.#mode !== 'exact' && table.hasDeferrableKeys) throw new FoldedStatementFailed(tableName(table.plan));
    this.#lastTable = table;
    this.#lastOid = oid;
    return this.#lastTable;
  }
}

/** Its inserts can be gathered; its updates and deletes go one by one. */
function isKeyless({ plan }: BoundTable): boolean {
  return plan.key === null && !plan.target.firesTriggers;
}
