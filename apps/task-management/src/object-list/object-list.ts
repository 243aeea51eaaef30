import {
  Identifier,
  type ListedObject,
  MalformedPattern,
  parsePattern,
  patternOf,
  type PatternToken,
  SELECTABLE_KINDS,
  type SelectableKind,
} from '@sluice/contracts';
import { type ListLine } from './csv.js';

/** First line of every list that is written; one that is read may go without. */
export const HEADER = ['source', 'target', 'kind'] as const;
/** More would not fit into a selection. */
export const LINES_MAX = 20_000;

export interface LineError {
  readonly line: number;
  readonly message: string;
}

export type ParsedList =
  | { readonly ok: true; readonly objects: readonly ListedObject[] }
  | { readonly ok: false; readonly errors: readonly LineError[] };

/**
 * Lines of `schema.name`, a name on the target or nothing, and a kind or nothing for `table`. `schema.*` is everything in a schema. All lines are right, or
 * all that are wrong are named and nothing is taken.
 */
export function parseObjectList(lines: readonly ListLine[]): ParsedList {
  if (lines.length > LINES_MAX)
    return {
      ok: false,
      errors: [{ line: LINES_MAX + 1, message: `at most ${LINES_MAX} lines; list schemas or use patterns` }],
    };
  const objects: ListedObject[] = [];
  const errors: LineError[] = [];
  const seen = new Map<string, number>();
  for (const [index, { number, cells }] of lines.entries()) {
    const trimmed = cells.map((cell) => cell.trim());
    if (trimmed.every((cell) => cell === '') || (index === 0 && isHeader(trimmed))) continue;
    try {
      const object = parseLine(trimmed);
      const key = JSON.stringify(object);
      const earlier = seen.get(key);
      if (earlier !== undefined) throw new MalformedPattern(`the same object is in line ${earlier}`);
      seen.set(key, number);
      objects.push(object);
    } catch (error) {
      if (!(error instanceof MalformedPattern)) throw error;
      errors.push({ line: number, message: error.message });
    }
  }
  if (errors.length > 0) return { ok: false, errors };
  if (objects.length === 0) return { ok: false, errors: [{ line: 1, message: 'the list is empty' }] };
  return { ok: true, objects };
}

function isHeader([first = '']: readonly string[]): boolean {
  return first.toLowerCase() === HEADER[0];
}

function parseLine([source = '', target = '', kindText = '', ...more]: readonly string[]): ListedObject {
  if (more.some((cell) => cell !== '')) throw new MalformedPattern('there are more than three columns');
  const { schema, name } = parsePattern(source);
  const isSchema = name.length === 1 && name[0]?.kind === 'any';
  const kind = kindText === '' ? null : SELECTABLE_KINDS.find((known) => known === kindText);
  if (kind === undefined && !(isSchema && kindText === 'schema'))
    throw new MalformedPattern(`kind is none of ${SELECTABLE_KINDS.join(', ')}`);
  if (target !== '') refuseMapping(source, target);
  if (isSchema) {
    if (kind) throw new MalformedPattern('all of a schema has no kind');
    return { kind: 'schema', schema: literal(schema) };
  }
  return { kind: kind ?? 'table', schema: literal(schema), name: literal(name) };
}

/** A name on the target can be given where it is the same; others are not mapped yet by any step of a task. */
function refuseMapping(source: string, target: string): void {
  const [from, to] = [parsePattern(source), parsePattern(target)];
  if (JSON.stringify(from) !== JSON.stringify(to))
    throw new MalformedPattern('the name on the target is another one, and names are not mapped');
}

function literal(tokens: readonly PatternToken[]): string {
  const text = tokens.map((token) => {
    if (token.kind !== 'literal')
      throw new MalformedPattern('a list has names, not patterns; quote * and ? that belong to a name');
    return token.character;
  });
  const name = Identifier.safeParse(text.join(''));
  if (!name.success) throw new MalformedPattern(name.error.issues.map(({ message }) => message).join('; '));
  return name.data;
}

/** The lines of a list, as they are read again. */
export function listLines(objects: readonly ListedObject[]): (readonly string[])[] {
  return objects.map((object) => {
    if (object.kind === 'schema')
      return [`${harmless(patternOf({ schema: object.schema, name: 'x' })).slice(0, -1)}*`, '', ''];
    return [harmless(patternOf(object)), '', kindText(object.kind)];
  });
}

function kindText(kind: SelectableKind): string {
  return kind === 'table' ? '' : kind;
}

/** Spreadsheets take a cell that begins so for a formula. In double quotes the name is the same, and text. */
const FORMULA = /^[=+\-@|%]/;

function harmless(name: string): string {
  if (!FORMULA.test(name)) return name;
  const end = name.indexOf('.');
  return `"${name.slice(0, end)}"${name.slice(end)}`;
}
