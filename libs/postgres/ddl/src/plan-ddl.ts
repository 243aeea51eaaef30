import { type DdlClass } from '@sluice/contracts';
import { quoteIdentifier } from '@sluice/postgres-client';
import { attributeStatement } from './attribute/attribute-statement.js';
import { classifyDdl } from './classify-ddl.js';
import { type CapturedDdl, type DdlEvent, type DdlTableFacts } from './ddl-event.js';
import { type DdlCommand, type DdlPlan, type NameMapping, type RenamedTable } from './ddl-plan.js';
import { fields, list, type ParsedStatement, text } from './parse/statements.js';
import { nameParts, rolesOf } from './parse/walk.js';
import { ddlSubjects, partitionChange } from './plan/ddl-subjects.js';
import { ownerStatements } from './plan/owner-statements.js';
import { recopiedTables } from './plan/recopied-tables.js';
import { sessionRoles } from './plan/session-roles.js';
import { searchPath } from './plan/search-path.js';
import { targetText } from './plan/target-text.js';
import { mapSchema, NotRewritable, rewriteNames } from './rewrite/rewrite-names.js';

export interface PlanDdlOptions {
  readonly mapping?: NameMapping;
}

/** What has to be done on the target so that it becomes what this DDL made of the source. Never a guess. */
export function planDdl(event: DdlEvent, { mapping = {} }: PlanDdlOptions = {}): DdlPlan {
  if (event.kind === 'unreadable') {
    const reason = `the event trigger could not read it: ${event.reason} (${event.sqlState})`;
    return {
      kind: 'unattributable',
      reason,
      class: classifyDdl(event.tag),
      tag: event.tag,
      identity: null,
      subjects: [],
      text: null,
    };
  }
  const common = { class: classifyDdl(event.tag), tag: event.tag, identity: identityOf(event) };
  const attribution = attributeStatement(event);
  if (attribution.kind === 'extension-script')
    return { kind: 'ignored', reason: 'the extension does it on the target, too' };
  if (attribution.kind === 'unattributable') return { ...attribution, ...common, subjects: ddlSubjects(event, null) };
  const { statement } = attribution;
  if (isOnTemporary(event, statement)) return { kind: 'ignored', reason: 'it is about a temporary table' };
  const subjects = ddlSubjects(event, statement);
  const target = targetText(event, statement);
  if (target.kind === 'ignored') return target;
  if (target.kind === 'unattributable') return { ...target, ...common, subjects, text: statement.text };
  try {
    return { kind: 'command', command: command(event, { common, subjects, statement, text: target.text, mapping }) };
  } catch (error) {
    if (!(error instanceof NotRewritable)) throw error;
    return { kind: 'unattributable', reason: error.message, ...common, subjects, text: statement.text };
  }
}

interface Attributed {
  readonly common: { readonly class: DdlClass; readonly tag: string; readonly identity: string | null };
  readonly subjects: DdlCommand['subjects'];
  readonly statement: ParsedStatement;
  readonly text: string;
  readonly mapping: NameMapping;
}

function command(event: CapturedDdl, { common, subjects, statement, text: plain, mapping }: Attributed): DdlCommand {
  const sourcePath = searchPath(event, statement);
  const path = sourcePath.map((schema) => mapSchema(mapping, schema));
  return {
    ...common,
    statement: rewriteNames(plain, mapping, sourcePath),
    statementFor: dropOf(event, statement, mapping),
    subjects,
    partitionChange: partitionChange(event, statement),
    searchPath: path,
    settings: {
      ...event.settings,
      search_path: path.map(quoteIdentifier).join(', '),
      // A body may speak of what does not exist, as on the source.
      check_function_bodies: 'off',
    },
    createdTables: event.tables.filter((table) => isNew(event, statement, table)),
    droppedTables: event.dropped.flatMap(({ type, schema, name, oid }) =>
      type === 'table' && schema !== null && name !== null ? [{ schema, name, oid }] : [],
    ),
    changedTables: event.tables,
    affectedOids: affectedOids(event),
    recopyTables: recopiedTables(event, statement),
    renamedTables: renamedTables(event, statement),
    renamedSchemas: renamedSchemas(statement),
    ownerStatements: ownerStatements(event).map(({ role, statement: alter }) => ({
      role,
      statement: rewriteNames(alter, mapping, []),
    })),
    roles: [
      ...new Set([...rolesOf(statement.node), ...(sessionRoles(event, statement) ?? []).map(({ name }) => name)]),
    ],
  };
}

/** Identities as the server prints them are names with their schemas. */
function dropOf(
  { tag }: CapturedDdl,
  { kind, node }: ParsedStatement,
  mapping: NameMapping,
): DdlCommand['statementFor'] {
  if (kind !== 'DropStmt' || list(node['objects']).length < 2) return null;
  const cascade = node['behavior'] === 'DROP_CASCADE' ? ' CASCADE' : '';
  return (identities) => rewriteNames(`${tag} ${identities.join(', ')}${cascade}`, mapping, []);
}

/** The last one is what the statement is about: a table comes after the sequences of its columns, but before its indexes. */
function identityOf({ tag, commands, dropped }: CapturedDdl): string | null {
  const own = commands.find((candidate) => candidate.tag === tag) ?? commands[0];
  return own?.identity ?? dropped.find(({ isOriginal }) => isOriginal)?.identity ?? null;
}

/** The server does not say what privileges are on. */
function isOnTemporary({ temporaryRelations }: CapturedDdl, { kind, node }: ParsedStatement): boolean {
  if (kind !== 'GrantStmt' || node['targtype'] !== 'ACL_TARGET_OBJECT') return false;
  const names = list(node['objects']).map(nameParts);
  return (
    names.length > 0 &&
    names.every(
      (parts) =>
        temporaryRelations.includes(parts.at(-1) ?? '') && (parts.length === 1 || /^pg_temp/.test(parts[0] ?? '')),
    )
  );
}

const MAKES_TABLES = ['CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO'];

/** A table that stores rows and was not replicated before. */
function isNew({ commands }: CapturedDdl, { kind, node }: ParsedStatement, table: DdlTableFacts): boolean {
  if (table.kind !== 'r' || table.persistence !== 'p') return false;
  const isLogged = list(node['cmds']).some(
    (item) => fields(fields(item)['AlterTableCmd'])['subtype'] === 'AT_SetLogged',
  );
  if (kind === 'AlterTableStmt' && isLogged) return true;
  return commands.some(({ tag, oid }) => MAKES_TABLES.includes(tag) && oid === table.oid);
}

function affectedOids({ tables, dropped, rewrittenOids }: CapturedDdl): number[] {
  return [
    ...new Set([
      ...rewrittenOids,
      ...tables.flatMap(({ oid, descendants }) => [oid, ...descendants.map((below) => below.oid)]),
      ...dropped.filter(({ type }) => type === 'table').map(({ oid }) => oid),
    ]),
  ];
}

function renamedTables(event: CapturedDdl, { kind, node }: ParsedStatement): RenamedTable[] {
  const isRename =
    (kind === 'RenameStmt' && node['relation'] !== undefined && node['subname'] === undefined) ||
    (kind === 'AlterObjectSchemaStmt' && node['relation'] !== undefined);
  return isRename ? event.tables.map(({ oid, schema, name }) => ({ oid, to: { schema, name } })) : [];
}

function renamedSchemas({ kind, node }: ParsedStatement): { from: string; to: string }[] {
  const from = text(node['subname']);
  const to = text(node['newname']);
  if (kind !== 'RenameStmt' || node['renameType'] !== 'OBJECT_SCHEMA' || from === null || to === null) return [];
  return [{ from, to }];
}
