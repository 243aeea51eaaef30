/** What one character position of a part may be: that character, any one, or any number of any. */
export type PatternToken =
  { readonly kind: 'literal'; readonly character: string } | { readonly kind: 'one' } | { readonly kind: 'any' };

/** `schema.name`, each part as tokens. */
export interface ParsedPattern {
  readonly schema: readonly PatternToken[];
  readonly name: readonly PatternToken[];
}

export class MalformedPattern extends Error {
  override readonly name = 'MalformedPattern';
}

/**
 * The grammar of patterns, compared case-sensitively with the names that the catalogues hold (nothing is folded to lower case):
 *
 * ```
 * pattern  = part "." part            the schema, then the object in it
 * part     = ( plain | wildcard | quoted )+
 * plain    = any character but  . " * ?  and white space
 * wildcard = "*"                      any number of characters, also none
 *          | "?"                      exactly one character
 * quoted   = '"' ( any character but '"' | '""' )+ '"'     these characters as they are; "" is one quote
 * ```
 *
 * `public.order_*`, `*.log`, `"odd.schema"."a*b"`, `sales.tmp_"2024-01"?`.
 * @throws MalformedPattern
 */
export function parsePattern(pattern: string): ParsedPattern {
  const parts: PatternToken[][] = [[]];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length;) {
    const character = characters[at] ?? '';
    if (character === '"') {
      const quoted = readQuoted(characters, at);
      parts.at(-1)?.push(...quoted.tokens);
      at = quoted.end;
      continue;
    }
    if (character === '.') parts.push([]);
    else parts.at(-1)?.push(tokenOf(character));
    at += 1;
  }
  const [schema, name, ...more] = parts;
  if (!schema || !name || more.length > 0)
    throw new MalformedPattern('a pattern is schema.name; dots in names stand in double quotes');
  if (schema.length === 0) throw new MalformedPattern('the schema is missing before the dot');
  if (name.length === 0) throw new MalformedPattern('the name is missing behind the dot');
  return { schema, name };
}

function tokenOf(character: string): PatternToken {
  if (character === '*') return { kind: 'any' };
  if (character === '?') return { kind: 'one' };
  if (/\s/.test(character)) throw new MalformedPattern('white space stands in double quotes');
  return { kind: 'literal', character };
}

function readQuoted(characters: readonly string[], start: number): { tokens: PatternToken[]; end: number } {
  const tokens: PatternToken[] = [];
  for (let at = start + 1; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '"' && characters[at + 1] === '"') at += 1;
    else if (character === '"') {
      if (tokens.length === 0) throw new MalformedPattern('there is nothing between the double quotes');
      return { tokens, end: at + 1 };
    }
    tokens.push({ kind: 'literal', character });
  }
  throw new MalformedPattern('a double quote is not closed');
}

/** The pattern of exactly one object. */
export function patternOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${partOf(schema)}.${partOf(name)}`;
}

function partOf(identifier: string): string {
  return /^[^."*?\s]+$/u.test(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`;
}
