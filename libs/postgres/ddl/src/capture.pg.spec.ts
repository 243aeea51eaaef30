import { describe, expect, it } from '@jest/globals';
import { type PostgresMajor, POSTGRES_MAJORS } from '@sluice/embedded';
import { connect } from '@sluice/postgres-client';
import { dedicatedServer, testDatabase, type TestDatabase } from '@sluice/testing';
import { inspect } from 'node:util';
import {
  ddlCaptureScript,
  ddlCaptureState,
  installDdlCapture,
  planDdl,
  readEventSigning,
  removeDdlCapture,
} from './index.js';
import { captureDdl, HELPER, takeEvents, takePlans } from './spec-source.js';

const OPTIONS = { helperName: HELPER, publicationName: HELPER };
const MAJORS: readonly PostgresMajor[] = [11, 13, 15, 18];

async function walBytesOf(source: TestDatabase, work: () => Promise<unknown>): Promise<number> {
  const [before] = await source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  await work();
  const [after] = await source.query<{ bytes: string }>('SELECT pg_current_wal_insert_lsn() - $1::pg_lsn AS bytes', [
    before?.lsn,
  ]);
  return Number(after?.bytes);
}

describe('DDL capture', () => {
  it.each(POSTGRES_MAJORS)('captures a statement on a server of major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await captureDdl(source);
    await source.query('CREATE TABLE orders (id serial PRIMARY KEY, item text DEFAULT $$ä$$)');
    await source.query('DROP TABLE orders');
    expect(await takePlans(source, client)).toMatchObject([
      { kind: 'command', command: { tag: 'CREATE TABLE', createdTables: [{ name: 'orders' }] } },
      { kind: 'command', command: { tag: 'DROP TABLE', droppedTables: [{ name: 'orders' }] } },
    ]);
  });

  it.each(MAJORS)('is installed and removed any number of times, unseen by itself: major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await captureDdl(source);
    await installDdlCapture(client, OPTIONS);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isComplete: true, isCurrent: true, missing: [] });
    await client.query(`ALTER EVENT TRIGGER "00_${HELPER}_drop" DISABLE`);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isComplete: false });
    await installDdlCapture(client, OPTIONS);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isComplete: true });
    await client.query(`SET sluice.ddl_capture = off; CREATE OR REPLACE FUNCTION ${HELPER}.capture() RETURNS event_trigger LANGUAGE plpgsql
      AS 'BEGIN END'; RESET sluice.ddl_capture`);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isComplete: true, isCurrent: false });
    await installDdlCapture(client, OPTIONS);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isCurrent: true });
    await client.query(`CREATE PUBLICATION other_task`);
    const another = { helperName: 'sluice_other', publicationName: 'other_task' };
    await installDdlCapture(client, another);
    await removeDdlCapture(client, another.helperName);
    expect(await takeEvents(source, client)).toEqual([]);
    await removeDdlCapture(client, HELPER);
    await removeDdlCapture(client, HELPER);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isInstalled: false, mayInstall: true });
    await source.query('CREATE TABLE after_all (id int)');
    expect(await takeEvents(source, client)).toEqual([]);
  });

  it.each([13, 18] as const)('says what a superuser has to run, when the account may not: major %d', async (major) => {
    await using source = await testDatabase({ major });
    const role = await source.createRole();
    await source.query(`CREATE PUBLICATION ${HELPER}; GRANT CREATE ON DATABASE ${source.name} TO ${role.user}`);
    await using account = await connect(role, { applicationName: 'spec' });
    expect(await ddlCaptureState(account, OPTIONS)).toMatchObject({ isInstalled: false, mayInstall: false });
    const refused = await installDdlCapture(account, OPTIONS).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'SLUICE-4008', remedy: expect.stringContaining('CREATE EVENT TRIGGER') });
    expect(await ddlCaptureState(account, OPTIONS)).toMatchObject({ isInstalled: false });
    const { remedy } = refused as { remedy: string };
    await source.query(remedy.slice(remedy.indexOf('BEGIN;')));
    await installDdlCapture(account, OPTIONS);
    expect(await ddlCaptureState(account, OPTIONS)).toMatchObject({ isComplete: true });
    await expect(removeDdlCapture(account, HELPER)).rejects.toMatchObject({
      code: 'SLUICE-4008',
      remedy: expect.stringContaining(`DROP EVENT TRIGGER IF EXISTS "00_${HELPER}_end"`),
    });
  });

  it.each([14, 18] as const)(
    'keeps its secret from everybody but its owner and the account of the task: major %d',
    async (major) => {
      await using source = await testDatabase({ major });
      const [curious, account] = [await source.createRole(), await source.createRole()];
      await source.query(`CREATE PUBLICATION ${HELPER};
      ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC, ${curious.user}; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC`);
      await source.query(ddlCaptureScript(OPTIONS, { versionNum: major * 10_000, account: account.user }));
      await using reader = await connect(account, { applicationName: 'spec' });
      const { signing } = await readEventSigning(reader, HELPER);
      const secret = signing?.secret.reveal() ?? '';
      expect(secret).toMatch(/^[0-9a-f]{64}$/);
      expect(new Set(secret.match(/.{16}/g)).size).toBe(4);
      expect(inspect(signing)).not.toContain(secret);
      await using other = await connect(curious, { applicationName: 'spec' });
      await expect(readEventSigning(other, HELPER)).rejects.toMatchObject({ code: 'SLUICE-4008' });
      const { rows } = await other.query(
        `SELECT last_value FROM pg_sequences WHERE schemaname = '${HELPER}' AND last_value IS NOT NULL`,
      );
      expect(rows).toEqual([]);
      expect(await ddlCaptureState(other, OPTIONS)).toMatchObject({
        isComplete: false,
        missing: [expect.stringContaining('SELECT')],
      });
      // Another time, by somebody else who may: it is the same secret.
      await source.query(ddlCaptureScript(OPTIONS, { versionNum: major * 10_000, account: account.user }));
      expect((await readEventSigning(reader, HELPER)).signing?.secret.reveal()).toBe(secret);
    },
  );

  it('is not installed into what somebody else has put there', async () => {
    await using source = await testDatabase();
    const role = await source.createRole();
    await source.query(`CREATE PUBLICATION ${HELPER}; CREATE SCHEMA ${HELPER} AUTHORIZATION ${role.user}`);
    await expect(installDdlCapture(await source.connect(), OPTIONS)).rejects.toMatchObject({
      code: 'SLUICE-4008',
      detail: expect.stringContaining('belongs to somebody else'),
    });
  });

  it('signs also in a transaction whose snapshot is older than its installation', async () => {
    await using source = await testDatabase();
    const early = await source.connect();
    await early.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await early.query('SELECT count(*) FROM pg_class');
    const client = await captureDdl(source);
    await early.query('CREATE TABLE t (id int)');
    await early.query('COMMIT');
    expect(await takePlans(source, client)).toMatchObject([{ kind: 'command' }]);
  });

  it.each(MAJORS)('captures DDL of roles without rights and of hostile search paths: major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await captureDdl(source);
    const role = await source.createRole();
    await source.query(`
      CREATE SCHEMA evil AUTHORIZATION ${role.user};
      CREATE FUNCTION evil.stop(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'called by %', current_user; END $$;
      CREATE FUNCTION evil.stop(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'called by %', current_user; END $$;
      CREATE FUNCTION evil.md5(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'called by %', current_user; END $$;
      CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, PROCEDURE = evil.stop);
      CREATE OPERATOR evil.~ (LEFTARG = text, RIGHTARG = text, PROCEDURE = evil.stop);
      CREATE DOMAIN evil.text AS int; CREATE DOMAIN evil.jsonb AS int; CREATE TABLE evil.pg_class (oid int)`);
    await takeEvents(source, client);
    await using session = await connect(role, { applicationName: 'spec' });
    await session.query(`SET search_path = evil, pg_catalog`);
    await session.query('BEGIN');
    await session.query('CREATE TABLE mine (id int)');
    expect((await session.query('SHOW search_path')).rows).toEqual([{ search_path: 'evil, pg_catalog' }]);
    await session.query('COMMIT');
    expect((await session.query('SHOW search_path')).rows).toEqual([{ search_path: 'evil, pg_catalog' }]);
    expect(await takePlans(source, client)).toMatchObject([
      {
        kind: 'command',
        command: { identity: 'evil.mine', searchPath: ['evil', 'pg_catalog'], ownerStatements: [{ role: role.user }] },
      },
    ]);
  });

  it.each(MAJORS)('never makes DDL fail, and shows that it could not be read: major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await captureDdl(source);
    await source.query(`SET ${HELPER}.ddl = 'broken'`);
    await source.query('CREATE TABLE t (id int)');
    await source.query(`RESET ${HELPER}.ddl`);
    await source.query('CREATE TABLE u (id int)');
    const events = await takeEvents(source, client);
    expect(events).toMatchObject([{ kind: 'unreadable', tag: 'CREATE TABLE', sqlState: '22P02' }, { kind: 'ddl' }]);
    expect(events.map((event) => planDdl(event))).toMatchObject([{ kind: 'unattributable' }, { kind: 'command' }]);
  });

  it('never makes DDL fail, even when its table is gone', async () => {
    await using source = await testDatabase({ major: 13 });
    const client = await captureDdl(source);
    await source.query(`SET sluice.ddl_capture = off; DROP TABLE ${HELPER}.ddl_event; RESET sluice.ddl_capture`);
    await source.query('CREATE TABLE t (id int); DROP TABLE t');
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({
      isComplete: false,
      missing: [`table ${HELPER}.ddl_event in publication ${HELPER}`],
    });
  });

  it('leaves out what an operator switched off, and goes on counting', async () => {
    await using source = await testDatabase();
    const client = await captureDdl(source);
    await source.query(`CREATE TABLE t (id int);
      SET sluice.ddl_capture = off; ALTER TABLE t ADD a int; RESET sluice.ddl_capture; ALTER TABLE t ADD b int`);
    const plans = await takePlans(source, client);
    expect(plans.map((plan) => plan.kind === 'command' && plan.command.statement)).toEqual([
      'CREATE TABLE t (id int)',
      'ALTER TABLE t ADD b int',
    ]);
  });

  it.each(MAJORS)('captures also those who switch it off and may not: major %d', async (major) => {
    await using source = await testDatabase({ major });
    const [plain, account, member] = [await source.createRole(), await source.createRole(), await source.createRole()];
    const client = await captureDdl(source);
    await source.query(`GRANT ${account.user} TO ${member.user};
      CREATE SCHEMA open; GRANT ALL ON SCHEMA open TO PUBLIC;
      ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ${plain.user}; GRANT CREATE ON DATABASE ${source.name} TO ${plain.user}`);
    await source.query(ddlCaptureScript(OPTIONS, { versionNum: major * 10_000, account: account.user }));
    await source.query(`CREATE FUNCTION open.run(text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET sluice.ddl_capture = off
      AS $$ BEGIN EXECUTE $1; END $$`);
    await takeEvents(source, client);
    const create = async (user: typeof plain, name: string, before = ''): Promise<void> => {
      await using session = await connect(user, { applicationName: 'spec' });
      await session.query(`SET sluice.ddl_capture = off; ${before}; CREATE TABLE open.${name} (id int)`);
    };
    await create(plain, 'by_plain');
    await create(account, 'by_account');
    await create(member, 'by_member');
    await create(source.endpoint, 'by_superuser', `SET ROLE ${plain.user}`);
    await using session = await connect(plain, { applicationName: 'spec' });
    await session.query(`SELECT open.run('CREATE TABLE open.by_function (id int)')`);
    // Of another task, whoever its account is.
    await session.query(`CREATE SCHEMA sluice_${'0f'.repeat(16)}; CREATE SEQUENCE sluice_${'0f'.repeat(16)}.secret_1`);
    await session.query(`DROP SCHEMA sluice_${'0f'.repeat(16)} CASCADE`);
    expect(await takeEvents(source, client)).toMatchObject([
      { commands: [{ identity: 'open.by_plain' }] },
      { commands: [{ identity: 'open.by_function' }] },
    ]);
  });

  it('captures what runs as a replica, too', async () => {
    await using source = await testDatabase();
    const client = await captureDdl(source);
    await source.query('SET session_replication_role = replica; CREATE TABLE t (id int)');
    expect(await takePlans(source, client)).toMatchObject([{ kind: 'command' }]);
  });

  it('puts what another event trigger does after the statement that fired it', async () => {
    await using source = await testDatabase();
    const client = await captureDdl(source);
    await source.query(`CREATE FUNCTION widen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE t ADD audited bool; END $$;
      CREATE EVENT TRIGGER a_widen ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE PROCEDURE widen()`);
    await takeEvents(source, client);
    await source.query('CREATE TABLE t (id int)');
    const plans = await takePlans(source, client);
    expect(plans.map((plan) => plan.kind === 'command' && plan.command.statement)).toEqual([
      'CREATE TABLE t (id int)',
      'ALTER TABLE t ADD audited bool',
    ]);
  });

  it('sends a long text once, however many statements it has', async () => {
    await using source = await testDatabase();
    const client = await captureDdl(source);
    const count = 100;
    const comment = `COMMENT ON TABLE t IS '${'é'.repeat(10_000)}';`;
    const statements = Array.from({ length: count }, (_, index) => `ALTER TABLE t ADD c${index} int; ${comment}`).join(
      '\n',
    );
    const bytes = await walBytesOf(source, () => source.query(`CREATE TABLE t (id int); ${statements}`));
    expect(Buffer.byteLength(statements)).toBeGreaterThan(2_000_000);
    expect(bytes).toBeLessThan(4 * Buffer.byteLength(statements));
    const plans = await takePlans(source, client);
    expect(plans.filter(({ kind }) => kind === 'command')).toHaveLength(1 + 2 * count);
  });

  it.each([13, 18] as const)('sends UTF-8 whatever the database is encoded in: major %d', async (major) => {
    await using server = await dedicatedServer({ major });
    for (const encoding of ['LATIN1', 'SQL_ASCII']) {
      const name = `of_${encoding.toLowerCase()}`;
      {
        await using admin = await connect(server.endpoint('postgres'), { applicationName: 'spec' });
        await admin.query(
          `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`,
        );
      }
      await using source = await connect(server.endpoint(name), { applicationName: 'spec' });
      const database = { name, server, connect: () => connect(server.endpoint(name), { applicationName: 'spec' }) };
      await using client = await captureDdl(database);
      await source.query('CREATE TABLE "käse" (id int)');
      expect(await takePlans(database, client)).toMatchObject([
        { kind: 'command', command: { statement: 'CREATE TABLE "käse" (id int)', createdTables: [{ name: 'käse' }] } },
      ]);
      if (encoding !== 'SQL_ASCII') continue;
      await source.query(`DO $$ BEGIN EXECUTE 'CREATE TABLE ' || chr(228) || '(id int)'; END $$`);
      expect(await takeEvents(database, client)).toMatchObject([{ kind: 'unreadable' }]);
    }
  });

  it.each([15, 18] as const)('takes a partition out in one transaction: major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await captureDdl(source);
    await source.query(
      'CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1)',
    );
    await takeEvents(source, client);
    await source.query('ALTER TABLE p DETACH PARTITION p_1 CONCURRENTLY');
    expect(await takePlans(source, client)).toMatchObject([
      { kind: 'command', command: { statement: 'ALTER TABLE p DETACH PARTITION p_1' } },
    ]);
  });
});
