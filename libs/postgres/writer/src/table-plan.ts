import { SluiceError } from '@sluice/contracts';
import { CELL_KIND, type Relation } from '@sluice/postgres-replication';
import { type TargetColumn, type TargetTable } from './target-table.js';

/** In which form cells are given to the target. */
interface Wire {
  /** Cells that come in this form, see CELL_KIND. */
  readonly cellKind: number;
  /** The type of the parameter's elements. */
  readonly typeSql: string;
  readonly typeOid: number;
}

/** The form that every type has. */
export const TEXT_WIRE: Wire = { cellKind: CELL_KIND.text, typeSql: 'pg_catalog.text', typeOid: 25 };

/** A column of the relation that is written, and where its cell stands in a tuple. */
export interface PlanColumn extends TargetColumn {
  /** Position of the cell in the relation's tuples. */
  readonly position: number;
  /** `OPERATOR(schema.=)` for key columns: what the key's index understands. */
  readonly operator: string;
  readonly wire: Wire;
}

/**
 * How changes of one relation are written to its table: which cells go where and what identifies a row.
 * `key: null` means that rows are found by comparing them whole (REPLICA IDENTITY FULL without a usable key).
 */
export interface TablePlan {
  readonly relation: Relation;
  readonly target: TargetTable;
  /** Written columns in the relation's order; generated ones are left out. */
  readonly columns: readonly PlanColumn[];
  readonly key: readonly PlanColumn[] | null;
  /** Changes of one key may be folded into one, and an update of a row without one into its end and the begin of another. */
  readonly canFold: boolean;
}

const DEFAULT_OPERATOR = 'OPERATOR(pg_catalog.=)';

/** @throws SluiceError 5006 when the target's table lacks a column of the relation. */
export function planTable(relation: Relation, target: TargetTable): TablePlan {
  const sent: PlanColumn[] = [];
  relation.columns.forEach((column, position) => {
    const found = target.columns.get(column.name);
    if (!found) {
      throw new SluiceError('SLUICE-5006', {
        detail: `table ${relation.schema}.${relation.name}: column ${column.name} does not exist on the target`,
      });
    }
    sent.push({ ...found, position, operator: DEFAULT_OPERATOR, wire: TEXT_WIRE });
  });
  // A generated column that is published (since 18) cannot be written, but a row can be found by it.
  const columns = sent.filter(({ isGenerated }) => !isGenerated);
  const key = chooseKey(relation, target, sent);
  const isFoldable = key !== null || isWhole(target, columns);
  return { relation, target, columns, key, canFold: isFoldable && !target.firesTriggers };
}

/** The table has no column of its own, whose value an update keeps and a row that is written anew does not have. */
function isWhole(target: TargetTable, columns: readonly PlanColumn[]): boolean {
  const own = [...target.columns.values()].filter(({ isGenerated }) => !isGenerated);
  return columns.length > 0 && columns.length === own.length;
}

/**
 * The replica identity's columns, which are what the source sends for the old row. With REPLICA IDENTITY FULL the whole
 * old row is sent, so that any unique key of the target will do.
 */
function chooseKey(relation: Relation, target: TargetTable, sent: readonly PlanColumn[]): PlanColumn[] | null {
  const byName = new Map(sent.map((column) => [column.name, column]));
  const isFull = relation.replicaIdentity === 'f';
  const identity = new Set(relation.columns.filter((column) => column.isKey).map((column) => column.name));
  for (const candidate of target.keys) {
    const matches = isFull
      ? candidate.columns.every((column) => byName.has(column.name))
      : candidate.columns.length === identity.size && candidate.columns.every((column) => identity.has(column.name));
    if (!matches) continue;
    return candidate.columns.flatMap(({ name, operator }) => {
      const column = byName.get(name);
      return column ? [{ ...column, operator: `OPERATOR(${operator})` }] : [];
    });
  }
  if (isFull || identity.size === 0) return null;
  // The target has no index over the identity: rows are still found by it, only slower.
  return sent.filter((column) => identity.has(column.name));
}

/**
 * The same for cells in binary form; `null` when a column of the target has another type than the source's, whose values
 * can be understood in their text form only. Capture asks for binary cells of built-in types only, so that equal OIDs are
 * the same type.
 */
export function binaryPlan(plan: TablePlan): TablePlan | null {
  const { relation, columns, key } = plan;
  // A key can have generated columns, which are not written.
  const used = [...columns, ...(key ?? [])];
  if (!used.every(({ position, typeOid }) => relation.columns[position]?.typeOid === typeOid)) return null;
  const inBinary = (column: PlanColumn): PlanColumn => ({
    ...column,
    input: null,
    wire: { cellKind: CELL_KIND.binary, typeSql: column.typeSql, typeOid: column.typeOid },
  });
  return { ...plan, columns: columns.map(inBinary), key: key?.map(inBinary) ?? null };
}

/** Cells in binary form are written under it. */
export function isBinary({ columns }: TablePlan): boolean {
  return columns[0]?.wire.cellKind === CELL_KIND.binary;
}

/** `schema.table` for messages to people. */
export function tableName(plan: TablePlan): string {
  return `${plan.relation.schema}.${plan.relation.name}`;
}
