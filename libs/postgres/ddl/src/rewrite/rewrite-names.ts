import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type QualifiedName } from '@sluice/postgres-catalog';
import { type NameMapping } from '../ddl-plan.js';
import { fields, type ParsedStatement, parseStatements } from '../parse/statements.js';
import { nameParts, walk } from '../parse/walk.js';
import { bytesOf, type Edit, keyword, splice, type Token, tokens } from '../splice.js';
import { unquoted, type WrittenName, writtenNames } from './written-names.js';

/** A name of the target belongs in a place where it cannot be put with certainty: in a query on columns of other names, in a string. */
export class NotRewritable extends Error {}

interface Renaming {
  readonly mapping: NameMapping;
  /** Of the source: where names without a schema are looked for. */
  readonly searchPath: readonly string[];
}

/**
 * The statement with the names of the target, all else byte for byte. Bodies of functions are not touched.
 * @throws NotRewritable
 */
export function rewriteNames(statement: string, mapping: NameMapping, searchPath: readonly string[]): string {
  if (Object.keys(mapping.schemas ?? {}).length + (mapping.tables ?? []).length + (mapping.columns ?? []).length === 0)
    return statement;
  return parseStatements(statement)
    .map((parsed) => rewriteOne(parsed, { mapping, searchPath }))
    .join(';\n');
}

export function mapSchema({ schemas = {} }: NameMapping, schema: string): string {
  return schemas[schema] ?? schema;
}

function rewriteOne(statement: ParsedStatement, renaming: Renaming): string {
  const source = bytesOf(statement);
  const words = tokens(source);
  requireNoNamesInLiterals(statement, renaming.mapping);
  const names = writtenNames(statement, words);
  const aliases = new Set(
    [...walk(statement.node)].flatMap(({ aliasname }) => (typeof aliasname === 'string' ? [aliasname] : [])),
  );
  const edits = names.flatMap((name) => renamed(name, { ...renaming, aliases }));
  return splice(source, [...edits, ...renamedColumns(statement, { words, names, renaming })]);
}

function renamed(
  { kind, parts, words }: WrittenName,
  context: Renaming & { readonly aliases: ReadonlySet<string> },
): Edit[] {
  const [first] = parts;
  if (first === undefined) return [];
  switch (kind) {
    case 'schema':
      return replaced(words, quoteIfChanged(first, mapSchema(context.mapping, first)));
    case 'object':
      return parts.length < 2
        ? []
        : replaced(words.slice(0, 1), quoteIfChanged(first, mapSchema(context.mapping, first)));
    case 'relation':
      return renamedRelation(parts, words, context);
    case 'column':
      return renamedQualifier(parts, words, context);
  }
}

function renamedRelation(parts: readonly string[], words: readonly Token[], { mapping, searchPath }: Renaming): Edit[] {
  const [schema, name] = parts.length > 1 ? [parts[0], parts[1]] : [null, parts[0]];
  if (name === undefined || schema === undefined) return [];
  const target = mappedTable({ schema, name }, { mapping, searchPath });
  if (target) return replaced(words.slice(0, parts.length), quoteQualified(target.schema, target.name));
  return schema === null ? [] : replaced(words.slice(0, 1), quoteIfChanged(schema, mapSchema(mapping, schema)));
}

/** In `table.column` and `schema.table.column`; an alias hides the table of that name. */
function renamedQualifier(
  parts: readonly string[],
  words: readonly Token[],
  { mapping, searchPath, aliases }: Renaming & { readonly aliases: ReadonlySet<string> },
): Edit[] {
  const [first, second] = parts;
  if (first === undefined || second === undefined) return [];
  if (parts.length > 2) return renamedRelation(parts.slice(0, 2), words.slice(0, 2), { mapping, searchPath });
  const target = aliases.has(first) ? null : mappedTable({ schema: null, name: first }, { mapping, searchPath });
  return target ? replaced(words.slice(0, 1), quoteIdentifier(target.name)) : [];
}

/** Of sequences and relations: `nextval('schema.name')`, `'schema.name'::regclass`. */
function requireNoNamesInLiterals({ node }: ParsedStatement, { schemas = {}, tables = [] }: NameMapping): void {
  const changed = [...Object.keys(schemas), ...tables.flatMap(({ from }) => [from.schema, from.name])];
  for (const found of walk(node)) {
    const isReference =
      /^(nextval|currval|setval|to_reg\w+)$/.test(nameParts(found['funcname']).at(-1) ?? '') ||
      /^reg/.test(nameParts(fields(found['typeName'])['names']).at(-1) ?? '');
    if (!isReference) continue;
    const literals = [...walk([found['args'], found['arg']])].flatMap(({ sval }) =>
      typeof sval === 'string' ? [sval] : [],
    );
    if (literals.some((literal) => changed.some((name) => literal.includes(name))))
      throw new NotRewritable('it names something in a string that has another name on the target');
  }
}

interface WrittenTable {
  readonly schema: string | null;
  readonly name: string;
}

function mappedTable({ schema, name }: WrittenTable, { mapping, searchPath }: Renaming): QualifiedName | null {
  const candidates = (mapping.tables ?? []).filter(({ from }) => from.name === name);
  const schemas = schema === null ? searchPath : [schema];
  return schemas.flatMap((place) => candidates.filter(({ from }) => from.schema === place))[0]?.to ?? null;
}

interface Written {
  readonly words: readonly Token[];
  readonly names: readonly WrittenName[];
  readonly renaming: Renaming;
}

/** Statements that are about one table, whose words are columns of it unless they are something else by their place. */
const ON_ONE_TABLE = [
  'CreateStmt',
  'AlterTableStmt',
  'IndexStmt',
  'RenameStmt',
  'CommentStmt',
  'CreateStatsStmt',
  'CreatePolicyStmt',
  'AlterPolicyStmt',
  'GrantStmt',
  'CreateTrigStmt',
];
/** Names that are no columns follow them. */
const BEFORE_OTHER_NAMES = [
  'CONSTRAINT',
  'TRIGGER',
  'POLICY',
  'INDEX',
  'RULE',
  'ROLE',
  'USING',
  'TO',
  'COLLATE',
  'STATISTICS',
];

function renamedColumns(statement: ParsedStatement, { words, names, renaming }: Written): Edit[] {
  const relations = names.filter(({ kind }) => kind === 'relation');
  const columns = (renaming.mapping.columns ?? []).filter(({ table }) =>
    relations.some(({ parts }) => isTable(parts, table, renaming.searchPath)),
  );
  if (columns.length === 0) return [];
  const hasQuery =
    [...walk(statement.node)].some((node) => 'SelectStmt' in node) || !ON_ONE_TABLE.includes(statement.kind);
  const [relation, another] = relations;
  if (hasQuery || (another && relation && statement.kind !== 'CommentStmt' && statement.kind !== 'RenameStmt'))
    throw new NotRewritable('it uses a column that has another name on the target together with other tables');
  const others = new Set(
    names.filter(({ kind }) => kind !== 'column').flatMap((name) => name.words.map(({ start }) => start)),
  );
  return words.flatMap((word, index) => {
    const column = word.isIdentifier ? columns.find(({ from }) => from === unquoted(word)) : undefined;
    if (!column || others.has(word.start) || isOtherName(words, index)) return [];
    return replaced([word], quoteIdentifier(column.to));
  });
}

function isOtherName(words: readonly Token[], index: number): boolean {
  const before = words[index - 1];
  const after = words[index + 1];
  if (after?.text === '.' || after?.text === '(') return true;
  return before !== undefined && BEFORE_OTHER_NAMES.includes(keyword(before));
}

function isTable(parts: readonly string[], { schema, name }: QualifiedName, searchPath: readonly string[]): boolean {
  if (parts.length > 1) return parts[0] === schema && parts[1] === name;
  return parts[0] === name && searchPath.includes(schema);
}

/** The words from the first to the last, dots included, become `text`. */
function replaced(words: readonly Token[], text: string | null): Edit[] {
  const first = words[0];
  const last = words.at(-1);
  return text === null || !first || !last ? [] : [{ start: first.start, end: last.end, text }];
}

function quoteIfChanged(from: string, to: string): string | null {
  return from === to ? null : quoteIdentifier(to);
}
