import { loadModule, parseSync } from 'libpg-query';

await loadModule();

/** A node of the parser's tree: its kind is the name of its only property. */
export type Fields = Readonly<Record<string, unknown>>;

/** One statement of a text. */
export interface ParsedStatement {
  /** Without what separates it from its neighbours. Its locations count bytes of `source` from its beginning. */
  readonly text: string;
  /** For example `CreateStmt`. */
  readonly kind: string;
  readonly node: Fields;
  readonly source: Buffer;
  /** Where `text` lies in `source`, in bytes. */
  readonly start: number;
  readonly end: number;
}

/** The text cannot be parsed by the grammar that we have, which is that of PostgreSQL 18. */
export class NotParsable extends Error {}

/** A script is asked for again with each of its statements. */
let last: { readonly text: string; readonly statements: readonly ParsedStatement[] } | null = null;

/** @throws NotParsable */
export function parseStatements(text: string): readonly ParsedStatement[] {
  if (last?.text !== text) last = { text, statements: parse(text) };
  return last.statements;
}

function parse(text: string): ParsedStatement[] {
  const source = Buffer.from(text);
  try {
    return (parseSync(text).stmts ?? []).map(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
      const end = length ? start + length : source.length;
      const [kind, node] = Object.entries<unknown>({ ...stmt })[0] ?? ['', {}];
      return { text: source.toString('utf8', start, end).trim(), kind, node: fields(node), source, start, end };
    });
  } catch (error) {
    throw new NotParsable(error instanceof Error ? error.message : 'it cannot be parsed', { cause: error });
  }
}

/** `value` as an object; empty when it is none, because the parser leaves out what is empty or false. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
