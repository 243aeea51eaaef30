import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { helperObjectName } from '@sluice/contracts';
import { expectSameRows, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { helperObjects } from '../../src/helper-objects.js';
import { structureOf } from '../../src/structure.js';
import { EVERY_CLASS, FILLED, NESTED } from './statements.js';

const SCHEMA = 'CREATE SCHEMA line; CREATE TABLE line.marks (mark uuid PRIMARY KEY)';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ sourceMajor: 13, targetMajor: 13 });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

it('DDL of a source that has no messages for logical clients comes through a table, and nothing of it stays', async () => {
  const source = await cluster.sourceDatabase(SCHEMA);
  const target = await cluster.targetDatabase();
  const taskId = await cluster.createAndStart({ source, target }, { incremental: { ddl: { enabled: true } } });
  await cluster.untilState(taskId, 'incremental');
  const session = await source.connect();
  for (const statement of [...EVERY_CLASS, ...NESTED, ...FILLED]) await session.query(statement);
  await untilCaughtUp(source, target);
  await waitFor(
    'all tables to have joined',
    async () => (await target.query('SELECT FROM sluice.adoption')).length === 0,
  );
  await untilCaughtUp(source, target);
  await expectSameRows(source, target, { excludeSchemas: ['sluice', helperObjectName(taskId)] });
  expect(await structureOf(target)).toEqual(await structureOf(source));
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
  expect(await helperObjects(taskId, { source, target })).toEqual([]);
  expect(await source.query('SELECT FROM pg_event_trigger')).toEqual([]);
}, 180_000);
