import { describe, expect, it } from '@jest/globals';
import {
  catalogueOf,
  DUMPED_MAJOR,
  dumpSchema,
  everyType,
  findPgDump,
  KEYLESS,
  ORDERS,
  PARTITIONED,
  QUOTED_NAMES,
  testDatabase,
  type TestDatabase,
  transferStructure,
} from '@sluice/testing';
import { CORPUS_ROLES, corpusOf } from './spec-corpus.js';

const pgDump = findPgDump();
if (pgDump === null) process.stderr.write('pg_dump is not on this machine: dumps are not compared\n');
const withPgDump = pgDump === null ? it.skip : it;

async function expectSameDump(source: TestDatabase, target: TestDatabase): Promise<void> {
  expect(await dumpSchema(pgDump ?? '', target.endpoint)).toEqual(await dumpSchema(pgDump ?? '', source.endpoint));
}

/** In one direction each, as a difference of thousands of lines is not worth reading. */
async function expectSameCatalogue(
  source: TestDatabase,
  target: TestDatabase,
  isCompared: (line: string) => boolean = () => true,
): Promise<void> {
  const expected = (await catalogueOf(source)).filter(isCompared);
  const actual = (await catalogueOf(target)).filter(isCompared);
  const [known, made] = [new Set(expected), new Set(actual)];
  expect({
    missing: expected.filter((line) => !made.has(line)),
    unexpected: actual.filter((line) => !known.has(line)),
  }).toEqual({ missing: [], unexpected: [] });
}

/** Before 18 a NOT NULL has no name, and before 15 a sequence is always logged: a newer server makes up its own. */
function isMadeUp(line: string): boolean {
  if (line.startsWith('pg_constraint ')) return line.includes('"contype":"n"');
  return line.startsWith('pg_class {"relname":"fast_id_seq"');
}

describe('a database with all of the corpus that its major knows, made by a plan,', () => {
  withPgDump.each(Object.entries({ everyType: everyType(DUMPED_MAJOR), KEYLESS, ORDERS, PARTITIONED, QUOTED_NAMES }))(
    'is dumped by pg_dump like its source, of the shape %s',
    async (_, schema) => {
      await using source = await testDatabase({ major: DUMPED_MAJOR, schema });
      await using target = await testDatabase({ major: DUMPED_MAJOR });
      await transferStructure(source, target);
      await expectSameDump(source, target);
    },
  );

  withPgDump.each([10, 11, 12, 13, 14] as const)('is dumped by pg_dump like its source, of major %d', async (major) => {
    await using source = await testDatabase({ major, schema: corpusOf(major) });
    await using target = await testDatabase({ major });
    const { unsupported } = await transferStructure(source, target);
    await expectSameDump(source, target);
    expect(unsupported).toEqual([]);
  });

  withPgDump('is dumped by pg_dump like its source also when it is the source of the next', async () => {
    await using source = await testDatabase({ major: DUMPED_MAJOR, schema: corpusOf(DUMPED_MAJOR) });
    await using middle = await testDatabase({ major: DUMPED_MAJOR });
    await using target = await testDatabase({ major: DUMPED_MAJOR });
    await transferStructure(source, middle);
    const { unsupported } = await transferStructure(middle, target);
    await expectSameDump(source, target);
    expect(unsupported).toEqual([]);
  });

  it.each([15, 16, 17, 18] as const)('has the catalogues of its source, of major %d', async (major) => {
    await using source = await testDatabase({ major, schema: corpusOf(major) });
    await using target = await testDatabase({ major });
    const { unsupported } = await transferStructure(source, target);
    await expectSameCatalogue(source, target);
    expect(unsupported).toEqual([]);
  });

  it.each([10, 12, 15] as const)(
    'has, made on 18 from a source of major %d, the catalogues of one made by hand',
    async (major) => {
      await using source = await testDatabase({ major, schema: corpusOf(major) });
      await using target = await testDatabase({ major: 18, schema: CORPUS_ROLES });
      await using byHand = await testDatabase({ major: 18, schema: corpusOf(major) });
      const { unsupported } = await transferStructure(source, target);
      expect(unsupported).toEqual([]);
      await expectSameCatalogue(byHand, target, (line) => !isMadeUp(line));
    },
  );
});
