import { type Fields, fields, list, type ParsedStatement, text } from '../parse/statements.js';
import { nameParts, rangeParts, walk } from '../parse/walk.js';
import { type Token } from '../splice.js';

/** A name as it is written in a statement. */
export interface WrittenName {
  readonly kind: 'relation' | 'schema' | 'object' | 'column';
  /** Without quotes; the schema first, where it is written. */
  readonly parts: readonly string[];
  /** The words of the parts, without dots. */
  readonly words: readonly Token[];
}

interface NodeName {
  readonly kind: WrittenName['kind'];
  readonly parts: readonly string[];
  /** In bytes; null where the parser does not tell. */
  readonly location: number | null;
}

/** Names of objects in schemas: fields of any node that hold a list of strings. */
const OBJECT_LISTS = [
  'names',
  'funcname',
  'objname',
  'typeName',
  'domainname',
  'defnames',
  'collname',
  'opclassname',
  'opfamilyname',
  'cfgname',
  'dictname',
];
const RELATIONS = [
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
];
/** The last part of their name is their own; what is before it names a relation. */
const PARTS_OF_RELATIONS = ['OBJECT_COLUMN', 'OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY', 'OBJECT_TABCONSTRAINT'];

/** All names of relations, schemas and other objects, found at the words that spell them. */
export function writtenNames(statement: ParsedStatement, words: readonly Token[]): WrittenName[] {
  const taken = new Set<number>();
  const found: WrittenName[] = [];
  for (const { kind, parts, location } of nodeNames(statement)) {
    const at = findWords(words, { parts, location, taken });
    if (at === null) continue;
    for (const index of at) taken.add(index);
    found.push({ kind, parts, words: at.map((index) => words[index]).filter((word) => word !== undefined) });
  }
  return found;
}

/** Those with a place first, so that the others are looked for in what is left. */
function nodeNames({ node, kind, start }: ParsedStatement): NodeName[] {
  const names = [...walk({ [kind]: node })].flatMap(namesOf).filter(({ parts }) => parts.length > 0);
  const placed = names.map((name) => ({ ...name, location: name.location === null ? null : name.location - start }));
  return placed.toSorted((a, b) => Number(a.location === null) - Number(b.location === null));
}

function namesOf(node: Fields): NodeName[] {
  const location = typeof node['location'] === 'number' ? node['location'] : null;
  if ('relname' in node) return [{ kind: 'relation', parts: rangeParts(node), location }];
  if ('fields' in node) return columnReference(node, location);
  const objects = OBJECT_LISTS.flatMap((field): NodeName[] =>
    Array.isArray(node[field]) ? [{ kind: 'object', parts: nameParts(node[field]), location }] : [],
  );
  return [...objects, ...schemasOf(node), ...objectsOf(node)];
}

function columnReference(node: Fields, location: number | null): NodeName[] {
  const parts = nameParts(node['fields']);
  return [{ kind: 'column', parts, location }];
}

/** Schemas that stand alone. */
function schemasOf(node: Fields): NodeName[] {
  const alone = [
    'authrole' in node || 'schemaElts' in node || ('schemaname' in node && !('relname' in node))
      ? text(node['schemaname'])
      : null,
    text(node['newschema']),
    node['renameType'] === 'OBJECT_SCHEMA' ? text(node['subname']) : null,
    node['renameType'] === 'OBJECT_SCHEMA' ? text(node['newname']) : null,
  ].filter((name) => name !== null);
  const inList =
    node['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA' ||
    node['objtype'] === 'OBJECT_SCHEMA' ||
    node['removeType'] === 'OBJECT_SCHEMA'
      ? list(node['objects'] ?? [node['object']]).flatMap(nameParts)
      : [];
  const inDefaults = node['defname'] === 'schemas' ? nameParts(fields(fields(node['arg'])['List'])['items']) : [];
  return [...alone, ...inList, ...inDefaults].map((name) => ({ kind: 'schema', parts: [name], location: null }));
}

/** What DROP, COMMENT, ALTER … OWNER and the like are about, where the parser has a plain list. */
function objectsOf(node: Fields): NodeName[] {
  const type = text(node['removeType'] ?? node['objtype'] ?? node['objectType'] ?? node['renameType']);
  if (type === null || type === 'OBJECT_SCHEMA' || 'targtype' in node) return [];
  const objects = list(node['objects'] ?? (node['object'] === undefined ? [] : [node['object']]));
  return objects
    .filter((object) => 'List' in fields(object))
    .map((object): NodeName => {
      const parts = nameParts(object);
      if (RELATIONS.includes(type)) return { kind: 'relation', parts, location: null };
      if (PARTS_OF_RELATIONS.includes(type)) return { kind: 'relation', parts: parts.slice(0, -1), location: null };
      return { kind: 'object', parts, location: null };
    });
}

interface Wanted {
  readonly parts: readonly string[];
  readonly location: number | null;
  readonly taken: ReadonlySet<number>;
}

/** Indexes of the words that spell `parts` with dots between them; null when they are not written so (types have other names). */
function findWords(words: readonly Token[], { parts, location, taken }: Wanted): number[] | null {
  for (const [index, word] of words.entries()) {
    if (location !== null ? word.start !== location : taken.has(index)) continue;
    // A longer name that begins or ends like this one is another.
    if (location === null && (words[index - 1]?.text === '.' || taken.has(index))) continue;
    const at = parts.map((_, part) => index + part * 2);
    const isSpelled = at.every((place, part) => {
      const candidate = words[place];
      return (
        candidate?.isIdentifier === true &&
        unquoted(candidate) === parts[part] &&
        (part === 0 || words[place - 1]?.text === '.')
      );
    });
    if (isSpelled) return at;
    if (location !== null) return null;
  }
  return null;
}

/** The identifier that a word means. */
export function unquoted({ text: word }: Token): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase();
}
