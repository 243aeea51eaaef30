import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type DdlColumnFacts, type DdlTableFacts } from '../ddl-event.js';

const DEFAULT_ACCESS_METHOD = 'heap';

/** The table that a query made, without its rows: run again, the query could see or make something else. */
export function createFromFacts(table: DdlTableFacts): string {
  const { schema, name, persistence, columns, accessMethod, options } = table;
  const using =
    accessMethod === null || accessMethod === DEFAULT_ACCESS_METHOD ? '' : ` USING ${quoteIdentifier(accessMethod)}`;
  const storage = options.length === 0 ? '' : ` WITH (${options.join(', ')})`;
  return `CREATE ${persistence === 'u' ? 'UNLOGGED ' : ''}TABLE ${quoteQualified(schema, name)} (${columns.map(column).join(', ')})${using}${storage}`;
}

function column({ name, type, collation }: DdlColumnFacts): string {
  return `${quoteIdentifier(name)} ${type}${collation === null ? '' : ` COLLATE ${collation}`}`;
}
