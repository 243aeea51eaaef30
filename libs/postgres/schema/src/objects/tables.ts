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
      ...toInvalidNotNulls(table),
    ];
  });
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
  const { qualified, isPartition, isBornInherited } = table;
  const context = { tableName: table.name, isPartition, detached };
  const lines = [
    ...table.columns
      .filter(({ isLocal }) => isLocal || !isBornInherited)
      .map((column) => columnDefinition(column, context)),
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
    ...columnSettings(column, isBornInherited && column.isInherited),
    ...(isBornInherited && !column.isLocal ? overInherited(table, column, detached) : []),
  ]);
  return commands(
    created,
    table.ofType !== null && `ALTER TABLE ONLY ${qualified} OF ${table.ofType}`,
    settings.length > 0 && `ALTER TABLE ONLY ${qualified}\n  ${settings.join(',\n  ')}`,
  );
}

/** Where a column that comes from a parent differs from it. */
function overInherited({ parentColumns }: Table, column: ColumnRow, detached: ReadonlySet<ObjectKey>): string[] {
  const alter = `ALTER COLUMN ${quoteIdentifier(column.name)}`;
  const origins = parentColumns.filter(({ name }) => name === column.name);
  const isDetached = column.defaultOid !== null && detached.has(objectKey('pg_attrdef', column.defaultOid));
  const lostDefault = column.default === null && origins.some((origin) => origin.default !== null);
  return [
    ...(column.default !== null && column.generated === '' && !isDetached
      ? [`${alter} SET DEFAULT ${column.default}`]
      : []),
    ...(lostDefault && column.generated === '' ? [`${alter} DROP DEFAULT`] : []),
    ...(column.notNull && !origins.some(({ notNull }) => notNull) ? [`${alter} SET NOT NULL`] : []),
  ];
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
              sql: `${alter} ALTER COLUMN ${quoteIdentifier(name)} SET DEFAULT ${value}`,
            },
          ],
    ),
    ...inlineChecks(table).map((check) => ({
      key: objectKey('pg_constraint', check.oid),
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

/** NOT NULL NOT VALID, known from 18. */
function toInvalidNotNulls(table: Table): SchemaObject[] {
  return table.columns.flatMap(({ attnum, name, notNullConstraint: constraint }) =>
    constraint === null || constraint.isValid || !constraint.isLocal
      ? []
      : [
          {
            key: objectKey(`not null ${attnum}`, table.oid),
            kind: 'not-null constraint',
            address: `CONSTRAINT ${quoteIdentifier(constraint.name)} ON ${table.qualified}`,
            stage: 'behaviour' as const,
            sql: `ALTER TABLE ${table.qualified} ADD CONSTRAINT ${quoteIdentifier(constraint.name)} NOT NULL ${quoteIdentifier(name)} NOT VALID`,
            table: { schema: table.schema, name: table.name },
          },
        ],
  );
}
