import { type Lsn } from '@sluice/model';
import { SluiceError } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';
import { decodeRelation, type Relation, type RelationOid } from '@sluice/postgres-replication';
import { addColumns, type AddedColumns } from './add-columns.js';
import { ChangeFold } from './change-fold.js';
import { hasDeferrableKeys } from './conflict-indexes.js';
import { CopyMemory } from './copy-memory.js';
import { planTable, type TablePlan } from './table-plan.js';
import { RowWriter } from './row-writer.js';
import { TableWriter } from './table-writer.js';
import { type TargetPipeline } from './target-pipeline.js';
import { readTargetTable, type TargetTable } from './target-table.js';

/** A relation of the source bound to its table on the target. */
export interface BoundTable {
  readonly plan: TablePlan;
  readonly fold: ChangeFold;
  /** Writes what was folded. */
  readonly writer: TableWriter;
  /** Writes changes one by one. */
  readonly rows: RowWriter;
  /** Changes that commit below it are in the table's copy already. */
  readonly startLsn: Lsn | null;
  /** Rows may equal others in a key until the transaction ends, and nothing but a look will tell. */
  readonly hasDeferrableKeys: boolean;
}

/** Tells tables apart whose names hold dots. */
export function startKey({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}

/** A relation as the newest message describes it, and its table once a change needed it. */
interface Described {
  readonly message: Buffer;
  table: BoundTable | null;
}

/**
 * Knows for each relation OID its newest description and the table that it is written to.
 * The target is looked at when the first change needs it: a description that comes again from before a DDL, without
 * a change, must not be held against the table as it is now.
 */
export class RelationRegistry {
  readonly #client: Client;
  readonly #pipeline: TargetPipeline;
  readonly #startLsns: ReadonlyMap<string, Lsn>;
  readonly #addedColumns: AddedColumns | null;
  /** The open transaction has added columns, which a rollback takes away. */
  #hasAddedColumns = false;
  readonly #copyMemory = new CopyMemory();
  readonly #described = new Map<number, Described>();
  /** What the open transaction described anew, as it was before it. */
  readonly #before = new Map<number, Buffer | null>();

  /** @param options `startLsns`: by `startKey`, for tables that were loaded under a later snapshot than the first. */
  constructor(
    client: Client,
    pipeline: TargetPipeline,
    options: { readonly startLsns: ReadonlyMap<string, Lsn>; readonly addedColumns: AddedColumns | null },
  ) {
    this.#client = client;
    this.#pipeline = pipeline;
    this.#startLsns = options.startLsns;
    this.#addedColumns = options.addedColumns;
  }

  /** Takes a Relation message; false when it says nothing new, as batches repeat them. Changes folded under an earlier one must have been sent. */
  describe(oid: RelationOid, message: Buffer): boolean {
    const earlier = this.#described.get(oid)?.message ?? null;
    if (earlier?.equals(message)) return false;
    if (!this.#before.has(oid)) this.#before.set(oid, earlier);
    this.#described.set(oid, { message: Buffer.from(message), table: null });
    return true;
  }

  /** The table of a relation, if a change needed it already. */
  find(oid: RelationOid): BoundTable | null {
    return this.#described.get(oid)?.table ?? null;
  }

  /** Looks up the table of a relation on the target. @throws SluiceError 4004 when it was not described, 5006 when the target lacks it. */
  async bind(oid: RelationOid): Promise<BoundTable> {
    const described = this.#described.get(oid);
    // Every batch carries the descriptions that its changes need.
    if (!described)
      throw new SluiceError('SLUICE-4004', { detail: `change of relation ${oid} that was not described` });
    const relation = decodeRelation(described.message, 0);
    const plan = planTable(relation, await this.#readTarget(relation));
    described.table = {
      plan,
      fold: new ChangeFold(plan),
      writer: new TableWriter(plan, { pipeline: this.#pipeline, copyMemory: this.#copyMemory }),
      rows: new RowWriter(plan, this.#pipeline),
      startLsn: this.#startLsns.get(startKey(relation)) ?? null,
      hasDeferrableKeys: await hasDeferrableKeys(this.#client, relation.schema, relation.name),
    };
    return described.table;
  }

  async #readTarget(relation: Relation): Promise<TargetTable> {
    const table = await readTargetTable(this.#client, relation.schema, relation.name);
    const columns = relation.columns.flatMap(({ name }) => (table.columns.has(name) ? [] : [name]));
    if (columns.length === 0 || !this.#addedColumns) return table;
    const wasAdded = await addColumns(this.#client, relation, { columns, addedColumns: this.#addedColumns });
    if (!wasAdded) return table;
    this.#hasAddedColumns = true;
    return readTargetTable(this.#client, relation.schema, relation.name);
  }

  /** After a DDL: the tables of the target are looked at again. */
  unbind(): void {
    for (const described of this.#described.values()) described.table = null;
  }

  commit(): void {
    this.#before.clear();
    this.#hasAddedColumns = false;
  }

  /** Order: changes that are read again precede the descriptions that came behind them. */
  rollback(): void {
    if (this.#hasAddedColumns) this.unbind();
    this.#hasAddedColumns = false;
    for (const [oid, message] of this.#before) {
      if (message) this.#described.set(oid, { message, table: null });
      else this.#described.delete(oid);
    }
    this.#before.clear();
  }

  tables(): Iterable<BoundTable> {
    return [...this.#described.values()].flatMap(({ table }) => table ?? []);
  }
}
