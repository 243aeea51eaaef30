import { type CapturedDdl } from '../ddl-event.js';
import { commandTag } from '../parse/command-tag.js';
import { identifiers, objectNames } from '../parse/object-names.js';
import { NotParsable, type ParsedStatement, parseStatements } from '../parse/statements.js';
import { firingText } from './call-context.js';

export type Attribution =
  | { readonly kind: 'statement'; readonly statement: ParsedStatement }
  | { readonly kind: 'extension-script' }
  | { readonly kind: 'unattributable'; readonly reason: string; readonly text: string | null };

/**
 * Which statement fired the event. Two witnesses: its number among those that fire event triggers in the text, and the tag and objects
 * that the server reports. The second alone is enough where only one statement can be meant; the first alone never is.
 */
export function attributeStatement(event: CapturedDdl): Attribution {
  const firing = firingText(event);
  switch (firing.kind) {
    case 'extension-script':
      return { kind: 'extension-script' };
    case 'unknown':
      return unattributable(firing.reason, event.query);
    case 'functions':
      return oneOf(
        firing.sources.map((source) => inFunction(event, source, firing.position)),
        'it ran in a SQL function whose source is not known any more',
      );
    case 'texts':
      return oneOf(
        firing.texts.map((text) => inText(event, text)),
        'it was called in a way that is not known',
      );
  }
}

/** The only attribution, or the one that all agree on. */
function oneOf(attributions: readonly Attribution[], otherwise: string): Attribution {
  const certain = attributions.filter(({ kind }) => kind !== 'unattributable');
  const [first] = certain;
  if (!first) return attributions[0] ?? unattributable(otherwise, null);
  const texts = new Set(
    certain.map((attribution) => (attribution.kind === 'statement' ? attribution.statement.text : '')),
  );
  return texts.size === 1 ? first : unattributable('what was called could be read in several ways', null);
}

function inText(event: CapturedDdl, text: string): Attribution {
  if (event.settings['standard_conforming_strings'] === 'off' && text.includes('\\'))
    return unattributable('backslashes mean something else where standard_conforming_strings is off', text);
  const parsed = tryParse(text);
  if (typeof parsed === 'string') return unattributable(parsed, text);
  const firing = parsed.filter((statement) => commandTag(statement, event.serverVersion) !== null);
  const possible = firing.filter((statement) => agrees(event, statement));
  const [only, another] = possible;
  if (!only) {
    // Before PostgreSQL 18 the context does not tell that the script of an extension runs; what it makes is left out, what it drops is not.
    if (firing.some(runsScript)) return { kind: 'extension-script' };
    return unattributable('no statement of the text has the tag and the objects that the server reported', text);
  }
  if (!another) return { kind: 'statement', statement: only };
  const counted = parsed.some(breaksCount) ? undefined : firing[(event.number - 1) % firing.length];
  if (counted && possible.includes(counted)) return { kind: 'statement', statement: counted };
  if (new Set(possible.map((statement) => statement.text)).size === 1) return { kind: 'statement', statement: only };
  return unattributable('several statements of the text have the tag and the objects that the server reported', text);
}

function inFunction(event: CapturedDdl, source: string, position: number): Attribution {
  const parsed = tryParse(source);
  if (typeof parsed === 'string') return unattributable(parsed, source);
  const statement = parsed[position - 1];
  if (statement && agrees(event, statement)) return { kind: 'statement', statement };
  return unattributable('the source of the SQL function has another statement in this place', source);
}

/** Tag and names of the statement are those that the server reported. */
function agrees(event: CapturedDdl, statement: ParsedStatement): boolean {
  if (commandTag(statement, event.serverVersion) !== event.tag) return false;
  const identities =
    event.dropped.length > 0
      ? event.dropped.filter(({ isOriginal }) => isOriginal).map(({ identity }) => identity)
      : event.commands.flatMap(({ identity }) => (identity === null ? [] : [identity]));
  const names = objectNames(statement).filter((parts) => parts.length > 0);
  if (identities.length === 0 || names.length === 0) return true;
  return identities.some((identity) => {
    const reported = identifiers(identity);
    return names.some((parts) => parts.every((part) => reported.has(part)));
  });
}

/** Counts are kept in a setting of the session, which these undo or forget. Scripts of extensions count into the same number. */
function breaksCount(statement: ParsedStatement): boolean {
  const { kind, node } = statement;
  if (kind === 'TransactionStmt') return /ROLLBACK/.test(String(node['kind']));
  if (kind === 'VariableSetStmt') return node['kind'] === 'VAR_RESET_ALL';
  return kind === 'DiscardStmt' || runsScript(statement);
}

function runsScript({ kind }: ParsedStatement): boolean {
  return kind === 'CreateExtensionStmt' || kind === 'AlterExtensionStmt';
}

function tryParse(text: string): readonly ParsedStatement[] | string {
  try {
    return parseStatements(text);
  } catch (error) {
    if (error instanceof NotParsable) return `the text cannot be parsed: ${error.message}`;
    throw error;
  }
}

function unattributable(reason: string, text: string | null): Attribution {
  return { kind: 'unattributable', reason, text };
}
