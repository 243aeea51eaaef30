import { type ColumnRow } from './columns.js';

/**
 * True when CREATE TABLE … INHERITS gives the columns in the order they have: those of the parents first, then its own.
 * A table that was put under its parent later has another order; then it is created alone and joined afterwards.
 */
export function keepsOrderWhenInherited(
  columns: readonly ColumnRow[],
  parents: readonly (readonly ColumnRow[])[],
): boolean {
  const inherited = new Set(parents.flat().map(({ name }) => name));
  const own = columns.map(({ name }) => name).filter((name) => !inherited.has(name));
  const created = [...inherited, ...own];
  return created.length === columns.length && columns.every(({ name }, index) => created[index] === name);
}
