import { fields, type ParsedStatement, text } from './statements.js';

/** What event triggers call what, where it is not the constant's name with blanks. */
const OBJECT_WORDS: Readonly<Record<string, string>> = {
  OBJECT_MATVIEW: 'MATERIALIZED VIEW',
  OBJECT_OPCLASS: 'OPERATOR CLASS',
  OBJECT_OPFAMILY: 'OPERATOR FAMILY',
  OBJECT_FDW: 'FOREIGN DATA WRAPPER',
  OBJECT_FOREIGN_SERVER: 'SERVER',
  OBJECT_TSPARSER: 'TEXT SEARCH PARSER',
  OBJECT_TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  OBJECT_TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  OBJECT_TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  OBJECT_STATISTIC_EXT: 'STATISTICS',
  OBJECT_ATTRIBUTE: 'TYPE',
  OBJECT_TABCONSTRAINT: 'TABLE',
  OBJECT_DOMCONSTRAINT: 'DOMAIN',
};

/** Shared by all databases of a server; event triggers do not see them. */
const SHARED_OBJECTS = new Set([
  'OBJECT_DATABASE',
  'OBJECT_TABLESPACE',
  'OBJECT_ROLE',
  'OBJECT_EVENT_TRIGGER',
  'OBJECT_PARAMETER_ACL',
]);

const FIXED_TAGS: Readonly<Record<string, string>> = {
  CreateStmt: 'CREATE TABLE',
  CreateForeignTableStmt: 'CREATE FOREIGN TABLE',
  ViewStmt: 'CREATE VIEW',
  IndexStmt: 'CREATE INDEX',
  RuleStmt: 'CREATE RULE',
  CreateSeqStmt: 'CREATE SEQUENCE',
  AlterSeqStmt: 'ALTER SEQUENCE',
  CompositeTypeStmt: 'CREATE TYPE',
  CreateEnumStmt: 'CREATE TYPE',
  CreateRangeStmt: 'CREATE TYPE',
  AlterEnumStmt: 'ALTER TYPE',
  AlterTypeStmt: 'ALTER TYPE',
  CreateDomainStmt: 'CREATE DOMAIN',
  AlterDomainStmt: 'ALTER DOMAIN',
  CreateTrigStmt: 'CREATE TRIGGER',
  CreatePolicyStmt: 'CREATE POLICY',
  AlterPolicyStmt: 'ALTER POLICY',
  CreateSchemaStmt: 'CREATE SCHEMA',
  CreateExtensionStmt: 'CREATE EXTENSION',
  AlterExtensionStmt: 'ALTER EXTENSION',
  AlterExtensionContentsStmt: 'ALTER EXTENSION',
  CreateStatsStmt: 'CREATE STATISTICS',
  AlterStatsStmt: 'ALTER STATISTICS',
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW',
  ImportForeignSchemaStmt: 'IMPORT FOREIGN SCHEMA',
  CreateFdwStmt: 'CREATE FOREIGN DATA WRAPPER',
  AlterFdwStmt: 'ALTER FOREIGN DATA WRAPPER',
  CreateForeignServerStmt: 'CREATE SERVER',
  AlterForeignServerStmt: 'ALTER SERVER',
  CreateUserMappingStmt: 'CREATE USER MAPPING',
  AlterUserMappingStmt: 'ALTER USER MAPPING',
  DropUserMappingStmt: 'DROP USER MAPPING',
  CreateOpClassStmt: 'CREATE OPERATOR CLASS',
  CreateOpFamilyStmt: 'CREATE OPERATOR FAMILY',
  AlterOpFamilyStmt: 'ALTER OPERATOR FAMILY',
  AlterOperatorStmt: 'ALTER OPERATOR',
  CreateCastStmt: 'CREATE CAST',
  CreateConversionStmt: 'CREATE CONVERSION',
  CreateTransformStmt: 'CREATE TRANSFORM',
  CreateAmStmt: 'CREATE ACCESS METHOD',
  CreatePLangStmt: 'CREATE LANGUAGE',
  AlterTSConfigurationStmt: 'ALTER TEXT SEARCH CONFIGURATION',
  AlterTSDictionaryStmt: 'ALTER TEXT SEARCH DICTIONARY',
  AlterCollationStmt: 'ALTER COLLATION',
  AlterDefaultPrivilegesStmt: 'ALTER DEFAULT PRIVILEGES',
  AlterTableMoveAllStmt: 'ALTER TABLE',
  DropOwnedStmt: 'DROP OWNED',
  CreatePublicationStmt: 'CREATE PUBLICATION',
  AlterPublicationStmt: 'ALTER PUBLICATION',
  CreateSubscriptionStmt: 'CREATE SUBSCRIPTION',
  AlterSubscriptionStmt: 'ALTER SUBSCRIPTION',
  DropSubscriptionStmt: 'DROP SUBSCRIPTION',
};

const REINDEX_FIRES_SINCE = 170_000;

/** The command tag with which the statement fires event triggers, as CreateCommandTag of utility.c gives it; null when it fires none. */
export function commandTag({ kind, node }: ParsedStatement, serverVersion: number): string | null {
  const fixed = FIXED_TAGS[kind];
  if (fixed !== undefined) return fixed;
  switch (kind) {
    case 'AlterTableStmt':
      return tag('ALTER', node['objtype'] ?? 'OBJECT_TABLE');
    case 'RenameStmt':
      return tag('ALTER', node['renameType'] === 'OBJECT_COLUMN' ? node['relationType'] : node['renameType']);
    case 'AlterObjectSchemaStmt':
    case 'AlterOwnerStmt':
    case 'AlterObjectDependsStmt':
      return tag('ALTER', node['objectType']);
    case 'AlterFunctionStmt':
      return tag('ALTER', node['objtype']);
    case 'DropStmt':
      return tag('DROP', node['removeType']);
    case 'DefineStmt':
      return tag('CREATE', node['kind']);
    case 'CreateFunctionStmt':
      return node['is_procedure'] === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION';
    case 'CreateTableAsStmt':
      return node['objtype'] === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS';
    case 'SelectStmt':
      return isSelectInto(node) ? 'SELECT INTO' : null;
    case 'CommentStmt':
      return isShared(node['objtype']) ? null : 'COMMENT';
    case 'SecLabelStmt':
      return isShared(node['objtype']) ? null : 'SECURITY LABEL';
    case 'GrantStmt':
      if (isShared(node['objtype'])) return null;
      return node['is_grant'] === true ? 'GRANT' : 'REVOKE';
    case 'ReindexStmt':
      return serverVersion >= REINDEX_FIRES_SINCE ? 'REINDEX' : null;
    default:
      return null;
  }
}

/** In a set operation, the INTO stands in the leftmost SELECT. */
function isSelectInto(node: unknown): boolean {
  const { intoClause, larg } = fields(node);
  return intoClause !== undefined || (larg !== undefined && isSelectInto(larg));
}

function isShared(objectType: unknown): boolean {
  return SHARED_OBJECTS.has(text(objectType) ?? '');
}

function tag(verb: string, objectType: unknown): string | null {
  const type = text(objectType);
  if (type === null || isShared(type)) return null;
  return `${verb} ${OBJECT_WORDS[type] ?? type.replace('OBJECT_', '').replaceAll('_', ' ')}`;
}
