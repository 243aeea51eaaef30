import { type CapturedDdl, type DdlTableFacts } from '../ddl-event.js';
import { type StoredTable } from '../ddl-plan.js';
import { type Fields, fields, list, type ParsedStatement } from '../parse/statements.js';
import { walk } from '../parse/walk.js';

/** Texts that a date is made of anew each time they are read. */
const MOVING_CONSTANT = /\b(now|today|tomorrow|yesterday)\b/i;

/** Tables whose rows the statement changed in a way that it would not change the target's: by what is not the same each time. */
export function recopiedTables(event: CapturedDdl, { kind, node }: ParsedStatement): StoredTable[] {
  if (kind !== 'AlterTableStmt') return storing(event.tables.filter(({ oid }) => event.rewrittenOids.includes(oid)));
  const commands = list(node['cmds']).map((command) => fields(fields(command)['AlterTableCmd']));
  if (commands.some((command) => isUnpredictable(command, event.tables))) return storing(event.tables, true);
  if (commands.every(isPredictable)) return [];
  return storing(event.tables.filter(({ oid }) => event.rewrittenOids.includes(oid)));
}

/** Of these, with all below them, the ones that have rows of their own that are replicated. */
function storing(tables: readonly DdlTableFacts[], isRecursive = false): StoredTable[] {
  const found = new Map<number, StoredTable>();
  for (const { oid, schema, name, kind, persistence, descendants } of tables) {
    if (kind === 'r' && persistence === 'p') found.set(oid, { oid, schema, name });
    if (!isRecursive) continue;
    for (const below of descendants)
      if (below.kind === 'r') found.set(below.oid, { oid: below.oid, schema: below.schema, name: below.name });
  }
  return [...found.values()];
}

/** New values for rows that exist, or values that were computed by an expression that is no plain constant or cast. */
function isUnpredictable(command: Fields, tables: readonly DdlTableFacts[]): boolean {
  switch (command['subtype']) {
    case 'AT_AddColumn':
      return isFilledUnpredictably(columnOf(command), tables);
    case 'AT_AlterColumnType': {
      const using = columnOf(command)['raw_default'];
      return using !== undefined && !isPlain(using);
    }
    default:
      return false;
  }
}

function isFilledUnpredictably(column: Fields, tables: readonly DdlTableFacts[]): boolean {
  const constraints = list(column['constraints']).map((item) => fields(fields(item)['Constraint']));
  const isSerial = /^(small|big)?serial[248]?$/.test(lastTypeName(column));
  const hasDefault = constraints.some(({ contype }) => contype === 'CONSTR_DEFAULT');
  const made = tables.flatMap(({ columns }) => columns).find(({ name }) => name === column['colname']);
  return (
    isSerial ||
    (!hasDefault && (made?.domainDefault ?? null) !== null) ||
    constraints.some(
      ({ contype, raw_expr: value }) =>
        contype === 'CONSTR_IDENTITY' || (contype === 'CONSTR_DEFAULT' && value !== undefined && !isPlain(value)),
    )
  );
}

/** It changes no row, or every server changes it to the same. What is not known here is judged by whether tables were rewritten. */
function isPredictable(command: Fields): boolean {
  if (command['subtype'] === 'AT_AlterColumnType') return true;
  if (command['subtype'] !== 'AT_AddColumn') return false;
  const constraints = list(columnOf(command)['constraints']).map(
    (item) => fields(fields(item)['Constraint'])['contype'],
  );
  return constraints.includes('CONSTR_DEFAULT') || constraints.includes('CONSTR_GENERATED');
}

/** Constants and columns, and casts of them. */
function isPlain(expression: unknown): boolean {
  return [...walk(expression)].every((node) => {
    if (typeof fields(node['sval'])['sval'] === 'string')
      return !MOVING_CONSTANT.test(String(fields(node['sval'])['sval']));
    return !UNPREDICTABLE_NODES.some((kind) => kind in node);
  });
}

const UNPREDICTABLE_NODES = [
  'FuncCall',
  'SQLValueFunction',
  'SubLink',
  'A_Expr',
  'CaseExpr',
  'CoalesceExpr',
  'MinMaxExpr',
  'XmlExpr',
  'A_Indirection',
  'NextValueExpr',
];

function columnOf(command: Fields): Fields {
  return fields(fields(command['def'])['ColumnDef']);
}

function lastTypeName(column: Fields): string {
  const names = list(fields(column['typeName'])['names']);
  return String(fields(fields(names.at(-1))['String'])['sval'] ?? '');
}
