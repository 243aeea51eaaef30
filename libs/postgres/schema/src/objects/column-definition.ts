import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type ObjectKey, storageOptions } from '../schema-object.js';
import { type ColumnRow } from './columns.js';
import { sequenceOptions } from './sequences.js';

const STORAGE = { e: 'EXTERNAL', m: 'MAIN', p: 'PLAIN', x: 'EXTENDED' } as const;
const COMPRESSION = { l: 'lz4', p: 'pglz' } as const;

export interface ColumnContext {
  readonly tableName: string;
  /** A partition takes identity from its parent when it is attached. */
  readonly isPartition: boolean;
  /** Created under its parents, it has what they have. */
  readonly isBornInherited: boolean;
  readonly detached: ReadonlySet<ObjectKey>;
  /** Its parents have a default, and it has none. */
  readonly overridesDefault: boolean;
}

/** `"name" type …` as it stands in CREATE TABLE. */
export function columnDefinition(column: ColumnRow, context: ColumnContext): string {
  return [
    quoteIdentifier(column.name),
    column.type,
    ...(column.collation === null ? [] : [`COLLATE ${column.collation}`]),
    ...valueOf(column, context),
    ...notNullOf(column, context),
  ].join(' ');
}

function valueOf(column: ColumnRow, { isPartition, detached, overridesDefault }: ColumnContext): string[] {
  if (column.generated !== '') {
    return [`GENERATED ALWAYS AS (${column.default ?? ''}) ${column.generated === 's' ? 'STORED' : 'VIRTUAL'}`];
  }
  const { identitySequence: sequence } = column;
  if (column.identity !== '' && sequence && !isPartition) {
    const when = column.identity === 'a' ? 'ALWAYS' : 'BY DEFAULT';
    const name = quoteQualified(sequence.schema, sequence.name);
    return [`GENERATED ${when} AS IDENTITY (SEQUENCE NAME ${name} ${sequenceOptions(sequence)})`];
  }
  if (overridesDefault) return ['DEFAULT NULL'];
  return column.default === null || isDetached(column, detached) ? [] : [`DEFAULT ${column.default}`];
}

function isDetached({ defaultOid }: ColumnRow, detached: ReadonlySet<ObjectKey>): boolean {
  return defaultOid !== null && detached.has(objectKey('pg_attrdef', defaultOid));
}

function notNullOf(
  { name, notNull, notNullConstraint }: ColumnRow,
  { tableName, isBornInherited }: ColumnContext,
): string[] {
  if (!notNull) return [];
  if (notNullConstraint === null) return ['NOT NULL'];
  if (!notNullConstraint.isValid || (isBornInherited && !notNullConstraint.isLocal)) return [];
  const isUsualName = notNullConstraint.name === `${tableName}_${name}_not_null`;
  return [
    ...(isUsualName ? [] : [`CONSTRAINT ${quoteIdentifier(notNullConstraint.name)}`]),
    `NOT NULL${notNullConstraint.isNoInherit ? ' NO INHERIT' : ''}`,
  ];
}

function compressionOf({ compression }: ColumnRow, origins: readonly ColumnRow[]): string[] {
  if (compression !== '') return [COMPRESSION[compression]];
  return origins.some((origin) => origin.compression !== '') ? ['default'] : [];
}

/** `ALTER COLUMN …` actions for what CREATE TABLE cannot say in every version. */
export function columnSettings(column: ColumnRow, origins: readonly ColumnRow[] = []): string[] {
  const alter = `ALTER COLUMN ${quoteIdentifier(column.name)}`;
  const options = storageOptions(column.options);
  return [
    // A column that comes from a parent has the parent's storage, which need not be that of its type.
    ...(column.storage !== column.typeStorage || origins.length > 0
      ? [`${alter} SET STORAGE ${STORAGE[column.storage]}`]
      : []),
    ...compressionOf(column, origins).map((compression) => `${alter} SET COMPRESSION ${compression}`),
    ...(column.statisticsTarget === null ? [] : [`${alter} SET STATISTICS ${column.statisticsTarget}`]),
    ...(options.length === 0 ? [] : [`${alter} SET (${options.join(', ')})`]),
  ];
}
