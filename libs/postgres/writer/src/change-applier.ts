import { type Lsn } from '@sluice/model';
import {
  decodeTruncate,
  frames,
  MESSAGE_KIND,
  newRowChange,
  type RelationOid,
  type RowChange,
  rowChange,
} from '@sluice/postgres-replication';
import { NotFoldable } from './change-fold.js';
import { type BoundTable, type RelationRegistry } from './relation-registry.js';
import { type FrameRun, type TransactionPart } from './source-transaction.js';
import { writeTruncate } from './table-writer.js';
import { type TargetPipeline } from './target-pipeline.js';

/** Folded: by key, deletes before updates before inserts. Exact: every change by itself, in the source's order. */
export type ApplyMode = 'folded' | 'exact';

/** Statements in flight above this are waited for, so that neither side's buffers grow without bound (I7). */
const BYTES_IN_FLIGHT_MAX = 16 * 1024 * 1024;

/** Turns the frames of transactions into statements of the target's open transaction. */
export class ChangeApplier {
  readonly #relations: RelationRegistry;
  readonly #pipeline: TargetPipeline;
  readonly #mode: ApplyMode;
  readonly #change: RowChange = newRowChange();
  readonly #dirty = new Set<BoundTable>();
  #lastOid = -1;
  #lastTable: BoundTable | null = null;
  #changeCount = 0;

  constructor(options: { relations: RelationRegistry; pipeline: TargetPipeline; mode: ApplyMode }) {
    this.#relations = options.relations;
    this.#pipeline = options.pipeline;
    this.#mode = options.mode;
  }

  /** Row changes and truncations seen. */
  get changeCount(): number {
    return this.#changeCount;
  }

  async apply({ runs, commitLsn }: TransactionPart): Promise<void> {
    for (const run of runs) await this.#applyRun(run, commitLsn);
  }

  /** Sends what is folded. */
  async flush(): Promise<void> {
    for (const table of this.#dirty) this.#sendFold(table);
    this.#dirty.clear();
    if (this.#pipeline.bytesInFlight > BYTES_IN_FLIGHT_MAX) await this.#pipeline.settle();
  }

  async #applyRun(run: FrameRun, commitLsn: Lsn): Promise<void> {
    const cursor = frames(run.buffer, run.start, run.end);
    while (cursor.advance()) {
      switch (cursor.kind) {
        case MESSAGE_KIND.insert:
        case MESSAGE_KIND.update:
        case MESSAGE_KIND.delete:
          this.#applyRow(run.buffer, cursor.payloadOffset, commitLsn);
          if (this.#mode === 'exact' && this.#pipeline.bytesInFlight > BYTES_IN_FLIGHT_MAX)
            await this.#pipeline.settle();
          break;
        case MESSAGE_KIND.relation:
          await this.#bind(run.buffer.subarray(cursor.payloadOffset, cursor.end));
          break;
        case MESSAGE_KIND.truncate:
          await this.#truncate(run.buffer, cursor.payloadOffset, commitLsn);
          break;
        default:
          // Begin, commit, origin, type and logical messages carry nothing to write.
          break;
      }
    }
  }

  #applyRow(buffer: Buffer, payloadOffset: number, commitLsn: Lsn): void {
    const change = rowChange(buffer, payloadOffset, this.#change);
    const table = this.#tableOf(change.relationOid);
    if (table.startLsn !== null && commitLsn < table.startLsn) return;
    this.#changeCount += 1;
    if (this.#mode === 'folded' && table.plan.canFold && this.#fold(table, buffer, change)) return;
    if (this.#mode === 'folded' && change.operation === 'I' && !table.plan.target.firesTriggers) {
      table.fold.insert({ buffer, offset: change.newTupleOffset });
      this.#dirty.add(table);
      return;
    }
    // By itself: after everything of the table before it.
    this.#sendFold(table);
    this.#dirty.delete(table);
    this.#sendAlone(table, buffer, change);
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

  #sendAlone(table: BoundTable, buffer: Buffer, change: RowChange): void {
    const old = change.oldTupleOffset < 0 ? null : { buffer, offset: change.oldTupleOffset };
    const row = { buffer, offset: change.newTupleOffset };
    if (change.operation === 'I') table.writer.insertOne(row);
    else if (change.operation === 'U') table.writer.updateOne(old, row);
    else if (old) table.writer.deleteOne(old);
  }

  #sendFold(table: BoundTable): void {
    if (!table.fold.isEmpty) table.writer.writeFolded(table.fold.take());
  }

  async #truncate(buffer: Buffer, payloadOffset: number, commitLsn: Lsn): Promise<void> {
    const message = decodeTruncate(buffer, payloadOffset);
    const tables = message.relationOids
      .map((oid) => this.#tableOf(oid))
      .filter(({ startLsn }) => startLsn === null || commitLsn >= startLsn);
    // Order: changes before the truncation must reach the target before it, of all tables, as a foreign key may join them.
    await this.flush();
    this.#changeCount += 1;
    writeTruncate(
      tables.map(({ plan }) => plan),
      { pipeline: this.#pipeline, restartIdentity: message.restartIdentity },
    );
  }

  async #bind(message: Buffer): Promise<void> {
    const oid = message.readUInt32BE(1);
    if (this.#relations.isKnown(oid, message)) return;
    const earlier = this.#relations.find(oid as RelationOid);
    if (earlier) {
      this.#sendFold(earlier);
      this.#dirty.delete(earlier);
    }
    await this.#relations.bind(message);
    this.#lastOid = -1;
  }

  #tableOf(oid: RelationOid): BoundTable {
    if (oid === this.#lastOid && this.#lastTable) return this.#lastTable;
    this.#lastTable = this.#relations.get(oid);
    this.#lastOid = oid;
    return this.#lastTable;
  }
}
