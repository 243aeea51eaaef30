import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import {
  commands,
  type DetachablePart,
  objectKey,
  type ObjectKey,
  type SchemaObject,
  type Source,
  storageOptions,
} from '../schema-object.js';
import { columnDefinition, columnSettings } from './column-definition.js';
import { type ColumnRow, readColumns } from './columns.js';
import { keepsOrderWhenInherited } from './inheritance.js';
import { type CheckRow, readChecks, readTableRows, type TableRow } from './table-rows.js';

/** A table with all that decides how it is written. */
interface Table extends TableRow {
  readonly qualified: string;
  readonly columns: readonly ColumnRow[];
  readonly checks: readonly CheckRow[];
  /** Created with INHERITS; otherwise alone, and joined to its parents afterwards. */
  readonly isBornInherited: boolean;
  readonly parentColumns: readonly ColumnRow[];
}

export async function readTables(source: Source): Promise<SchemaObject[]> {
  const rows = await readTableRows(source);
  const oids = rows.map(({ oid }) => oid);
  const columns = await readColumns(source, oids);
  const checks = await readChecks(source, oids);
  loosenParents(source, rows, columns);
  return rows.flatMap((row) => {
    const own = columns.get(row.oid) ?? [];
    const parents = row.parents.map(({ oid }) => columns.get(oid) ?? []);
    const table: Table = {
      ...row,
      qualified: quoteQualified(row.schema, row.name),
      columns: own,
      checks: checks.get(row.oid) ?? [],
      isBornInherited: !row.isPartition && parents.length > 0 && keepsOrderWhenInherited(own, parents),
      parentColumns: parents.flat(),
    };
    return [
      toTable(table),
      ...toJoins(table),
      ...table.checks.map((check) => toCheck(table, check)),
      ...toNotNulls(table),
    ];
  });
}

/**
 * Before 18 a child may take NULL where its parent refuses it. On a newer server that needs a NOT NULL of the parent
 * that is not inherited.
 */
function loosenParents(
  { versionNum, targetVersionNum }: Source,
  rows: readonly TableRow[],
  columns: Map<number, ColumnRow[]>,
): void {
  if (versionNum >= 180_000 || targetVersionNum < 180_000) return;
  for (const { oid, parents, isPartition } of rows) {
    if (isPartition) continue;
    const nullable = new Set((columns.get(oid) ?? []).filter(({ notNull }) => !notNull).map(({ name }) => name));
    for (const parent of parents) {
      const own = columns.get(parent.oid) ?? [];
      columns.set(
        parent.oid,
        own.map((column) => (nullable.has(column.name) && column.notNull ? withoutHeirs(column, parent.name) : column)),
      );
    }
  }
}

function withoutHeirs(column: ColumnRow, table: string): ColumnRow {
  const name = `${table}_${column.name}_not_null`;
  return { ...column, notNullConstraint: { oid: null, name, isLocal: true, isValid: true, isNoInherit: true } };
}

function toTable(table: Table): SchemaObject {
  const create = (detached: ReadonlySet<ObjectKey>): string => createTable(table, detached);
  return {
    key: objectKey('pg_class', table.oid),
    kind: 'table',
    address: `TABLE ${table.qualified}`,
    stage: 'pre',
    sql: create(new Set()),
    sqlWithout: create,
    parts: partsOf(table),
    table: { schema: table.schema, name: table.name },
    claims: `relation ${table.qualified}`,
    owner: table.owner,
    // A typed table, and one created under its parents, needs them first.
    needs: table.isBornInherited ? table.parents.map(({ oid }) => objectKey('pg_class', oid)) : [],
  };
}

function createTable(table: Table, detached: ReadonlySet<ObjectKey>): string {
  const { qualified, isPartition, isBornInherited, parentColumns } = table;
  const context = { tableName: table.name, isPartition, isBornInherited, detached };
  const lines = [
    ...table.columns
      .filter((column) => column.isLocal || !isBornInherited || isDisputed(table, column))
      .map((column) =>
        columnDefinition(column, {
          ...context,
          overridesDefault: isDisputed(table, column) && lostDefault(table, column),
        }),
      ),
    ...ownNotNulls(table),
    ...inlineChecks(table)
      .filter(({ oid }) => !detached.has(objectKey('pg_constraint', oid)))
      .map(({ name, definition }) => `CONSTRAINT ${quoteIdentifier(name)} ${definition}`),
  ];
  const options = [...storageOptions(table.options), ...storageOptions(table.toastOptions, 'toast.')];
  const parents = table.parents.map(({ schema, name }) => quoteQualified(schema, name));
  const created = [
    `CREATE ${table.isUnlogged ? 'UNLOGGED ' : ''}TABLE ${qualified} (${lines.length > 0 ? `\n  ${lines.join(',\n  ')}\n` : ''})`,
    ...(isBornInherited ? [`INHERITS (${parents.join(', ')})`] : []),
    ...(table.partitionKey === null ? [] : [`PARTITION BY ${table.partitionKey}`]),
    ...(table.accessMethod === null ? [] : [`USING ${quoteIdentifier(table.accessMethod)}`]),
    ...(options.length === 0 ? [] : [`WITH (${options.join(', ')})`]),
  ].join('\n');
  const settings = table.columns.flatMap((column) => [
    ...columnSettings(column, isBornInherited ? parentColumns.filter(({ name }) => name === column.name) : []),
    ...(isBornInherited ? overInherited(table, column, detached) : []),
  ]);
  return commands(
    created,
    table.ofType !== null && `ALTER TABLE ONLY ${qualified} OF ${table.ofType}`,
    settings.length > 0 && `ALTER TABLE ONLY ${qualified}\n  ${settings.join(',\n  ')}`,
    ...identityPersistence(table),
  );
}

/** The sequence of an identity column is logged or not as its table is, unless it was told otherwise. */
function identityPersistence({ columns, isPartition, isUnlogged }: Table): string[] {
  return columns.flatMap(({ identitySequence: sequence }) => {
    if (!sequence || isPartition || sequence.isUnlogged === null || sequence.isUnlogged === isUnlogged) return [];
    const name = quoteQualified(sequence.schema, sequence.name);
    return [`ALTER SEQUENCE ${name} SET ${sequence.isUnlogged ? 'UNLOGGED' : 'LOGGED'}`];
  });
}

/** Where a column that comes from a parent differs from it, and its own definition cannot say so. */
function overInherited(table: Table, column: ColumnRow, detached: ReadonlySet<ObjectKey>): string[] {
  const alter = `ALTER COLUMN ${quoteIdentifier(column.name)}`;
  const origins = table.parentColumns.filter(({ name }) => name === column.name);
  if (origins.length === 0) return [];
  const isInheritedNotNull = origins.some(
    ({ notNull, notNullConstraint }) => notNull && !notNullConstraint?.isNoInherit,
  );
  const isWritten = column.isLocal || isDisputed(table, column);
  return [
    ...(isWritten ? [] : ownOverInherited(column, { alter, isInheritedNotNull, detached })),
    // DEFAULT NULL of a type with a length would stay as an expression.
    ...(lostDefault(table, column) ? [`${alter} DROP DEFAULT`] : []),
    // Before 18 a child may take what its parent refuses.
    ...(!column.notNull && isInheritedNotNull ? [`${alter} DROP NOT NULL`] : []),
  ];
}

/** Parents whose defaults differ leave the choice to the child: without a definition of its own it cannot be created. */
function isDisputed({ parentColumns }: Table, { name, generated }: ColumnRow): boolean {
  const defaults = parentColumns.filter((origin) => origin.name === name && origin.default !== null);
  return generated === '' && new Set(defaults.map((origin) => origin.default)).size > 1;
}

function lostDefault({ parentColumns, isBornInherited }: Table, { name, default: own, generated }: ColumnRow): boolean {
  if (!isBornInherited || own !== null || generated !== '') return false;
  return parentColumns.some((origin) => origin.name === name && origin.default !== null && origin.generated === '');
}

/** What the definition of a column says that has none, being the parent's. */
function ownOverInherited(
  column: ColumnRow,
  options: { readonly alter: string; readonly isInheritedNotNull: boolean; readonly detached: ReadonlySet<ObjectKey> },
): string[] {
  const { alter, isInheritedNotNull, detached } = options;
  const isDetached = column.defaultOid !== null && detached.has(objectKey('pg_attrdef', column.defaultOid));
  const { notNull, notNullConstraint: constraint } = column;
  return [
    ...(column.default !== null && column.generated === '' && !isDetached
      ? [`${alter} SET DEFAULT ${column.default}`]
      : []),
    ...(notNull && !isInheritedNotNull && constraint === null ? [`${alter} SET NOT NULL`] : []),
  ];
}

/**
 * Of columns that are the parent's, the NOT NULL that is the child's as well. A column has one, under one name: once it is
 * inherited under another it cannot be given.
 */
function ownNotNulls(table: Table): string[] {
  if (!table.isBornInherited) return [];
  return table.columns.flatMap((column) => {
    const { name, notNullConstraint: constraint } = column;
    const isWritten = column.isLocal || isDisputed(table, column);
    if (isWritten || !constraint?.isValid || !constraint.isLocal) return [];
    return [`CONSTRAINT ${quoteIdentifier(constraint.name)} NOT NULL ${quoteIdentifier(name)}`];
  });
}

/** NOT VALID is kept only by ALTER TABLE, and must wait for the rows that may break it. */
function inlineChecks(table: Table): CheckRow[] {
  return table.checks.filter(({ isLocal, isValid }) => isValid && (isLocal || !table.isBornInherited));
}

function partsOf(table: Table): DetachablePart[] {
  const alter = `ALTER TABLE ONLY ${table.qualified}`;
  return [
    ...table.columns.flatMap(({ name, default: value, defaultOid, generated }) =>
      value === null || defaultOid === null || generated !== ''
        ? []
        : [
            {
              key: objectKey('pg_attrdef', defaultOid),
              kind: 'default',
              identity: `default of ${table.qualified}.${quoteIdentifier(name)}`,
              sql: `${alter} ALTER COLUMN ${quoteIdentifier(name)} SET DEFAULT ${value}`,
            },
          ],
    ),
    ...inlineChecks(table).map((check) => ({
      key: objectKey('pg_constraint', check.oid),
      kind: 'check',
      identity: `check ${quoteIdentifier(check.name)} of ${table.qualified}`,
      // Not ONLY: a check of a parent holds for its children.
      sql: `ALTER TABLE ${table.qualified} ADD CONSTRAINT ${quoteIdentifier(check.name)} ${check.definition}`,
    })),
  ];
}

/** ATTACH PARTITION, or INHERIT for a table that has another column order than its parents give. */
function toJoins(table: Table): SchemaObject[] {
  if (table.isBornInherited) return [];
  return table.parents.map((parent, index) => {
    const parentName = quoteQualified(parent.schema, parent.name);
    return {
      key: objectKey(`join ${index}`, table.oid),
      kind: table.isPartition ? 'partition' : 'inheritance',
      address: `TABLE ${table.qualified}`,
      stage: 'pre',
      sql: table.isPartition
        ? `ALTER TABLE ONLY ${parentName} ATTACH PARTITION ${table.qualified} ${table.bound ?? ''}`
        : `ALTER TABLE ONLY ${table.qualified} INHERIT ${parentName}`,
      table: { schema: table.schema, name: table.name },
      needs: [
        objectKey('pg_class', table.oid),
        objectKey('pg_class', parent.oid),
        // Parents are joined one after the other in their order, and a parent that still lacks its checks would refuse.
        ...(index > 0 ? [objectKey(`join ${index - 1}`, table.oid)] : []),
      ],
    };
  });
}

/** The check as something to comment on; created with the table unless it is NOT VALID. */
function toCheck(table: Table, check: CheckRow): SchemaObject {
  const name = quoteIdentifier(check.name);
  const isSeparate = check.isLocal && !check.isValid;
  return {
    key: objectKey('pg_constraint', check.oid),
    kind: 'check',
    address: `CONSTRAINT ${name} ON ${table.qualified}`,
    stage: isSeparate ? 'behaviour' : 'pre',
    sql: isSeparate ? `ALTER TABLE ${table.qualified} ADD CONSTRAINT ${name} ${check.definition}` : '',
    table: { schema: table.schema, name: table.name },
  };
}

/**
 * NOT NULL as an object, known from 18: something to comment on, created with its table; or, being NOT VALID, after the
 * rows that may break it.
 */
function toNotNulls(table: Table): SchemaObject[] {
  return table.columns.flatMap(({ name, notNullConstraint: constraint }) => {
    if (constraint === null || constraint.oid === null) return [];
    const isSeparate = constraint.isLocal && !constraint.isValid;
    const address = `CONSTRAINT ${quoteIdentifier(constraint.name)} ON ${table.qualified}`;
    return [
      {
        key: objectKey('pg_constraint', constraint.oid),
        kind: 'not-null constraint',
        address,
        stage: isSeparate ? ('behaviour' as const) : ('pre' as const),
        sql: isSeparate
          ? `ALTER TABLE ${table.qualified} ADD CONSTRAINT ${quoteIdentifier(constraint.name)} NOT NULL ${quoteIdentifier(name)} NOT VALID`
          : '',
        table: { schema: table.schema, name: table.name },
        needs: isSeparate ? [objectKey('pg_class', table.oid)] : [],
      },
    ];
  });
}
