import { scanSync } from 'libpg-query';
import { type ParsedStatement } from './parse/statements.js';

/** A word of a statement, where it lies in bytes from the statement's beginning. */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly isIdentifier: boolean;
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);

/** The tokens of a text without its comments. */
export function tokens(source: Buffer): Token[] {
  return scanSync(source.toString())
    .tokens.filter(({ tokenName }) => !COMMENTS.has(tokenName))
    .map(({ start, end, tokenName, keywordKind }) => ({
      start,
      end,
      text: source.toString('utf8', start, end),
      isIdentifier: tokenName === 'IDENT' || tokenName === 'UIDENT' || keywordKind > 0,
    }));
}

/** The bytes of the statement alone; locations of its nodes are to be lowered by `statement.start`. */
export function bytesOf({ source, start, end }: ParsedStatement): Buffer {
  return source.subarray(start, end);
}

/** The text with the edits made, which do not overlap; all else stays byte for byte. */
export function splice(source: Buffer, edits: readonly Edit[]): string {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue;
    parts.push(source.subarray(at, start), Buffer.from(text));
    at = end;
  }
  return Buffer.concat([...parts, source.subarray(at)])
    .toString()
    .trim();
}

/** The word as a keyword, in capitals; quoted identifiers are none. */
export function keyword({ text }: Token): string {
  return text.startsWith('"') ? '' : text.toUpperCase();
}
