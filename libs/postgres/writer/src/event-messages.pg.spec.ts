import { describe, expect, it } from '@jest/globals';
import { present } from '@sluice/kernel';
import { connect } from '@sluice/postgres-client';
import { installDdlCapture, removeDdlCapture } from '@sluice/postgres-ddl';
import { DdlPair } from '@sluice/testing';
import { type SourceTransaction } from './source-transaction.js';

const SHOP = 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE child (id int PRIMARY KEY)';
const MAJORS = { source: 15, target: 15 } as const;

/** The content of the message in a transaction: what somebody who reads WAL would have. */
function messageIn(pair: DdlPair, { runs }: SourceTransaction): Buffer {
  const bytes = Buffer.concat(runs.map(({ buffer, start, end }) => buffer.subarray(start, end)));
  const prefix = bytes.indexOf(`${pair.helperName}\0`);
  const lengthAt = prefix + pair.helperName.length + 1;
  return bytes.subarray(lengthAt + 4, lengthAt + 4 + bytes.readUInt32BE(lengthAt));
}

/** What the capture of an earlier version was: its events have no signature, and it has no secret. */
async function makeOld({ source, helperName }: DdlPair): Promise<void> {
  const [row] = await source.query<{ definition: string }>(
    `SELECT pg_get_functiondef('${helperName}.capture'::regproc) AS definition`,
  );
  const signed = /\(SELECT sha256\([\s\S]*? k4\) \|\| body/g;
  expect(row?.definition.match(signed)).toHaveLength(2);
  await source.query(row?.definition.replaceAll(signed, 'body') ?? '');
  for (const name of ['secret_1', 'secret_2', 'secret_3', 'secret_4', 'signed_since'])
    await source.query(`DROP SEQUENCE ${helperName}.${name}`);
}

async function columnsOfT({ target }: DdlPair): Promise<string[]> {
  const rows = await target.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  );
  return rows.map(({ name }) => name);
}

describe('a message that looks like a DDL', () => {
  it('of a user of the source is left out and counted, and what follows it is applied', async () => {
    await using pair = await DdlPair.create(SHOP, MAJORS);
    const session = await pair.open();
    const [genuine] = await pair.record('ALTER TABLE t ADD COLUMN n int');
    const json = messageIn(pair, present(genuine, 'a transaction'))
      .subarray(32)
      .toString()
      .replaceAll('COLUMN n', 'COLUMN forged');
    await using user = await connect(await pair.source.createRole(), { applicationName: 'spec' });
    for (const content of [Buffer.from(json), Buffer.alloc(3), Buffer.concat([Buffer.alloc(32, 7), Buffer.from(json)])])
      await user.query('SELECT pg_logical_emit_message(true, $1, $2::bytea)', [pair.helperName, content]);
    const forged = await pair.record("INSERT INTO t VALUES (1, 'one', 1)", 'ALTER TABLE t ADD COLUMN m int');
    await session.applyTransactions([present(genuine, 'a transaction'), ...forged]);
    expect(await columnsOfT(pair)).toEqual(['id', 'v', 'n', 'm']);
    expect(pair.forgedCount).toBe(3);
    await pair.expectSame();
    await session.close();
  });

  it('is left out when it is that of another transaction once more', async () => {
    await using pair = await DdlPair.create(SHOP, MAJORS);
    const session = await pair.open();
    const [genuine] = await pair.record('ALTER TABLE t ADD COLUMN n int');
    await session.applyTransactions([present(genuine, 'a transaction')]);
    await pair.source.query('ALTER TABLE t DROP COLUMN n');
    const again = await pair.record(
      `SELECT pg_logical_emit_message(true, '${pair.helperName}', '\\x${messageIn(pair, present(genuine, 'a transaction')).toString('hex')}'::bytea)`,
    );
    await session.applyTransactions(again);
    expect(await columnsOfT(pair)).toEqual(['id', 'v']);
    expect(pair.forgedCount).toBe(1);
    await session.close();
  });

  it('is a DDL when it was signed by a capture that was installed anew meanwhile', async () => {
    await using pair = await DdlPair.create(SHOP, MAJORS);
    const session = await pair.open();
    const before = await pair.record('ALTER TABLE t ADD COLUMN a int', 'ALTER TABLE t ADD COLUMN b int');
    await session.applyTransactions(before.slice(0, 1));
    await removeDdlCapture(pair.recorder, pair.helperName);
    await installDdlCapture(pair.recorder, { helperName: pair.helperName, publicationName: 'recorded' });
    const after = await pair.record('ALTER TABLE t ADD COLUMN c int');
    await session.applyTransactions([...before.slice(1), ...after]);
    expect(await columnsOfT(pair)).toEqual(['id', 'v', 'a', 'b', 'c']);
    expect(pair.forgedCount).toBe(0);
    await session.close();
  });

  it('needs no signature below the place where an earlier version was replaced, and one from there on', async () => {
    await using pair = await DdlPair.create(SHOP, MAJORS);
    await makeOld(pair);
    const old = await pair.record('ALTER TABLE t ADD COLUMN a int');
    const unsigned = messageIn(pair, present(old[0], 'a transaction'));
    expect(unsigned[0]).toBe('{'.charCodeAt(0));
    await installDdlCapture(pair.recorder, { helperName: pair.helperName, publicationName: 'recorded' });
    const session = await pair.open();
    const forged = unsigned.toString().replaceAll('COLUMN a', 'COLUMN forged');
    await pair.source.query('SELECT pg_logical_emit_message(true, $1, convert_to($2, $3))', [
      pair.helperName,
      forged,
      'UTF8',
    ]);
    await session.applyTransactions([...old, ...(await pair.record('ALTER TABLE t ADD COLUMN b int'))]);
    expect(await columnsOfT(pair)).toEqual(['id', 'v', 'a', 'b']);
    expect(pair.forgedCount).toBe(1);
    await session.close();
  });

  it('is left out where nothing is captured', async () => {
    await using pair = await DdlPair.create(SHOP, MAJORS);
    const [genuine] = await pair.record('ALTER TABLE t ADD COLUMN n int');
    await removeDdlCapture(pair.recorder, pair.helperName);
    const role = await pair.source.createRole();
    // With a secret that is known, but of nobody whom event triggers belong to.
    await pair.source.query(`CREATE SCHEMA ${pair.helperName} AUTHORIZATION ${role.user}`);
    await using user = await connect(role, { applicationName: 'spec' });
    for (const name of ['secret_1', 'secret_2', 'secret_3', 'secret_4', 'signed_since'])
      await user.query(`CREATE SEQUENCE ${pair.helperName}.${name} START 9000000000000000000`);
    const session = await pair.open();
    await session.applyTransactions([present(genuine, 'a transaction')]);
    expect(await columnsOfT(pair)).toEqual(['id', 'v']);
    expect(pair.forgedCount).toBe(1);
    await session.close();
  });
});
