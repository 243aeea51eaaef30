import { quoteIdentifier } from '@sluice/postgres-client';
import { type CapturedDdl } from '../ddl-event.js';
import { type OwnerStatement } from '../ddl-plan.js';

/** What has an owner of its own, as the server calls it and as ALTER does. */
const OWNED: Readonly<Record<string, string>> = {
  table: 'TABLE',
  view: 'VIEW',
  'materialized view': 'MATERIALIZED VIEW',
  'foreign table': 'FOREIGN TABLE',
  sequence: 'SEQUENCE',
  function: 'FUNCTION',
  procedure: 'PROCEDURE',
  aggregate: 'AGGREGATE',
  type: 'TYPE',
  domain: 'DOMAIN',
  schema: 'SCHEMA',
  collation: 'COLLATION',
  conversion: 'CONVERSION',
  operator: 'OPERATOR',
  'operator class': 'OPERATOR CLASS',
  'operator family': 'OPERATOR FAMILY',
  'text search dictionary': 'TEXT SEARCH DICTIONARY',
  'text search configuration': 'TEXT SEARCH CONFIGURATION',
  'statistics object': 'STATISTICS',
  server: 'SERVER',
  'foreign-data wrapper': 'FOREIGN DATA WRAPPER',
};

/** What GRANT calls them, where it has another word or none. */
const GRANTED: Readonly<Record<string, string>> = {
  table: 'TABLE',
  view: 'TABLE',
  'materialized view': 'TABLE',
  'foreign table': 'TABLE',
  sequence: 'SEQUENCE',
  function: 'FUNCTION',
  procedure: 'PROCEDURE',
  aggregate: 'FUNCTION',
  type: 'TYPE',
  domain: 'TYPE',
  schema: 'SCHEMA',
};

type Command = CapturedDdl['commands'][number];

/**
 * Gives what the statement made to the owner that it has on the source, with the privileges that it was born with there: those depend on
 * who makes it. Sequences of columns follow the owner of their table.
 */
export function ownerStatements(event: CapturedDdl): OwnerStatement[] {
  const columnSequences = new Set(
    event.commands.filter(({ tag, type }) => tag === 'ALTER SEQUENCE' && type === 'sequence').map(({ oid }) => oid),
  );
  return event.commands.flatMap((command) => {
    const { tag, type, identity, owner, oid } = command;
    if (!/^(CREATE|SELECT) /.test(tag) || type === null || identity === null || owner === null) return [];
    const kind = OWNED[type];
    const hasOwnOwner = type !== 'sequence' || (event.tag === 'CREATE SEQUENCE' && !columnSequences.has(oid));
    const alter = { role: owner, statement: `ALTER ${kind} ${identity} OWNER TO ${quoteIdentifier(owner)}` };
    return [...(kind !== undefined && hasOwnOwner ? [alter] : []), ...privileges(command)];
  });
}

function privileges({ type, identity, owner, acl }: Command): OwnerStatement[] {
  const kind = type === null ? undefined : GRANTED[type];
  if (kind === undefined || owner === null || acl === null) return [];
  const object = `${kind} ${identity}`;
  return [
    { role: owner, statement: `REVOKE ALL ON ${object} FROM PUBLIC, ${quoteIdentifier(owner)}` },
    ...acl.map(({ grantee, privilege, isGrantable }) => ({
      role: grantee ?? owner,
      statement: `GRANT ${privilege} ON ${object} TO ${grantee === null ? 'PUBLIC' : quoteIdentifier(grantee)}${isGrantable ? ' WITH GRANT OPTION' : ''}`,
    })),
  ];
}
