import { describe, expect, it } from '@jest/globals';
import { catalogueOf, DUMPED_MAJOR, dumpSchema, findPgDump, testDatabase, transferStructure } from '@sluice/testing';
import { analyticsSchema } from './spec-analytics-schema.js';
import { CORPUS_ROLES } from './spec-corpus.js';
import { erpSchema } from './spec-erp-schema.js';

const SCHEMAS = {
  'a business application with some hundred tables': erpSchema({ generations: 4 }),
  'a warehouse with some thousand relations': analyticsSchema({ factTables: 12, partitionsPerTable: 40 }),
};

/** Before 18 a NOT NULL has no name, so a newer server makes up its own. */
function isNotNull(line: string): boolean {
  return line.startsWith('pg_constraint ') && line.includes('"contype":"n"');
}

describe('a large database made by a plan', () => {
  const pgDump = findPgDump();

  it.each(Object.entries(SCHEMAS))(
    'is like its source, and on a newer server like one made by hand: %s',
    async (_, schema) => {
      await using source = await testDatabase({ major: DUMPED_MAJOR, schema: `${CORPUS_ROLES}; ${schema}` });
      await using same = await testDatabase({ major: DUMPED_MAJOR });
      expect((await transferStructure(source, same)).unsupported).toEqual([]);
      if (pgDump !== null)
        expect(await dumpSchema(pgDump, same.endpoint)).toEqual(await dumpSchema(pgDump, source.endpoint));
      await using newer = await testDatabase({ major: 18, schema: CORPUS_ROLES });
      await using byHand = await testDatabase({ major: 18, schema });
      await transferStructure(source, newer);
      const [expected, actual] = [await catalogueOf(byHand), await catalogueOf(newer)];
      const [known, made] = [new Set(expected), new Set(actual)];
      expect(expected.filter((line) => !made.has(line) && !isNotNull(line))).toEqual([]);
      expect(actual.filter((line) => !known.has(line) && !isNotNull(line))).toEqual([]);
    },
  );
});
