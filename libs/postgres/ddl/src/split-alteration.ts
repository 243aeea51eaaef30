import { quoteIdentifier } from '@sluice/postgres-client';
import {
  type Fields,
  fields,
  list,
  NotParsable,
  type ParsedStatement,
  parseStatements,
  text,
} from './parse/statements.js';
import { bytesOf, splice, type Token, tokens } from './splice.js';

/** An ALTER TABLE in two: what it does without looking at rows of other tables, and its foreign keys, which do. */
export interface SplitAlteration {
  readonly now: string;
  readonly later: string;
}

interface Subcommand {
  /** As it is written. */
  readonly text: string;
  readonly node: Fields;
}

/** What becomes of a subcommand. */
interface Share {
  readonly now: Subcommand | null;
  readonly later: Subcommand[];
}

/**
 * Cuts the text where the parser says, and takes the halves only if the parser finds in them the subcommands of the whole, so that nothing
 * rests on how well it was cut. PostgreSQL adds foreign keys after everything else of a statement, whatever stands first, as the halves do.
 * @returns null when there is nothing to be done before, or it cannot be cut with certainty.
 */
export function splitAlteration(statement: string): SplitAlteration | null {
  const parsed = alterationOf(statement);
  const parts = parsed && cut(parsed);
  if (!parts) return null;
  const shares = parts.subcommands.map((subcommand) => share(parts.head, subcommand));
  const now = shares.flatMap((one) => one.now ?? []);
  const later = shares.flatMap((one) => one.later);
  if (now.length === 0 || later.length === 0) return null;
  const halves = { now: joined(parts.head, now), later: joined(parts.head, later) };
  return isSame(halves.now, now) && isSame(halves.later, later) ? halves : null;
}

function alterationOf(statement: string): ParsedStatement | null {
  try {
    const [only, ...more] = parseStatements(statement);
    return only?.kind === 'AlterTableStmt' && more.length === 0 ? only : null;
  } catch (error) {
    if (error instanceof NotParsable) return null;
    throw error;
  }
}

/** The subcommands, and what stands before them. `null` when they are not found. */
function cut(statement: ParsedStatement): { head: string; subcommands: Subcommand[] } | null {
  const source = bytesOf(statement);
  const words = tokens(source);
  const from = firstSubcommand(statement, words);
  if (from < 0) return null;
  const commas = outerCommas(words, from);
  const starts = [words[from]?.start ?? 0, ...commas.map(({ end }) => end)];
  const ends = [...commas.map(({ start }) => start), source.length];
  const nodes = subcommandsOf(statement);
  if (nodes.length !== starts.length) return null;
  return {
    head: source.toString('utf8', 0, starts[0]),
    subcommands: nodes.map((node, index) => ({ node, text: source.toString('utf8', starts[index], ends[index]) })),
  };
}

/** Behind the table's name. */
function firstSubcommand({ node, start }: ParsedStatement, words: readonly Token[]): number {
  const { location } = fields(node['relation']);
  let at = words.findIndex((word) => word.start === Number(location) - start);
  if (at < 0) return -1;
  while (words[at + 1]?.text === '.') at += 2;
  while (words[at + 1]?.text === '*' || words[at + 1]?.text === ')') at += 1;
  return at + 1 < words.length ? at + 1 : -1;
}

function outerCommas(words: readonly Token[], from: number): Token[] {
  let depth = 0;
  return words.slice(from).filter(({ text: word }) => {
    if (word === '(' || word === '[') depth += 1;
    if (word === ')' || word === ']') depth -= 1;
    return word === ',' && depth === 0;
  });
}

function share(head: string, subcommand: Subcommand): Share {
  const { subtype, def, missing_ok: isLenient } = subcommand.node;
  const constraint = fields(fields(def)['Constraint']);
  const looksAtRows =
    subtype === 'AT_ValidateConstraint' || (isForeignKey(constraint) && constraint['skip_validation'] !== true);
  if (looksAtRows) return { now: null, later: [subcommand] };
  // Of a column that is there already nothing is added, so nothing may be added later.
  if (subtype !== 'AT_AddColumn' || isLenient === true) return { now: subcommand, later: [] };
  return withoutReferences(head, subcommand) ?? { now: subcommand, later: [] };
}

/** A column with REFERENCES: the column, and the foreign key as one of the table. `null` when it has none, or has several. */
function withoutReferences(head: string, { text: written, node }: Subcommand): Share | null {
  const own = alterationOf(head + written);
  const column = fields(fields(own && subcommandsOf(own)[0]?.['def'])['ColumnDef']);
  const name = text(column['colname']);
  const constraints = list(column['constraints']).map((item) => fields(fields(item)['Constraint']));
  const at = constraints.findIndex(isForeignKey);
  if (!own || name === null || at < 0 || constraints.filter(isForeignKey).length > 1) return null;
  const isAttribute = ({ contype }: Fields): boolean => String(contype).startsWith('CONSTR_ATTR_');
  const next = constraints.findIndex((constraint, index) => index > at && !isAttribute(constraint));
  const behind = next < 0 ? constraints.length : next;
  const source = bytesOf(own);
  const start = Number(constraints[at]?.['location']);
  const borders = [...constraints.slice(behind), fields(column['collClause'])].map(({ location }) => Number(location));
  const end = Math.min(source.length, ...borders.filter((border) => border > start));
  const clause = source.toString('utf8', start, end);
  const words = tokens(Buffer.from(clause));
  const references = words.find(({ text: word }) => word.toUpperCase() === 'REFERENCES');
  if (!references) return null;
  const key = `FOREIGN KEY (${quoteIdentifier(name)}) `;
  const rest = splice(source, [{ start, end, text: ' ' }]).slice(head.length);
  const added = `ADD ${splice(Buffer.from(clause), [{ start: references.start, end: references.start, text: key }])}`;
  const kept = list(column['constraints']).filter((_, index) => index < at || index >= behind);
  const { constraints: _all, ...bare } = column;
  const ColumnDef = kept.length === 0 ? bare : { ...bare, constraints: kept };
  const foreignKey = { ...constraints[at], fk_attrs: [{ String: { sval: name } }] };
  return {
    now: { text: rest, node: { ...node, def: { ColumnDef } } },
    later: [{ text: added, node: { subtype: 'AT_AddConstraint', def: { Constraint: foreignKey } } }],
  };
}

function isForeignKey({ contype }: Fields): boolean {
  return contype === 'CONSTR_FOREIGN';
}

/** A comment to the end of the line must not hide what follows it. */
function joined(head: string, subcommands: readonly Subcommand[]): string {
  return head + subcommands.map((subcommand) => subcommand.text.trim()).join('\n, ');
}

function isSame(half: string, subcommands: readonly Subcommand[]): boolean {
  const parsed = alterationOf(half);
  return parsed !== null && shapes(subcommandsOf(parsed)) === shapes(subcommands.map(({ node }) => node));
}

function subcommandsOf({ node }: ParsedStatement): Fields[] {
  return list(node['cmds']).map((item) => fields(fields(item)['AlterTableCmd']));
}

/** Places in the text, and what the parser says of a constraint of a column by itself and of one of a table in it. */
const NOT_COMPARED = /location$|_(start|end)$|^(behavior|deferrable|initdeferred)$/;

function shapes(subcommands: readonly Fields[]): string {
  return JSON.stringify(subcommands, (key, value: unknown) => {
    if (NOT_COMPARED.test(key)) return undefined;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  });
}
