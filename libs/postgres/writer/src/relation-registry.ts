import { type Lsn } from '@sluice/model';
import { SluiceError } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';
import { decodeRelation, type RelationOid } from '@sluice/postgres-replication';
import { ChangeFold } from './change-fold.js';
import { planTable, type TablePlan } from './table-plan.js';
import { TableWriter } from './table-writer.js';
import { type TargetPipeline } from './target-pipeline.js';
import { readTargetTable } from './target-table.js';

/** A relation of the source bound to its table on the target. */
export interface BoundTable {
  readonly plan: TablePlan;
  readonly fold: ChangeFold;
  readonly writer: TableWriter;
  /** Changes that commit below it are in the table's copy already. */
  readonly startLsn: Lsn | null;
}

/** Tells tables apart whose names hold dots. */
export function startKey({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([schema, name]);
}

/** Knows for each relation OID its newest description and the table that it is written to. */
export class RelationRegistry {
  readonly #client: Client;
  readonly #pipeline: TargetPipeline;
  readonly #startLsns: ReadonlyMap<string, Lsn>;
  readonly #tables = new Map<number, { table: BoundTable; message: Buffer }>();

  /** @param startLsns by `startKey`, for tables that were loaded under a later snapshot than the first. */
  constructor(client: Client, pipeline: TargetPipeline, startLsns: ReadonlyMap<string, Lsn>) {
    this.#client = client;
    this.#pipeline = pipeline;
    this.#startLsns = startLsns;
  }

  /** True when the Relation message at `start` says nothing new; batches repeat them. */
  isKnown(oid: number, message: Buffer): boolean {
    return this.#tables.get(oid)?.message.equals(message) ?? false;
  }

  /** Binds a relation as the message describes it. Changes folded under its earlier description must have been sent. */
  async bind(message: Buffer): Promise<void> {
    const relation = decodeRelation(message, 0);
    const plan = planTable(relation, await readTargetTable(this.#client, relation.schema, relation.name));
    const table: BoundTable = {
      plan,
      fold: new ChangeFold(plan),
      writer: new TableWriter(plan, this.#pipeline),
      startLsn: this.#startLsns.get(startKey(relation)) ?? null,
    };
    this.#tables.set(relation.oid, { table, message: Buffer.from(message) });
  }

  get(oid: RelationOid): BoundTable {
    const found = this.#tables.get(oid);
    // Every batch carries the descriptions that its changes need.
    if (!found) throw new SluiceError('SLUICE-4004', { detail: `change of relation ${oid} that was not described` });
    return found.table;
  }

  find(oid: RelationOid): BoundTable | null {
    return this.#tables.get(oid)?.table ?? null;
  }

  tables(): Iterable<BoundTable> {
    return [...this.#tables.values()].map(({ table }) => table);
  }
}
