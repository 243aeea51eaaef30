import { describe, expect, it } from '@jest/globals';
import { type ObjectSelection } from '@sluice/contracts';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { runPrechecks } from '../run-prechecks.js';
import { selectedObjectsExist } from './selected-objects-exist.js';
import { selectionClosed } from './selection-closed.js';

const SCHEMA = `CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE customers (id int PRIMARY KEY, m mood);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, m mood); CREATE TABLE log (id int)`;
const LISTED: ObjectSelection = { level: 'table', objects: [{ kind: 'table', schema: 'public', name: 'orders' }] };

describe('selection-closed', () => {
  it('fails where a foreign key leads out, with the addition to paste; passes with it, and says what comes along', async () => {
    await using source = await testDatabase({ schema: SCHEMA });
    await using target = await testDatabase();
    const endpoints = { source: source.endpoint, target: target.endpoint };
    const report = await runOneCheck(selectionClosed, endpoints, { selection: LISTED });
    expect(report).toMatchObject({
      outcome: 'failed',
      evidence: '1 missing: public.customers (for foreign key "orders_customer_fkey" ON "public"."orders")',
    });
    const addition: unknown = JSON.parse(report.fix?.split('\n')[1] ?? '');
    const closed = { ...LISTED, objects: [...LISTED.objects, addition] } as ObjectSelection;
    expect(await runOneCheck(selectionClosed, endpoints, { selection: closed })).toMatchObject({
      outcome: 'passed',
      evidence: 'come along: type public.mood',
    });
  });

  it('gives patterns to paste at database level', async () => {
    await using source = await testDatabase({ schema: SCHEMA });
    await using target = await testDatabase();
    const selection: ObjectSelection = { level: 'database', exclude: ['public.cust*'] };
    const report = await runOneCheck(
      selectionClosed,
      { source: source.endpoint, target: target.endpoint },
      { selection },
    );
    expect(report.fix?.split('\n')[1]).toBe('public.customers');
  });
});

describe('selected-objects-exist', () => {
  it.each<[ObjectSelection, string, string]>([
    [{ level: 'database' }, 'passed', 'everything is selected'],
    [LISTED, 'passed', '1 objects are selected by their names'],
    [
      { level: 'table', objects: [{ kind: 'table', schema: 'public', name: 'Orders' }] },
      'failed',
      '1 not on the source: table public.Orders',
    ],
    [
      { level: 'table', objects: [{ kind: 'view', schema: 'public', name: 'orders' }] },
      'failed',
      '1 not on the source: view public.orders',
    ],
    [{ level: 'database', include: ['app.*'] }, 'failed', 'no object of the source is selected'],
    [
      { level: 'database', exclude: ['public.lgo'] },
      'warning',
      '4 objects are selected; patterns that match nothing: public.lgo',
    ],
  ])('%j: %s', async (selection, outcome, evidence) => {
    await using source = await testDatabase({ schema: SCHEMA });
    await using target = await testDatabase();
    const report = await runOneCheck(
      selectedObjectsExist,
      { source: source.endpoint, target: target.endpoint },
      { selection },
    );
    expect(report).toMatchObject({ outcome, evidence });
  });
});

it('all checks look at what is selected only', async () => {
  await using source = await testDatabase({
    schema: `${SCHEMA}; CREATE SCHEMA other; CREATE TABLE other.unreadable (id int); ALTER TABLE log ENABLE ROW LEVEL SECURITY;
      CREATE EXTENSION hstore; CREATE FOREIGN DATA WRAPPER w`,
  });
  await using target = await testDatabase({ schema: 'CREATE TABLE log (mine int)' });
  const role = await source.createRole('REPLICATION');
  await source.query(`GRANT CREATE ON DATABASE ${source.name} TO ${role.user}; GRANT USAGE ON SCHEMA public TO ${role.user};
    ALTER TABLE orders OWNER TO ${role.user}; ALTER TABLE customers OWNER TO ${role.user}`);
  const selection: ObjectSelection = {
    level: 'table',
    objects: [...LISTED.objects, { kind: 'table', schema: 'public', name: 'customers' }],
  };
  const { checks } = await runPrechecks({ source: role, target: target.endpoint }, { selection });
  expect(checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'blocked')).toEqual([]);
  const whole = await runPrechecks({ source: role, target: target.endpoint }, {});
  expect(whole.checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)).toEqual([
    'source-privileges',
    'source-row-security',
    'source-replica-identity',
    'target-empty',
  ]);
});
