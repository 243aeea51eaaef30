import { describe, expect, it } from '@jest/globals';
import { quoteIdentifier, quoteLiteral, quoteQualified } from './identifiers.js';

describe('quoting', () => {
  it('doubles quotes in names and always quotes', () => {
    expect(quoteIdentifier('plain')).toBe('"plain"');
    expect(quoteIdentifier('a"b;--')).toBe('"a""b;--"');
    expect(quoteQualified('s.x', 't')).toBe('"s.x"."t"');
  });

  it('writes literals that hold with standard_conforming_strings on and off', () => {
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral("a\\'b")).toBe(" E'a\\\\''b'");
  });
});
