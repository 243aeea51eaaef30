import { describe, expect, it } from '@jest/globals';
import { hasEquality, isBinaryCopySafe, type TypeFacts } from './type-traits.js';

const base = (name: string, hasOperatorClass = true, isBuiltIn = true): TypeFacts => ({
  name,
  isBuiltIn,
  kind: 'base',
  parts: [],
  hasOperatorClass,
});
const made = (kind: TypeFacts['kind'], parts: readonly string[], isBuiltIn = false): TypeFacts => ({
  name: kind,
  isBuiltIn,
  kind,
  parts,
  hasOperatorClass: false,
});

const TYPES = new Map<number, TypeFacts>([
  [1, base('int4')],
  [2, base('json', false)],
  [3, base('regclass')],
  [4, base('citext', true, false)],
  [5, made('enum', [])],
  [10, made('array', ['1'], true)],
  [11, made('array', ['5'])],
  [12, made('array', ['2'], true)],
  [20, made('domain', ['1'])],
  [21, made('domain', ['20'])],
  [22, made('domain', ['4'])],
  [30, made('composite', ['1', '5'])],
  [31, made('composite', ['1', '2'])],
  [40, made('range', [])],
  [41, { ...made('range', [], true), name: 'int4range' }],
]);

describe('traits of types', () => {
  it.each([
    ['a built-in scalar', 1, true, true],
    ['a type without =', 2, false, true],
    ['an OID of an object', 3, true, false],
    ['a type of an extension', 4, true, false],
    ['an enum', 5, true, true],
    ['an array of a built-in type', 10, true, true],
    ['an array of an enum', 11, true, false],
    ['an array of a type without =', 12, false, true],
    ['a domain', 20, true, true],
    ['a domain over a domain', 21, true, true],
    ['a domain over a type of an extension', 22, true, false],
    ['a composite type', 30, true, false],
    ['a composite type with a part without =', 31, false, false],
    ['a range of one’s own', 40, true, false],
    ['a built-in range', 41, true, true],
    ['an unknown type', 99, false, false],
  ])('%s', (_, ...[oid, equality, binary]) => {
    expect({ equality: hasEquality(oid, TYPES), binary: isBinaryCopySafe(oid, TYPES) }).toEqual({ equality, binary });
  });
});
