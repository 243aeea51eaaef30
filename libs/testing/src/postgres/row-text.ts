import { quoteIdentifier } from '@sluice/postgres-client';
import { type ComparedTable } from './compared-table.js';

export interface RowTextOptions {
  /** For servers that write the same float differently: such columns are compared by their binary form. */
  readonly floatsAsBytes: boolean;
}

const TYPES_WITH_FLOATS = ['float4', 'float8', 'point', 'lseg', 'path', 'box', 'polygon', 'line', 'circle'];

/** An SQL expression for the whole row of `t` as one text. NULL, '' and '\N' stay apart. */
export function rowText(table: ComparedTable, { floatsAsBytes }: RowTextOptions): string {
  const cells = table.columns.map(({ name, type }) => {
    const column = `t.${quoteIdentifier(name)}`;
    const send = floatsAsBytes ? sendFunction(type) : undefined;
    return send ? `encode(${send}(${column}), 'hex')` : column;
  });
  return `ROW(${cells.join(', ')})::text`;
}

function sendFunction(type: string): string | undefined {
  if (type === 'range') return 'range_send';
  if (type.startsWith('_') && TYPES_WITH_FLOATS.includes(type.slice(1))) return 'array_send';
  if (!TYPES_WITH_FLOATS.includes(type)) return undefined;
  if (type === 'polygon') return 'poly_send';
  return `${type}${type.startsWith('float') ? 'send' : '_send'}`;
}
