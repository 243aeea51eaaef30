import { quoteIdentifier } from '@sluice/postgres-client';
import { type CapturedDdl, type DdlTableFacts } from '../ddl-event.js';
import { type Fields, fields, list, type ParsedStatement } from '../parse/statements.js';
import { bytesOf, type Edit, keyword, splice, type Token, tokens } from '../splice.js';
import { createFromFacts } from './create-from-facts.js';
import { sessionRoles, withSessionRoles } from './session-roles.js';

export type TargetText =
  | { readonly kind: 'statement'; readonly text: string }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'unattributable'; readonly reason: string };

/** What to execute on the target for a statement: its own text with as little changed as a transaction and another server ask for. */
export function targetText(event: CapturedDdl, statement: ParsedStatement): TargetText {
  const { kind, node } = statement;
  const roles = sessionRoles(event, statement);
  if (roles === null)
    return {
      kind: 'unattributable',
      reason: 'it means the role of the session, which is not certain inside a function',
    };
  const spliced = (edit: (words: readonly Token[]) => Edit[]): TargetText => {
    const source = bytesOf(statement);
    const words = tokens(source);
    return { kind: 'statement', text: splice(source, [...edit(words), ...withSessionRoles(words, roles)]) };
  };
  switch (kind) {
    case 'CreateTableAsStmt':
      return node['objtype'] === 'OBJECT_MATVIEW' ? spliced(withoutTablespace) : fromFacts(event);
    case 'SelectStmt':
      return fromFacts(event);
    case 'IndexStmt':
      return spliced((words) => [
        ...withoutConcurrently(words, 'first'),
        ...withoutTablespace(words),
        ...withIndexName(words, event, node),
      ]);
    case 'DropStmt':
    case 'RefreshMatViewStmt':
      return spliced((words) => (node['concurrent'] === true ? withoutConcurrently(words, 'first') : []));
    case 'CreateStmt':
      return spliced(withoutTablespace);
    case 'AlterTableStmt':
      return (
        withoutPlace(node) ?? spliced((words) => (isConcurrentDetach(node) ? withoutConcurrently(words, 'last') : []))
      );
    case 'AlterTableMoveAllStmt':
      return { kind: 'ignored', reason: 'where relations are stored is up to the target' };
    case 'DropOwnedStmt':
      return { kind: 'unattributable', reason: 'what a role owns may differ on the target' };
    default:
      return spliced(() => []);
  }
}

function fromFacts(event: CapturedDdl): TargetText {
  const table = madeTable(event);
  if (!table) return { kind: 'unattributable', reason: 'the server did not describe the table that was made' };
  return { kind: 'statement', text: createFromFacts(table) };
}

/** The table of a CREATE TABLE AS. */
function madeTable(event: CapturedDdl): DdlTableFacts | undefined {
  return event.tables.find(({ oid }) =>
    event.commands.some((command) => command.tag === event.tag && command.oid === oid),
  );
}

function withoutPlace(node: Fields): TargetText | null {
  const moves = alterations(node).map(({ subtype }) => subtype === 'AT_SetTableSpace');
  if (!moves.includes(true)) return null;
  return moves.includes(false)
    ? { kind: 'unattributable', reason: 'it moves the table to a tablespace besides other changes' }
    : { kind: 'ignored', reason: 'where relations are stored is up to the target' };
}

function isConcurrentDetach(node: Fields): boolean {
  return alterations(node).some(({ def }) => fields(fields(def)['PartitionCmd'])['concurrent'] === true);
}

function alterations(node: Fields): Fields[] {
  return list(node['cmds']).map((command) => fields(fields(command)['AlterTableCmd']));
}

/** The target makes all in one transaction, where CONCURRENTLY is not allowed. */
function withoutConcurrently(words: readonly Token[], which: 'first' | 'last'): Edit[] {
  const isWord = (word: Token): boolean => keyword(word) === 'CONCURRENTLY';
  const word = which === 'first' ? words.find(isWord) : words.findLast(isWord);
  return word ? [{ ...word, text: '' }] : [];
}

/** Words after which TABLESPACE is the name of a relation. */
const BEFORE_RELATIONS = ['TABLE', 'ON', 'EXISTS', 'ONLY', 'OF', 'VIEW', 'UNLOGGED'];

/** Tablespaces are of a server. A name follows the word; in a constraint USING INDEX stands before it. */
function withoutTablespace(words: readonly Token[]): Edit[] {
  const edits: Edit[] = [];
  let depth = 0;
  for (const [index, word] of words.entries()) {
    if (word.text === '(') depth += 1;
    if (word.text === ')') depth -= 1;
    // The query of a materialized view.
    if (depth === 0 && keyword(word) === 'AS') break;
    const name = words[index + 1];
    if (keyword(word) !== 'TABLESPACE' || !name?.isIdentifier) continue;
    const before = words[index - 1];
    const using = words[index - 2];
    if (before && using && keyword(before) === 'INDEX' && keyword(using) === 'USING')
      edits.push({ start: using.start, end: name.end, text: '' });
    else if (depth === 0 && before && before.text !== '.' && !BEFORE_RELATIONS.includes(keyword(before)))
      edits.push({ start: word.start, end: name.end, text: '' });
  }
  return edits;
}

/** The server chose a name that was free on the source; it need not be the one that is free here. */
function withIndexName(words: readonly Token[], event: CapturedDdl, node: ParsedStatement['node']): Edit[] {
  const on = words.find((word) => keyword(word) === 'ON');
  const name = event.commands.find(({ tag, type }) => tag === event.tag && type === 'index')?.identity;
  if (node['idxname'] !== undefined || !on || !name) return [];
  return [{ start: on.start, end: on.start, text: `${quoteIdentifier(lastIdentifier(name))} ` }];
}

/** The name in a qualified identity. */
function lastIdentifier(identity: string): string {
  const last = /(?:"(?:[^"]|"")*"|[^."]+)$/.exec(identity)?.[0] ?? identity;
  return last.startsWith('"') ? last.slice(1, -1).replaceAll('""', '"') : last;
}
