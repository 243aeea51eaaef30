import { describe, expect, it } from '@jest/globals';
import { type Client } from '@sluice/postgres-client';
import {
  decodeMessage,
  decodeRelation,
  MESSAGE_KIND,
  readTuple,
  rowChange,
  TupleView,
  type Relation,
} from '@sluice/postgres-replication';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import {
  type DdlEvent,
  ddlEventOfMessage,
  ddlEventOfRow,
  decodeDdlEvent,
  installDdlCapture,
  isDdlEventTable,
  planDdl,
} from './index.js';

const HELPER = 'sluice_spec';

async function takeEvents(client: Client, major: number): Promise<DdlEvent[]> {
  const messages = major >= 14 ? `, 'messages', 'true'` : '';
  const { rows } = await client.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_get_binary_changes('${client.database}', NULL, NULL, 'proto_version', '1', 'publication_names', '${HELPER}'${messages})`,
  );
  const relations = new Map<number, Relation>();
  const events: DdlEvent[] = [];
  let texts = new Map<string, string>();
  for (const { data } of rows) {
    let json: string | null = null;
    if (data[0] === MESSAGE_KIND.begin) texts = new Map();
    if (data[0] === MESSAGE_KIND.message) json = ddlEventOfMessage(decodeMessage(data, 0), HELPER);
    if (data[0] === MESSAGE_KIND.relation) {
      const relation = decodeRelation(data, 0);
      relations.set(relation.oid, relation);
    }
    if (data[0] === MESSAGE_KIND.insert) {
      const change = rowChange(data, 0);
      const relation = relations.get(change.relationOid);
      if (relation && isDdlEventTable(relation, HELPER))
        json = ddlEventOfRow(relation, data, readTuple(data, change.newTupleOffset, new TupleView()));
    }
    if (json !== null) events.push(decodeDdlEvent(json, texts));
  }
  return events;
}

async function capture(source: TestDatabase): Promise<Client> {
  const client = await source.connect();
  await client.query(`CREATE PUBLICATION ${HELPER}`);
  await installDdlCapture(client, { helperName: HELPER, publicationName: HELPER });
  await client.query(`SELECT pg_create_logical_replication_slot('${source.name}', 'pgoutput')`);
  return client;
}

describe('DDL capture', () => {
  it.each([11, 13, 15, 18] as const)('captures a statement on a server of major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await capture(source);
    await source.query('CREATE TABLE orders (id serial PRIMARY KEY, item text DEFAULT $$ä$$)');
    const events = await takeEvents(client, major);
    expect(events.map((event) => planDdl(event))).toMatchObject([
      { kind: 'command', command: { tag: 'CREATE TABLE', createdTables: [{ name: 'orders' }] } },
    ]);
  });
});
