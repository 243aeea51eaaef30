import { type DdlClass } from '@sluice/contracts';
import { type CapturedDdl, type DdlEvent } from './ddl-event.js';
import { type DdlPlan, type NameMapping } from './ddl-plan.js';
import { NotParsable, parseStatements } from './parse/statements.js';

/** What has to be done on the target so that it has what this DDL made of the source. */
export function planDdl(event: DdlEvent, _options: { readonly mapping?: NameMapping } = {}): DdlPlan {
  if (event.kind === 'unreadable')
    return {
      kind: 'unattributable',
      reason: `the event trigger failed: ${event.reason}`,
      class: 'other',
      tag: event.tag,
      identity: null,
      text: null,
    };
  const identity =
    event.commands.at(-1)?.identity ?? event.dropped.find(({ isOriginal }) => isOriginal)?.identity ?? null;
  const common = { class: classOf(event), tag: event.tag, identity };
  const refused = (reason: string): DdlPlan => ({ kind: 'unattributable', reason, ...common, text: event.query });
  if (event.context !== '' || event.query === null) return refused('it ran inside a function');
  try {
    const [statement, another] = parseStatements(event.query);
    if (!statement || another) return refused('it was one of several statements');
    const path = (event.settings['search_path'] ?? '').split(',').map((name) => name.trim().replaceAll('"', ''));
    const leaves = event.tables.filter(({ kind, persistence }) => kind === 'r' && persistence === 'p');
    return {
      kind: 'command',
      command: {
        ...common,
        statement: statement.text,
        searchPath: path,
        settings: event.settings,
        createdTables: leaves.filter(({ oid }) =>
          event.commands.some((c) => c.oid === oid && c.tag === 'CREATE TABLE'),
        ),
        droppedTables: event.dropped.flatMap(({ type, schema, name, oid }) =>
          type === 'table' && schema !== null && name !== null ? [{ schema, name, oid }] : [],
        ),
        changedTables: event.tables,
        affectedOids: event.tables.map(({ oid }) => oid),
        recopyTables: [],
        renamedTables: [],
        ownerStatements: [],
        roles: [],
      },
    };
  } catch (error) {
    if (error instanceof NotParsable) return refused(error.message);
    throw error;
  }
}

function classOf({ tag }: CapturedDdl): DdlClass {
  return tag.endsWith(' TABLE') ? 'table' : 'other';
}
