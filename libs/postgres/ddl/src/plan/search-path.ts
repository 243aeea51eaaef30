import { type CapturedDdl } from '../ddl-event.js';
import { fields, type ParsedStatement } from '../parse/statements.js';
import { rangeParts } from '../parse/walk.js';

/**
 * Where the names of the statement were looked for: the schemas of the session's search_path that existed, `$user` being the role's. In a
 * SECURITY DEFINER function the role is another one that nobody tells; where something new then lies in another schema, that comes first.
 */
export function searchPath(event: CapturedDdl, statement: ParsedStatement): string[] {
  const { settings, user, pathSchemas } = event;
  const written = (settings['search_path'] ?? '').match(/"(?:[^"]|"")*"|[^,\s"]+/g) ?? [];
  const path = written
    .map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name))
    .map((name) => (name === '$user' ? user : name))
    .filter((name) => pathSchemas.includes(name));
  const made = schemaOfNew(event, statement);
  return made === null || made === path.find((name) => name !== 'pg_catalog')
    ? path
    : [made, ...path.filter((name) => name !== made)];
}

/** The schema of a new relation whose name was written without one. */
function schemaOfNew({ commands, tag }: CapturedDdl, { kind, node }: ParsedStatement): string | null {
  const relation = NEW_RELATION[kind]?.(node);
  if (relation === undefined || rangeParts(relation).length !== 1) return null;
  return commands.find((command) => command.tag === tag)?.schema ?? null;
}

const NEW_RELATION: Readonly<Record<string, (node: ParsedStatement['node']) => unknown>> = {
  CreateStmt: ({ relation }) => relation,
  CreateForeignTableStmt: ({ base }) => fields(base)['relation'],
  CreateTableAsStmt: ({ into }) => fields(into)['rel'],
  ViewStmt: ({ view }) => view,
  CreateSeqStmt: ({ sequence }) => sequence,
  CompositeTypeStmt: ({ typevar }) => typevar,
};
