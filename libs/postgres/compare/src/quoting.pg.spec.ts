import { describe, expect, it } from '@jest/globals';
import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { testDatabase } from '@sluice/testing';

const TEXTS = ['plain', 'select', "it's", 'a"b', 'back\\slash', "\\'; DROP TABLE t; --", 'Größe 🐘', ' ', '$1', '%s'];

// Stands here because the test servers are built on the client library, which therefore cannot use them.
describe('quoting on a server', () => {
  it.each(['on', 'off'])('keeps every text with standard_conforming_strings %s', async (setting) => {
    await using db = await testDatabase({ major: 18 });
    await db.query(`SET standard_conforming_strings TO ${setting}`);
    for (const text of TEXTS) {
      expect(await db.query(`SELECT ${quoteLiteral(text)} AS ${quoteIdentifier(text)}`)).toEqual([{ [text]: text }]);
    }
  });
});
