import { describe, expect, it } from '@jest/globals';
import { readStructure, readTargetFacts } from '@sluice/postgres-schema';
import { type PostgresMajor } from '@sluice/embedded';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { removeDdlCapture } from './index.js';
import { CORPUS, type Form } from './spec-corpus.js';
import { captureDdl, executePlans, HELPER, takePlans } from './spec-source.js';

const PAIRS: readonly (readonly [PostgresMajor, PostgresMajor])[] = [
  [11, 11],
  [13, 15],
  [15, 15],
  [18, 18],
];
const ROLES = `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_owner') THEN CREATE ROLE sluice_owner; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_reader') THEN CREATE ROLE sluice_reader; END IF;
  END $$`;

async function structureOf(database: TestDatabase, target: TestDatabase): Promise<unknown> {
  const facts = await readTargetFacts(await target.connect());
  const client = await database.connect({ search_path: '' });
  const { preData, postData } = await readStructure(client, { target: facts, roles: 'existing' });
  // Privileges on the schema public are others since PostgreSQL 15.
  return [...preData, ...postData].map(({ sql }) => sql).filter((sql) => !sql.includes('ON SCHEMA "public"'));
}

describe('DDL corpus', () => {
  const groups = PAIRS.flatMap(([from, to]) =>
    Object.entries(CORPUS).map(([name, forms]) => ({ from, to, name, forms })),
  );

  it.each(groups)('PostgreSQL $from to $to: $name', async ({ from, to, forms }) => {
    await using source = await testDatabase({ major: from, schema: ROLES });
    await using target = await testDatabase({ major: to, schema: ROLES });
    const writer = await target.connect();
    const capture = await captureDdl(source);
    const known = forms.filter(({ since = 0 }) => Math.min(from, to) >= since);
    for (const { sql, commands = 1, ...expected } of known) {
      await source.query(sql);
      const plans = await takePlans(source, capture);
      const found = plans.flatMap((plan) => (plan.kind === 'command' ? [plan.command] : []));
      const names = (tables: readonly { readonly name: string }[]): string[] => tables.map(({ name }) => name).sort();
      const seen = {
        commands: found.length,
        unattributable: plans.filter(({ kind }) => kind === 'unattributable'),
        ...(expected.recopies && { recopies: names(found.flatMap(({ recopyTables }) => recopyTables)) }),
        ...(expected.creates && { creates: names(found.flatMap(({ createdTables }) => createdTables)) }),
        ...(expected.drops && { drops: names(found.flatMap(({ droppedTables }) => droppedTables)) }),
      };
      expect({ sql, ...seen }).toEqual({ sql, commands, unattributable: [], ...listed(expected) });
      await executePlans(writer, plans);
    }
    await removeDdlCapture(capture, HELPER);
    await capture.query(`DROP PUBLICATION ${HELPER}`);
    expect(await structureOf(target, target)).toEqual(await structureOf(source, target));
  });
});

function listed({ recopies, creates, drops }: Pick<Form, 'recopies' | 'creates' | 'drops'>): object {
  return { ...(recopies && { recopies }), ...(creates && { creates }), ...(drops && { drops }) };
}
