import {
  type ListedObject,
  type ObjectSelection,
  type ParsedPattern,
  parsePattern,
  type PatternToken,
} from '@sluice/contracts';

/** An object by its name on the source. Kinds that cannot be listed are matched by patterns and schemas all the same. */
export interface NamedObject {
  readonly kind: ListedObject['kind'] | 'other';
  readonly schema: string;
  readonly name: string;
}

export interface SchemaAndName {
  readonly schema: string;
  readonly name: string;
}

/** A table, and for a partition the tables above it, the nearest first. */
export interface PlacedTable extends SchemaAndName {
  readonly ancestors: readonly SchemaAndName[];
}

/** Decides whether objects belong to a task, by their names on the source. */
export interface ObjectJudge {
  readonly level: ObjectSelection['level'];
  /** Nothing is left out. */
  readonly isEverything: boolean;
  /** By its own name; of tables ask `selectsTable`. */
  readonly selects: (object: NamedObject) => boolean;
  /** Whether it is listed by its own name. */
  readonly lists: (object: NamedObject) => boolean;
  /** A partition goes where the tables above it go: the one at the root decides, unless nothing is said of it. */
  readonly selectsTable: (table: PlacedTable) => boolean;
  /** The same for a table that was not there when the load began. */
  readonly joins: (table: PlacedTable) => boolean;
  /** Whether an object of some name in the schema could be selected. */
  readonly mayHold: (schema: string) => boolean;
}

const keyOf = (kind: string, schema: string, name: string): string => JSON.stringify([kind, schema, name]);

/** The one place that decides what belongs to a task. */
export function judgeObjects(selection: ObjectSelection): ObjectJudge {
  const include = selection.include?.map(parsePattern) ?? null;
  const exclude = (selection.exclude ?? []).map(parsePattern);
  const listed = selection.level === 'table' ? selection.objects : [];
  const schemas = new Set(listed.flatMap((object) => (object.kind === 'schema' ? [object.schema] : [])));
  const names = new Set(
    listed.flatMap((object) => (object.kind === 'schema' ? [] : [keyOf(object.kind, object.schema, object.name)])),
  );
  const isExcluded = (object: SchemaAndName): boolean => exclude.some((pattern) => fits(pattern, object));
  const isListed = ({ kind, schema, name }: NamedObject): boolean => names.has(keyOf(kind, schema, name));
  const isIncluded = (object: NamedObject): boolean => {
    if (include?.some((pattern) => fits(pattern, object)) === true) return true;
    if (selection.level === 'database') return include === null;
    return schemas.has(object.schema) || isListed(object);
  };
  const selects = (object: NamedObject): boolean => isIncluded(object) && !isExcluded(object);
  const asTable = ({ schema, name }: SchemaAndName): NamedObject => ({ kind: 'table', schema, name });
  const judgeTable = ({ ancestors, ...table }: PlacedTable, isNamed: (object: NamedObject) => boolean): boolean => {
    // From the root down: what it is decides for all below, unless no pattern speaks of it.
    for (const ancestor of ancestors.toReversed()) {
      if (selects(asTable(ancestor))) return true;
      if (isExcluded(ancestor)) return false;
    }
    return isNamed(asTable(table)) && !isExcluded(table);
  };
  return {
    level: selection.level,
    isEverything: selection.level === 'database' && include === null && exclude.length === 0,
    selects,
    lists: (object) => isListed(object) && !isExcluded(object),
    selectsTable: (table) => judgeTable(table, isIncluded),
    joins: (table) => judgeTable(table, selection.level === 'database' ? isIncluded : isListed),
    mayHold: (schema) =>
      !exclude.some((pattern) => isAny(pattern.name) && matches(pattern.schema, schema)) &&
      ((selection.level === 'database' && include === null) ||
        include?.some((pattern) => matches(pattern.schema, schema)) === true ||
        listed.some((object) => object.schema === schema)),
  };
}

function fits(pattern: ParsedPattern, { schema, name }: SchemaAndName): boolean {
  return matches(pattern.schema, schema) && matches(pattern.name, name);
}

function isAny(tokens: readonly PatternToken[]): boolean {
  return tokens.every(({ kind }) => kind === 'any');
}

/**
 * Goes back to the last `*` only, which is enough, so that no pattern takes longer than its length times that of the name.
 */
export function matches(tokens: readonly PatternToken[], text: string): boolean {
  const characters = Array.from(text);
  let token = 0;
  let at = 0;
  let star: { readonly token: number; at: number } | null = null;
  while (at < characters.length) {
    const expected = tokens[token];
    if (expected?.kind === 'any') {
      star = { token, at };
      token += 1;
    } else if (expected?.kind === 'one' || (expected?.kind === 'literal' && expected.character === characters[at])) {
      token += 1;
      at += 1;
    } else if (star) {
      star.at += 1;
      token = star.token + 1;
      at = star.at;
    } else return false;
  }
  return isAny(tokens.slice(token));
}
