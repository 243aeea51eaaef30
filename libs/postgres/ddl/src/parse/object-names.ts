import { fields, list, type ParsedStatement, text } from './statements.js';
import { nameParts, rangeParts, stringValue } from './walk.js';

/**
 * Names that the server reports for the statement, when it did what it says: all parts of one of the lists. Empty when the kind of
 * statement has none that we know of.
 */
export function objectNames({ kind, node }: ParsedStatement): string[][] {
  switch (kind) {
    case 'DropStmt':
      return list(node['objects']).map(nameParts);
    case 'RenameStmt':
      return [single(node['newname'])];
    case 'AlterObjectSchemaStmt':
      return [[...single(node['newschema']), ...lastOf(node['relation'] ?? node['object'])]];
    case 'AlterOwnerStmt':
    case 'AlterObjectDependsStmt':
      return [lastOf(node['object'] ?? node['relation'])];
    case 'CommentStmt':
      return [lastOf(node['object'])];
    case 'CreateSchemaStmt':
      return [single(node['schemaname'])];
    case 'CreateExtensionStmt':
    case 'AlterExtensionStmt':
      return [single(node['extname'])];
    case 'IndexStmt':
      return [node['idxname'] === undefined ? [] : single(node['idxname'])];
    case 'CreateTrigStmt':
      return [[...single(node['trigname']), ...rangeParts(node['relation'])]];
    case 'CreatePolicyStmt':
    case 'AlterPolicyStmt':
      return [[...single(node['policy_name']), ...rangeParts(node['table'])]];
    case 'RuleStmt':
      return [[...single(node['rulename']), ...rangeParts(node['relation'])]];
    case 'CreateTableAsStmt':
      return [rangeParts(fields(node['into'])['rel'])];
    case 'SelectStmt':
      return [intoParts(node)];
    default:
      return [firstOf(node)];
  }
}

const NAME_FIELDS = ['relation', 'view', 'sequence', 'typevar'];
const LIST_FIELDS = [
  'typeName',
  'domainname',
  'funcname',
  'defnames',
  'opclassname',
  'opfamilyname',
  'cfgname',
  'dictname',
];
const KINDS_WITHOUT_NAMES = ['arguments', 'actions'];

function firstOf(node: Readonly<Record<string, unknown>>): string[] {
  const relation = NAME_FIELDS.find((field) => field in node);
  if (relation !== undefined && !KINDS_WITHOUT_NAMES.some((field) => field in node)) return rangeParts(node[relation]);
  // `typeName` is the name of what is made only in statements on types; elsewhere it would be the type of something else.
  const names = LIST_FIELDS.find((field) => Array.isArray(node[field]));
  return names === undefined ? [] : nameParts(node[names]);
}

function intoParts(node: unknown): string[] {
  const { intoClause, larg } = fields(node);
  return intoClause === undefined ? intoParts(larg) : rangeParts(fields(intoClause)['rel']);
}

function lastOf(object: unknown): string[] {
  return nameParts(object).slice(-1);
}

function single(value: unknown): string[] {
  const name = text(value) ?? stringValue(value);
  return name === null ? [] : [name];
}

/** The identifiers in an identity as the server prints it, without their quotes. */
export function identifiers(identity: string): Set<string> {
  const found = identity.match(/"(?:[^"]|"")*"|[^\s.,()[\]"]+/g) ?? [];
  return new Set(found.map((token) => (token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token)));
}
