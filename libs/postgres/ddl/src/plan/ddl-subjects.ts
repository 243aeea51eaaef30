import { type NamedObject, type SchemaAndName } from '@sluice/model';
import { type CapturedDdl, type DdlRelation } from '../ddl-event.js';
import { fields, list, type ParsedStatement, text } from '../parse/statements.js';
import { nameParts, rangeParts, stringValue } from '../parse/walk.js';

type Kind = NamedObject['kind'];
type Command = CapturedDdl['commands'][number];
type Dropped = CapturedDdl['dropped'][number];

/** Where something is: in one of these schemas; several where the text leaves open in which. */
export interface DdlName {
  readonly schemas: readonly string[];
  readonly name: string;
}

/** What a DDL is about, by its names on the source. */
export type DdlSubject =
  | (DdlName & {
      readonly of: 'object';
      /** One of these. */
      readonly kinds: readonly Kind[];
      /** Of a table; `null` when the event does not tell them. */
      readonly ancestors: readonly SchemaAndName[] | null;
      /** `made-or-kept`: it was made, or replaced one that was there. */
      readonly fate: 'made' | 'made-or-kept' | 'kept' | 'gone';
      /** Its name before, when that is what was changed. */
      readonly before: DdlName | null;
      /** As the server prints it; null when only the text names it. */
      readonly identity: string | null;
    })
  /** Which table it was on nobody says. */
  | { readonly of: 'dropped-index'; readonly schema: string; readonly name: string; readonly identity: string }
  | { readonly of: 'schema'; readonly name: string; readonly before: string | null }
  /** It is in no schema: an extension, a cast, privileges for objects to come. */
  | { readonly of: 'database' };

const RELATIONS: readonly Kind[] = ['table', 'view', 'materialized_view', 'sequence'];
/** Its type is what statements are about. */
const COMPOSITE = 'c';
const KIND_OF_RELATION: Readonly<Record<string, Kind>> = {
  v: 'view',
  m: 'materialized_view',
  S: 'sequence',
  c: 'type',
};
const KIND_OF_TYPE: Readonly<Record<string, Kind>> = {
  table: 'table',
  'foreign table': 'table',
  view: 'view',
  'materialized view': 'materialized_view',
  sequence: 'sequence',
  type: 'type',
  domain: 'type',
  'composite type': 'type',
  'domain constraint': 'type',
  function: 'function',
  procedure: 'function',
  routine: 'function',
  aggregate: 'function',
};
/** What stands on a relation, whose name is in front of its own. */
const ON_RELATIONS = ['trigger', 'policy', 'rule', 'table constraint', 'table column', 'default value'];

/** Everything that the event is about. @param statement null when it is not known; then privileges are on nobody knows what. */
export function ddlSubjects(event: CapturedDdl, statement: ParsedStatement | null): DdlSubject[] {
  if (event.dropped.length > 0) return event.dropped.filter(({ isOriginal }) => isOriginal).map(droppedSubject);
  const made = new Set(
    event.commands.flatMap(({ tag, oid }) => (/^(CREATE|SELECT) /.test(tag) && oid !== null ? [oid] : [])),
  );
  return event.commands.flatMap((command) => {
    if (command.classId === null) return statement ? grantSubjects(event, statement) : [];
    return [commandSubject(command, { event, statement, made })];
  });
}

interface Surroundings {
  readonly event: CapturedDdl;
  readonly statement: ParsedStatement | null;
  readonly made: ReadonlySet<number>;
}

function commandSubject(command: Command, { event, statement, made }: Surroundings): DdlSubject {
  const { relation, schema, identity, oid } = command;
  const isMain = command.tag === event.tag && (!relation || relation.kind === COMPOSITE || relation.oid === oid);
  if (command.type === 'schema')
    return { of: 'schema', name: plain(identity ?? ''), before: isMain ? schemaBefore(statement) : null };
  if (relation) {
    const before = isMain ? nameBefore(event, statement, relation.schema) : null;
    return { ...relationSubject(relation), fate: fateOf(made.has(relation.oid), statement), before, identity };
  }
  const name = schema === null || identity === null ? null : nameIn(schema, identity);
  if (schema === null || name === null) return { of: 'database' };
  return {
    of: 'object',
    kinds: [KIND_OF_TYPE[command.type ?? ''] ?? 'other'],
    schemas: [schema],
    name,
    ancestors: null,
    fate: 'kept',
    before: isMain ? nameBefore(event, statement, schema) : null,
    identity,
  };
}

function relationSubject({ schema, name, kind, ancestors }: DdlRelation): Extract<DdlSubject, { of: 'object' }> {
  return {
    of: 'object',
    kinds: [KIND_OF_RELATION[kind] ?? 'table'],
    schemas: [schema],
    name,
    ancestors,
    fate: 'kept',
    before: null,
    identity: null,
  };
}

function fateOf(isMade: boolean, statement: ParsedStatement | null): 'made' | 'made-or-kept' | 'kept' {
  if (!isMade) return 'kept';
  return statement?.node['replace'] === true ? 'made-or-kept' : 'made';
}

function droppedSubject({ type, schema, name, names, identity }: Dropped): DdlSubject {
  if (type === 'schema') return { of: 'schema', name: name ?? plain(identity), before: null };
  if (type === 'index' && schema !== null && name !== null) return { of: 'dropped-index', schema, name, identity };
  const common = { of: 'object', ancestors: null, before: null, identity } as const;
  const [relationSchema, relation] = names;
  if (ON_RELATIONS.includes(type) && relationSchema !== undefined && relation !== undefined)
    return { ...common, fate: 'kept', kinds: RELATIONS, schemas: [relationSchema], name: relation };
  const ownName = schema === null ? null : (name ?? nameIn(schema, identity));
  if (schema === null || ownName === null) return { of: 'database' };
  return { ...common, fate: 'gone', kinds: [KIND_OF_TYPE[type] ?? 'other'], schemas: [schema], name: ownName };
}

const RENAMED_RELATIONS = /^OBJECT_(TABLE|VIEW|MATVIEW|SEQUENCE|FOREIGN_TABLE)$/;

/** What the object was called before an ALTER … RENAME or SET SCHEMA. */
function nameBefore(event: CapturedDdl, statement: ParsedStatement | null, schema: string): DdlName | null {
  if (!statement) return null;
  const { kind, node } = statement;
  if (kind === 'RenameStmt') {
    if (node['relation'] !== undefined && !RENAMED_RELATIONS.test(String(node['renameType']))) return null;
    // Constraints of domains have the domain as their object.
    if (node['relation'] === undefined && node['subname'] !== undefined) return null;
    const name = nameParts(node['relation'] ?? node['object']).at(-1);
    return name === undefined ? null : { schemas: [schema], name };
  }
  if (kind !== 'AlterObjectSchemaStmt') return null;
  const parts = nameParts(node['relation'] ?? node['object']);
  const name = parts.at(-1);
  return name === undefined ? null : { schemas: schemasOf(parts, event), name };
}

function schemaBefore(statement: ParsedStatement | null): string | null {
  const isRename = statement?.kind === 'RenameStmt' && statement.node['renameType'] === 'OBJECT_SCHEMA';
  return isRename ? text(statement.node['subname']) : null;
}

function schemasOf(parts: readonly string[], { pathSchemas }: CapturedDdl): readonly string[] {
  const written = parts.at(-2);
  return written === undefined ? pathSchemas : [written];
}

const GRANT_KINDS: Readonly<Record<string, readonly Kind[]>> = {
  OBJECT_TABLE: RELATIONS,
  OBJECT_SEQUENCE: ['sequence'],
  OBJECT_FUNCTION: ['function'],
  OBJECT_PROCEDURE: ['function'],
  OBJECT_ROUTINE: ['function'],
  OBJECT_TYPE: ['type'],
  OBJECT_DOMAIN: ['type'],
};

/** The server does not say what privileges are on; the text does. */
function grantSubjects(event: CapturedDdl, { kind, node }: ParsedStatement): DdlSubject[] {
  if (kind === 'AlterDefaultPrivilegesStmt') {
    const schemas = list(node['options'])
      .map((item) => fields(fields(item)['DefElem']))
      .filter(({ defname }) => defname === 'schemas')
      .flatMap(({ arg }) => nameParts(arg));
    return schemas.length === 0 ? [{ of: 'database' }] : schemas.map((name) => ({ of: 'schema', name, before: null }));
  }
  if (kind !== 'GrantStmt') return [{ of: 'database' }];
  const isOfSchemas = node['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA' || node['objtype'] === 'OBJECT_SCHEMA';
  if (isOfSchemas)
    return list(node['objects']).flatMap((item) => {
      const name = stringValue(item);
      return name === null ? [] : [{ of: 'schema' as const, name, before: null }];
    });
  const kinds = GRANT_KINDS[String(node['objtype'])];
  if (node['targtype'] !== 'ACL_TARGET_OBJECT' || !kinds) return [{ of: 'database' }];
  return list(node['objects']).map((item) => {
    const parts = nameParts(item);
    return {
      of: 'object' as const,
      kinds,
      schemas: schemasOf(parts, event),
      name: parts.at(-1) ?? '',
      ancestors: null,
      fate: 'kept' as const,
      before: null,
      identity: null,
    };
  });
}

/** What a partition tree gains or loses. */
export interface PartitionChange extends DdlName {
  readonly kind: 'attach' | 'detach';
}

export function partitionChange(event: CapturedDdl, { kind, node }: ParsedStatement): PartitionChange | null {
  if (kind !== 'AlterTableStmt') return null;
  for (const item of list(node['cmds'])) {
    const command = fields(fields(item)['AlterTableCmd']);
    const isAttach = command['subtype'] === 'AT_AttachPartition';
    if (!isAttach && command['subtype'] !== 'AT_DetachPartition') continue;
    const parts = rangeParts(fields(fields(command['def'])['PartitionCmd'])['name']);
    const name = parts.at(-1) ?? '';
    const below = event.tables.flatMap(({ descendants }) => descendants).filter((table) => table.name === name);
    const written = schemasOf(parts, event).filter(
      (schema) => !isAttach || below.some((table) => table.schema === schema),
    );
    return { kind: isAttach ? 'attach' : 'detach', schemas: written, name };
  }
  return null;
}

/** The name that follows the schema in an identity, e.g. `f` in `public.f(integer)`. */
function nameIn(schema: string, identity: string): string | null {
  const part = String.raw`"(?:[^"]|"")*"|[^\s.,()[\]"]+`;
  for (const [, first = '', second = ''] of identity.matchAll(new RegExp(`(${part})\\.(${part})`, 'g')))
    if (plain(first) === schema) return plain(second);
  return null;
}

function plain(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token;
}
