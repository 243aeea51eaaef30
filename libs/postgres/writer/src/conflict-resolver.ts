import { type ConflictAction, type ConflictKind, type ConflictPolicy, type TableName } from '@sluice/contracts';
import { assert, present } from '@sluice/kernel';
import { type Client, hasSqlState, SQLSTATE } from '@sluice/postgres-client';
import { changeFailed, ConflictStop, targetError } from './apply-failure.js';
import { holdsRowsOf, type KeyedTable, readKeyedTable } from './conflict-indexes.js';
import { type JournalEntry } from './conflict-journal.js';
import { asInsert, keyAsSent, type ExactChange, layOut, layOutWritten } from './exact-change.js';
import {
  blockersStatement,
  describeKeyStatement,
  describeStatement,
  laterBlockersStatement,
  ownRowsStatement,
  partitionStatement,
} from './row-statements.js';
import { tableName, type TablePlan } from './table-plan.js';
import { type StatementFailure } from './target-pipeline.js';

/** Others may write to the target while a row's way is cleared; who never lets go is not waited for. */
const ATTEMPTS_MAX = 10;

/** What is in a change's way. */
interface Obstacle {
  readonly kind: ConflictKind;
  readonly constraint: string | null;
  /** Where the rows in the way are; `null` when there are none. */
  readonly keyed: KeyedTable | null;
  /** They are what the change's own identity finds, which should find one. */
  readonly isOwn: boolean;
}

export interface ConflictResolverOptions {
  readonly client: Client;
  readonly policy: ConflictPolicy;
  /** Executes a change; `null` when it went well. What a failed one did is undone, and nothing of before. */
  readonly attempt: (change: ExactChange) => Promise<StatementFailure | null>;
}

/**
 * Does what the policy says about a change that does not fit the target.
 *
 * Maintained invariant: what is done to the target and the entries that say so belong to the same transaction; under
 * `error` nothing is done.
 */
export class ConflictResolver {
  readonly #client: Client;
  readonly #policy: ConflictPolicy;
  readonly #attempt: ConflictResolverOptions['attempt'];
  /** By table name as the server gives it; forgotten with the plan that it was read for. */
  readonly #keyed = new WeakMap<TablePlan, Map<string, KeyedTable>>();

  constructor({ client, policy, attempt }: ConflictResolverOptions) {
    this.#client = client;
    this.#policy = policy;
    this.#attempt = attempt;
  }

  /** @returns what happened, to be journaled. @throws ConflictStop under `error`, SluiceError when it is no conflict. */
  async resolve(change: ExactChange, failure: StatementFailure): Promise<readonly JournalEntry[]> {
    const entries: JournalEntry[] = [];
    let current = change;
    let reason: StatementFailure | null = failure;
    for (let attempts = 1; reason; attempts += 1) {
      if (attempts > ATTEMPTS_MAX) throw await this.#failed(current, reason);
      const obstacle = await this.#obstacleOf(current, reason);
      if (this.#policy !== 'overwrite') {
        const entry = await this.#entry(change, obstacle, this.#policy === 'error' ? 'stopped' : 'ignored');
        const rows = await this.#rowsInTheWay(current, obstacle, 'read');
        if (this.#isUnexplained(obstacle, rows)) throw await this.#failed(current, reason);
        if (this.#policy === 'error') throw new ConflictStop({ ...entry, targetRows: rows });
        return [{ ...entry, targetRows: rows }];
      }
      if (obstacle.kind === 'missing_row') {
        const insert = change.operation === 'update' ? asInsert(current) : null;
        entries.push(await this.#entry(change, obstacle, insert ? 'overwritten' : 'ignored'));
        if (!insert) return entries;
        current = insert;
      } else {
        const rows = await this.#rowsInTheWay(current, obstacle, 'delete');
        if (this.#isUnexplained(obstacle, rows) && attempts > 1) throw await this.#failed(current, reason);
        if (rows.length > 0)
          entries.push({ ...(await this.#entry(change, obstacle, 'overwritten')), targetRows: rows });
      }
      reason = await this.#attempt(current);
    }
    return merged(entries);
  }

  /**
   * Looks, at the end of a transaction, for rows that equal the written one in a deferrable key: the triggers that would
   * say so do not fire for replicated rows. @throws ConflictStop unless the policy is `overwrite`.
   */
  async resolveLater(change: ExactChange): Promise<readonly JournalEntry[]> {
    const isOverwritten = this.#policy === 'overwrite';
    const { keyed, targetRows } = await this.#equalLater(change, isOverwritten ? 'delete' : 'read');
    if (targetRows.length === 0) return [];
    const constraint = keyed?.indexes.find(({ isDeferrable }) => isDeferrable)?.name ?? null;
    const obstacle = { kind: 'duplicate_key', constraint, keyed, isOwn: false } as const;
    const entry = await this.#entry(change, obstacle, isOverwritten ? 'overwritten' : 'stopped');
    if (!isOverwritten) throw new ConflictStop({ ...entry, targetRows });
    return [{ ...entry, targetRows }];
  }

  /** True when `resolveLater` would find something now. */
  async isInTheWayNow(change: ExactChange): Promise<boolean> {
    return (await this.#equalLater(change, 'read')).targetRows.length > 0;
  }

  async #equalLater(
    change: ExactChange,
    mode: 'read' | 'delete',
  ): Promise<{ keyed: KeyedTable | null; targetRows: string[] }> {
    const { plan } = change.table;
    const laid = layOutWritten(change);
    const values = [...laid.cells];
    const place = plan.target.isPartitioned
      ? await this.#query<TableName>(change, { text: partitionStatement(laid.layout), values })
      : null;
    // A partitioned table has no rows itself; one that was deleted again is in none of its partitions.
    const keyed = place && !place.rows[0] ? null : await this.#keyedTable(plan, place?.rows[0] ?? null);
    if (!keyed) return { keyed, targetRows: [] };
    const targetRows = await this.#images(change, laterBlockersStatement(laid.layout, keyed, mode), values);
    return { keyed, targetRows };
  }

  async #obstacleOf(change: ExactChange, failure: StatementFailure): Promise<Obstacle> {
    const { plan } = change.table;
    if (failure.kind === 'rows') {
      if (failure.affected === 0) return { kind: 'missing_row', constraint: null, keyed: null, isOwn: true };
      return { kind: 'duplicate_key', constraint: null, keyed: await this.#keyedTable(plan, null), isOwn: true };
    }
    if (!hasSqlState(failure.error, SQLSTATE.uniqueViolation, SQLSTATE.exclusionViolation))
      throw await this.#failed(change, failure);
    const { schema, table, constraint } = violationOf(failure.error);
    // Of a partitioned table it is the partition that is named.
    const keyed = schema !== null && table !== null ? await this.#keyedTable(plan, { schema, name: table }) : null;
    // Raised by somebody's trigger, or by what it writes to another table: no row of that may go.
    if (!keyed || !keyed.indexes.some(({ name }) => name === constraint)) throw await this.#failed(change, failure);
    return { kind: 'duplicate_key', constraint, keyed, isOwn: false };
  }

  /** A row was in the way a moment ago and cannot be found: nothing may be dropped without knowing why. */
  #isUnexplained({ kind }: Obstacle, rows: readonly string[]): boolean {
    return kind === 'duplicate_key' && rows.length === 0;
  }

  async #rowsInTheWay(change: ExactChange, obstacle: Obstacle, mode: 'read' | 'delete'): Promise<string[]> {
    const { keyed } = obstacle;
    if (obstacle.kind === 'missing_row') return [];
    assert(keyed, 'the table of a row in the way is not known');
    const { layout, cells, identityCells } = layOut(change);
    if (!obstacle.isOwn) return this.#images(change, blockersStatement(layout, keyed, mode), cells);
    const text = ownRowsStatement(layout, keyed, mode === 'read' ? 'read' : 'delete-others');
    return this.#images(change, text, identityCells);
  }

  async #entry(change: ExactChange, { kind, constraint }: Obstacle, action: ConflictAction): Promise<JournalEntry> {
    const { layout, cells } = layOut(change);
    const { rows } = await this.#query<{ key: string; source_row: string | null }>(change, {
      text: describeStatement(layout),
      values: [...cells],
    });
    const { key, source_row: sourceRow } = present(rows[0], 'a description');
    return {
      plan: change.table.plan,
      commitLsn: change.commitLsn,
      changeNumber: change.number,
      operation: change.operation,
      kind,
      constraint,
      action,
      key,
      sourceRow,
      targetRows: [],
    };
  }

  async #failed(change: ExactChange, failure: StatementFailure): Promise<Error> {
    const { layout, identityCells } = layOut(change);
    const key = await this.#client
      .query<{ key: string }>({ text: describeKeyStatement(layout), values: [...identityCells] })
      .then(({ rows }) => rows[0]?.key ?? null)
      // The key may be what is wrong, as when it has characters that the target does not have, or the connection is gone.
      .catch(() => keyAsSent(change));
    return changeFailed({ plan: change.table.plan, operation: change.operation, key }, failure);
  }

  async #keyedTable(plan: TablePlan, named: { schema: string; name: string } | null): Promise<KeyedTable | null> {
    const { schema, name } = named ?? plan.target;
    const known = this.#keyed.get(plan) ?? new Map<string, KeyedTable>();
    this.#keyed.set(plan, known);
    const id = JSON.stringify([schema, name]);
    const isOurs = known.has(id) || (await holdsRowsOf(this.#client, plan.target, { schema, name }));
    if (!isOurs) return null;
    const keyed = known.get(id) ?? (await readKeyedTable(this.#client, schema, name));
    if (keyed) known.set(id, keyed);
    return keyed;
  }

  async #images(change: ExactChange, text: string, values: readonly Buffer[]): Promise<string[]> {
    const { rows } = await this.#query<{ image: string }>(change, { text, values: [...values] });
    return rows.map(({ image }) => image);
  }

  async #query<T extends object>(
    change: ExactChange,
    query: { text: string; values: Buffer[] },
  ): Promise<{ rows: T[] }> {
    try {
      return await this.#client.query<T>(query);
    } catch (error) {
      throw targetError(error, `conflict of ${change.operation} on ${tableName(change.table.plan)}`);
    }
  }
}

/** One entry per kind: others may have put a row in the way again. */
function merged(entries: readonly JournalEntry[]): JournalEntry[] {
  const byKind = new Map<ConflictKind, JournalEntry>();
  for (const entry of entries) {
    const earlier = byKind.get(entry.kind);
    byKind.set(entry.kind, earlier ? { ...earlier, targetRows: [...earlier.targetRows, ...entry.targetRows] } : entry);
  }
  return [...byKind.values()];
}

/** What the server says was violated. https://www.postgresql.org/docs/current/protocol-error-fields.html */
function violationOf(error: unknown): { schema: string | null; table: string | null; constraint: string | null } {
  const field = (name: string): string | null => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : null;
    return typeof value === 'string' ? value : null;
  };
  return { schema: field('schema'), table: field('table'), constraint: field('constraint') };
}
