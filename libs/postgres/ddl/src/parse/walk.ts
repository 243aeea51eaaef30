import { fields, type Fields, text } from './statements.js';

/** All objects of the tree, parents first. The parser wraps some nodes in their kind and leaves others bare; both are visited. */
export function* walk(value: unknown): Generator<Fields> {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item);
  } else if (typeof value === 'object' && value !== null) {
    const node = fields(value);
    yield node;
    for (const child of Object.values(node)) yield* walk(child);
  }
}

/** The value of a `String` node. */
export function stringValue(node: unknown): string | null {
  return text(fields(fields(node)['String'])['sval']);
}

/** The parts of a name, given as a list of strings, a type's name, or an object with arguments. */
export function nameParts(node: unknown): string[] {
  if (Array.isArray(node)) return node.map(stringValue).filter((part) => part !== null);
  const object = fields(node);
  const single = stringValue(object);
  if (single !== null) return [single];
  if ('List' in object) return nameParts(fields(object['List'])['items']);
  if ('TypeName' in object) return nameParts(fields(object['TypeName'])['names']);
  if ('ObjectWithArgs' in object) return nameParts(fields(object['ObjectWithArgs'])['objname']);
  if ('RangeVar' in object) return rangeParts(object['RangeVar']);
  if ('names' in object) return nameParts(object['names']);
  return rangeParts(object);
}

/** Schema, where it is written, and name of a relation. */
export function rangeParts(node: unknown): string[] {
  const { schemaname, relname } = fields(node);
  return [text(schemaname), text(relname)].filter((part) => part !== null);
}

/** Roles that the statement names. */
export function rolesOf(node: Fields): string[] {
  const names = [...walk(node)].flatMap(({ roletype, rolename }) =>
    roletype === 'ROLESPEC_CSTRING' && typeof rolename === 'string' ? [rolename] : [],
  );
  return [...new Set(names)];
}
