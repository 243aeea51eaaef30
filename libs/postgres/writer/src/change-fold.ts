import { CELL_KIND } from '@sluice/postgres-replication';
import { NotFoldable } from './not-foldable.js';
import { RowFold } from './row-fold.js';
import {
  cellKindOf,
  hasUnchangedCells,
  keyTextOf,
  missingCells,
  type RowVersions,
  type TupleRef,
} from './row-source.js';
import { type TablePlan } from './table-plan.js';

/**
 * The net effect on one key since the last flush.
 * insert: the target has no such row; update, delete: it has; replace: it has, and that row goes and another comes.
 */
interface KeyEffect {
  kind: 'insert' | 'update' | 'delete' | 'replace';
  /** Versions of the new row, newest last; empty for delete. */
  versions: TupleRef[];
  /** A tuple that holds the key cells of the row on the target. */
  keyTuple: TupleRef;
}

/** What a fold comes to, in the order in which it must be executed: deletes, updates, inserts. */
export interface FoldedChanges {
  /** The cells of all of them come in binary form. */
  readonly isBinary: boolean;
  readonly deletes: readonly TupleRef[];
  /** Grouped by the cells that they do not set. */
  readonly updates: ReadonlyMap<string, readonly RowVersions[]>;
  readonly inserts: readonly RowVersions[];
}

/**
 * Folds the changes of one table by key, so that a key is written once however often it changed.
 *
 * Maintained invariant: executing `take()` leaves the table as the changes in their order would, provided that the
 * target held what the source held; otherwise a statement affects another number of rows than it was given, or
 * violates a key, and the caller executes the same changes one by one.
 */
export class ChangeFold {
  readonly #plan: TablePlan;
  #effects = new Map<string, KeyEffect>();
  /** Instead of the effects, where the table has no key. */
  readonly #rows: RowFold | null;
  /** The form of the cells: those of one key are equal for the same value within one form only. Null before the first. */
  #cellKind: number | null = null;

  constructor(plan: TablePlan) {
    this.#plan = plan;
    this.#rows = plan.key === null ? new RowFold(plan.columns) : null;
  }

  get isEmpty(): boolean {
    return this.#rows?.isEmpty ?? this.#effects.size === 0;
  }

  /** @throws NotFoldable; nothing has been recorded then. */
  insert(row: TupleRef): void {
    this.#requireOneForm(row);
    if (this.#rows) {
      this.#rows.insert([row]);
      return;
    }
    const key = this.#keyOf(row);
    const effect = this.#effects.get(key);
    if (!effect) this.#effects.set(key, { kind: 'insert', versions: [row], keyTuple: row });
    else if (effect.kind === 'delete') {
      effect.kind = 'replace';
      effect.versions = [row];
    } else throw new NotFoldable('insert of a key that is there');
  }

  /** @param old the old key or row, when the source sent one. @throws NotFoldable; nothing has been recorded then. */
  update(old: TupleRef | null, row: TupleRef): void {
    this.#requireOneForm(row);
    if (this.#rows) {
      if (!old) throw new NotFoldable('no key, and no old row');
      this.#requireOneForm(old);
      this.#rows.update(old, row);
      return;
    }
    const newKey = this.#keyOf(row);
    const oldKey = old ? this.#keyOf(old) : newKey;
    if (oldKey !== newKey && old) {
      this.#move({ oldKey, newKey, old, row });
      return;
    }
    const effect = this.#effects.get(newKey);
    if (!effect) this.#effects.set(newKey, { kind: 'update', versions: [row], keyTuple: row });
    else if (effect.kind === 'delete') throw new NotFoldable('update of a key that is gone');
    else if (hasUnchangedCells(row)) effect.versions.push(row);
    else effect.versions = [row];
  }

  /** @throws NotFoldable; nothing has been recorded then. */
  delete(old: TupleRef): void {
    this.#requireOneForm(old);
    if (this.#rows) {
      this.#rows.delete(old);
      return;
    }
    const key = this.#keyOf(old);
    const effect = this.#effects.get(key);
    if (!effect) this.#effects.set(key, { kind: 'delete', versions: [], keyTuple: old });
    else this.#drop(key, effect);
  }

  /** The folded changes; the fold is empty afterwards. */
  take(): FoldedChanges {
    const { deletes, inserts } = this.#rows?.take() ?? { deletes: [], inserts: [] };
    const updates = new Map<string, RowVersions[]>();
    for (const effect of this.#effects.values()) {
      if (effect.kind === 'delete' || effect.kind === 'replace') deletes.push(effect.keyTuple);
      if (effect.kind === 'insert' || effect.kind === 'replace') inserts.push(effect.versions);
      if (effect.kind === 'update') {
        const missing = missingCells(effect.versions);
        const group = updates.get(missing);
        if (group) group.push(effect.versions);
        else updates.set(missing, [effect.versions]);
      }
    }
    const isBinary = this.#cellKind === CELL_KIND.binary;
    this.#effects = new Map();
    this.#cellKind = null;
    return { isBinary, deletes, updates, inserts };
  }

  /** A changed key is the end of the old key's row and the beginning of the new one's, if all cells are known. */
  #move({ oldKey, newKey, old, row }: { oldKey: string; newKey: string; old: TupleRef; row: TupleRef }): void {
    const before = this.#effects.get(oldKey);
    if (before?.kind === 'delete') throw new NotFoldable('update of a key that is gone');
    const versions = [...(before?.versions ?? []), row];
    if (missingCells(versions) !== '') throw new NotFoldable('a moved row has cells that only the target knows');
    const after = this.#effects.get(newKey);
    if (after && after.kind !== 'delete') throw new NotFoldable('update to a key that is there');

    if (before) this.#drop(oldKey, before);
    else this.#effects.set(oldKey, { kind: 'delete', versions: [], keyTuple: old });
    if (after) {
      after.kind = 'replace';
      after.versions = versions;
    } else this.#effects.set(newKey, { kind: 'insert', versions, keyTuple: row });
  }

  #drop(key: string, effect: KeyEffect): void {
    switch (effect.kind) {
      case 'insert':
        this.#effects.delete(key);
        return;
      case 'update':
      case 'replace':
        effect.kind = 'delete';
        effect.versions = [];
        return;
      case 'delete':
        throw new NotFoldable('delete of a key that is gone');
    }
  }

  #requireOneForm(tuple: TupleRef): void {
    const cellKind = cellKindOf(tuple);
    if (cellKind === null) return;
    if (this.#cellKind === null || this.isEmpty) this.#cellKind = cellKind;
    else if (this.#cellKind !== cellKind) throw new NotFoldable('a cell in another form than those before it');
  }

  #keyOf(tuple: TupleRef): string {
    const text = keyTextOf(tuple, this.#plan.key ?? []);
    if (text === null) throw new NotFoldable('a key cell is missing');
    return text;
  }
}
