import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const WORKSPACE = path.resolve(import.meta.dirname, '../../..');
const PAGES = ['docs/replication/05-hazards.md', 'libs/model/SPEC.md'];
/** `[x.spec.ts](../x.spec.ts): what it says`, to the end of the line or of the cell. */
const NAMED_TEST = /\[[^\]]+\]\(([^)]+\.spec\.ts)\): (.+?)(?=<br>| *\||$)/gm;
/** Its cases are tests, each under its own name. */
const CASES = globSync(path.join(WORKSPACE, '{e2e/conformance/cases,libs/testing/src/builders}/*.ts'));

const textOf = (...files: string[]): string => files.map((file) => readFileSync(file, 'utf8')).join('\n');

/** `…` stands for what is not written out. In a table of cases the first word is in the pattern, the rest in the case. */
function missingParts(name: string, text: string): string[] {
  const parts = name.split('…').map((part) => part.trim());
  return parts.filter((part) => !text.includes(part) && !text.includes(part.slice(part.indexOf(' ') + 1)));
}

describe.each(PAGES)('%s', (page) => {
  const file = path.join(WORKSPACE, page);
  const named = Array.from(textOf(file).matchAll(NAMED_TEST), ([, spec = '', name = '']) => ({ spec, name }));

  it('names tests', () => {
    expect(named.length).toBeGreaterThan(5);
  });

  it.each(named)('$spec has "$name"', ({ spec, name }) => {
    const specFile = path.resolve(path.dirname(file), spec);
    const text = textOf(specFile, ...(spec.includes('conformance') ? CASES : []));
    expect(missingParts(name, text)).toEqual([]);
  });
});
