import { beforeEach, describe, expect, it } from '@jest/globals';
import { type PostgresMajor } from '@sluice/embedded';
import { ZERO_LSN } from '@sluice/model';
import { readLargeObjectFacts, readLargeObjectRuns } from '@sluice/postgres-catalog';
import { inTransaction } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import {
  connectSource,
  connectTarget,
  copyChunk,
  forgetSnapshot,
  holdPlainSnapshot,
  isOneMoment,
  LARGE_OBJECTS,
  openLedger,
  planLargeObjectChunks,
  readCopyProgress,
  readOpenChunks,
  recordSnapshot,
  settleTables,
  startTables,
  withdrawChunks,
} from '../index.js';
import { removeLargeObjects } from '../ledger/large-object-ledger.js';

let taskId = '';
beforeEach(() => {
  taskId = randomUUID();
});

type Copy = (
  chunkId: string,
  options?: Partial<Parameters<typeof copyChunk>[1]>,
) => Promise<Awaited<ReturnType<typeof copyChunk>>>;

interface Prepared extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  /** Begins under a new snapshot. @returns the chunks that are open. */
  start(generation: number): Promise<string[]>;
  settle(): Promise<number>;
  copy: Copy;
}

async function prepare(options: {
  content: string;
  major?: PostgresMajor;
  targetMajor?: PostgresMajor;
  perChunk?: number;
}): Promise<Prepared> {
  const { content, major = 15, targetMajor = 15, perChunk = 200 } = options;
  const stack = new AsyncDisposableStack();
  const source = stack.use(await testDatabase({ major, schema: content }));
  const target = stack.use(await testDatabase({ major: targetMajor }));
  const [reader, writer] = [await source.connect(), await target.connect()];
  await openLedger(writer, taskId);
  return {
    source,
    target,
    async start(generation) {
      const held = stack.use(await holdPlainSnapshot(source.endpoint, await source.connect()));
      await recordSnapshot(writer, taskId, { ...held, generation });
      const chunks = planLargeObjectChunks(
        await readLargeObjectRuns(reader, perChunk),
        await readLargeObjectFacts(reader),
      );
      await startTables(writer, { taskId, generation, startLsn: ZERO_LSN }, [{ ...LARGE_OBJECTS, chunks }]);
      return readOpenChunks(writer, taskId);
    },
    settle: () => settleTables(writer, taskId),
    async copy(chunkId, more = {}) {
      await using from = await connectSource(source.endpoint, { applicationName: 'copy' });
      await using to = await connectTarget(target.endpoint, { applicationName: 'copy' });
      return await copyChunk({ source: from, target: to }, { chunkId, ...more });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** OIDs with what their objects hold and who may do what with them. */
function contents(database: TestDatabase): Promise<unknown[]> {
  return database.query(
    `SELECT m.oid, md5(lo_get(m.oid)) AS md5, length(lo_get(m.oid)) AS bytes, obj_description(m.oid, 'pg_largeobject') AS comment
     FROM pg_largeobject_metadata m ORDER BY m.oid`,
  );
}

function attributes(database: TestDatabase): Promise<unknown[]> {
  return database.query(
    `SELECT oid, pg_get_userbyid(lomowner) AS owner, lomacl::text AS acl FROM pg_largeobject_metadata ORDER BY oid`,
  );
}

async function pagesOf(database: TestDatabase, oid: number): Promise<number> {
  const [row] = await database.query<{ pages: number }>(
    'SELECT count(*)::int AS pages FROM pg_largeobject WHERE loid = $1',
    [oid],
  );
  return row?.pages ?? 0;
}

const MANY = `SELECT lo_from_bytea((50000 + i)::oid, convert_to(repeat(md5(i::text), i % 40), 'UTF8')) FROM generate_series(1, 1000) AS i`;

/** Lengths on both sides of the sizes in which they are moved; 5 MB of which little is written; an end that is a hole. */
const SHAPES = `
  SELECT lo_create(40000);
  SELECT lo_from_bytea(40001, '\\x00');
  SELECT lo_from_bytea(40002, '\\x00ff5c27');
  SELECT lo_from_bytea((40010 + i)::oid, decode(repeat('a7', 16384 + i - 1), 'hex')) FROM generate_series(0, 2) AS i;
  SELECT lo_from_bytea((40020 + i)::oid, decode(repeat('01', 16384 + 1048576 + i - 1), 'hex')) FROM generate_series(0, 2) AS i;
  SELECT lo_create(40030); SELECT lo_put(40030, 100, 'begin'); SELECT lo_put(40030, 5000000, 'end');
  SELECT lo_create(40031); SELECT lo_put(40031, 16384 + 3 * 1048576 - 1, '\\x00');
  SELECT lo_create(40032); SELECT lo_put(40032, 2000000, '\\x00');
  SELECT lo_from_bytea(4294967295, 'the last');
  COMMENT ON LARGE OBJECT 40001 IS 'it''s a \\ é😀'`;

describe('large objects', () => {
  it.each([
    [10, 18],
    [12, 18],
    [15, 15],
  ] as const)('arrive with OID, content and comment, also 1,000 of them (%i to %i)', async (major, targetMajor) => {
    await using load = await prepare({ content: `${SHAPES}; ${MANY}`, major, targetMajor });
    const chunkIds = await load.start(1);
    expect(chunkIds).toHaveLength(6);
    await load.source.query(`SELECT lo_put(40001, 0, 'late'), lo_create(60000), lo_unlink(50001)`);
    for (const chunkId of chunkIds) {
      expect(await load.copy(chunkId)).toMatchObject({ kind: 'copied', rows: 0 });
      expect(await load.copy(chunkId)).toEqual({ kind: 'nothing-to-do' });
    }
    expect(await load.settle()).toBe(0);
    await load.source.query(`SELECT lo_unlink(40001), lo_unlink(60000)`);
    await load.source.query(`SELECT lo_from_bytea(40001, '\\x00'), lo_from_bytea(50001, convert_to(md5('1'), 'UTF8'));
      COMMENT ON LARGE OBJECT 40001 IS 'it''s a \\ é😀'`);
    expect(await contents(load.target)).toEqual(await contents(load.source));
    // A hole takes no room, but in the first 16 KiB and in a piece where something is written: of pages of 2 KiB.
    expect(await pagesOf(load.target, 40031)).toBe(8 + 1);
    expect(await pagesOf(load.target, 40030)).toBeLessThan(8 + 512);
    const writer = await load.target.connect();
    expect(await readCopyProgress(writer, taskId, 0)).toMatchObject({ tablesTotal: 0, chunksDone: 6, rows: 0 });
    expect(await isOneMoment(writer, taskId)).toBe(true);
  });

  it('keep owner and privileges of roles that the target has', async () => {
    await using load = await prepare({ content: 'SELECT lo_create(41000 + i) FROM generate_series(0, 5) AS i' });
    const [owner, reader] = [await load.source.createRole(), await load.source.createRole()];
    await load.source.query(`
      ALTER LARGE OBJECT 41001 OWNER TO "${owner.user}";
      GRANT SELECT ON LARGE OBJECT 41002 TO "${reader.user}" WITH GRANT OPTION;
      GRANT ALL ON LARGE OBJECT 41003 TO PUBLIC;
      ALTER LARGE OBJECT 41004 OWNER TO "${owner.user}"; GRANT UPDATE ON LARGE OBJECT 41004 TO "${reader.user}";
      REVOKE ALL ON LARGE OBJECT 41004 FROM "${owner.user}";
      GRANT SELECT ON LARGE OBJECT 41005 TO "${reader.user}" WITH GRANT OPTION;
      SET ROLE "${reader.user}"; GRANT SELECT ON LARGE OBJECT 41005 TO "${owner.user}"; RESET ROLE`);
    for (const chunkId of await load.start(1)) await load.copy(chunkId);
    expect(await attributes(load.target)).toEqual(await attributes(load.source));
    for (const database of [load.source, load.target])
      await database.query(`DROP OWNED BY ${owner.user}, ${reader.user}`);
  });

  it('come through accounts that are no superuser, which need not inherit from the owner', async () => {
    await using load = await prepare({ content: `SELECT lo_from_bytea(41000, 'mine'), lo_create(41001)` });
    const { source, target } = load;
    const [account, owner, reader] = [await source.createRole(), await source.createRole(), await source.createRole()];
    await source.query(`
      GRANT SELECT ON LARGE OBJECT 41000, 41001 TO ${account.user}; GRANT ${owner.user} TO ${account.user};
      ALTER ROLE ${account.user} NOINHERIT;
      ALTER LARGE OBJECT 41000 OWNER TO ${owner.user}; GRANT ALL ON LARGE OBJECT 41000 TO ${reader.user};
      COMMENT ON LARGE OBJECT 41000 IS 'with a comment'`);
    const [chunkId = ''] = await load.start(1);
    await target.query(`GRANT USAGE ON SCHEMA sluice TO ${account.user};
      GRANT ALL ON ALL TABLES IN SCHEMA sluice TO ${account.user}`);
    await using from = await connectSource(account, { applicationName: 'copy' });
    const { endpoint } = target;
    await using to = await connectTarget(
      { ...endpoint, user: account.user, password: account.password },
      { applicationName: 'copy' },
    );
    await copyChunk({ source: from, target: to }, { chunkId });
    expect(await contents(target)).toEqual(await contents(source));
    const [mine, other] = await attributes(target);
    expect(mine).toEqual((await attributes(source))[0]);
    // The account cannot give it to who owns it on the source, and grants what it has itself.
    expect(other).toMatchObject({ oid: 41001, owner: account.user });
    await to.query('SELECT lo_unlink(41001)');
    expect(await inTransaction(to, 'BEGIN', () => removeLargeObjects(to, taskId, 100))).toBe(2);
    expect(await contents(target)).toEqual([]);
    for (const database of [source, target])
      await database.query(`DROP OWNED BY ${account.user}, ${owner.user}, ${reader.user}`);
  });

  it('have no privilege that the target gives to new ones by default', async () => {
    await using load = await prepare({ content: 'SELECT lo_create(41000)', major: 18, targetMajor: 18 });
    const stranger = await load.source.createRole();
    await load.target.query(`ALTER DEFAULT PRIVILEGES GRANT ALL ON LARGE OBJECTS TO ${stranger.user}, PUBLIC`);
    for (const chunkId of await load.start(1)) await load.copy(chunkId);
    expect(await attributes(load.target)).toEqual([{ oid: 41000, owner: 'postgres', acl: '{postgres=rw/postgres}' }]);
    await load.target.query(`DROP OWNED BY ${stranger.user}`);
  });

  it('come without owner and privileges where none are wanted', async () => {
    await using load = await prepare({ content: 'SELECT lo_create(41000); GRANT ALL ON LARGE OBJECT 41000 TO PUBLIC' });
    const roles = { existing: false, privilegesOfCreated: true };
    for (const chunkId of await load.start(1)) await load.copy(chunkId, { roles });
    expect(await attributes(load.target)).toEqual([{ oid: 41000, owner: 'postgres', acl: null }]);
  });

  it('are created whole or not at all when the worker dies, and go on chunk by chunk', async () => {
    await using load = await prepare({ content: `${MANY}; ${SHAPES}`, perChunk: 100 });
    const chunkIds = await load.start(1);
    const [first = '', second = ''] = chunkIds;
    await load.copy(first);
    const done = (await contents(load.target)).length;
    await expect(
      load.copy(second, { passing: () => Promise.reject(new Error('it dies before the commit')) }),
    ).rejects.toThrow('it dies');
    expect(await contents(load.target)).toHaveLength(done);
    for (const chunkId of chunkIds) await load.copy(chunkId);
    expect(await contents(load.target)).toEqual(await contents(load.source));
  });

  it('start over under a new snapshot, and leave those alone that the task did not create', async () => {
    await using load = await prepare({ content: MANY, perChunk: 200 });
    await load.target.query(`SELECT lo_from_bytea(39999, 'somebody else''s')`);
    const writer = await load.target.connect();
    const [first = '', second = ''] = await load.start(1);
    await load.copy(first);
    await load.copy(second);
    await forgetSnapshot(writer, taskId);
    await withdrawChunks(writer, taskId);
    await load.source.query(`SELECT lo_unlink(50001), lo_put(50002, 0, 'new'), lo_create(60000)`);
    const again = await load.start(2);
    expect(await contents(load.target)).toHaveLength(1);
    for (const chunkId of [first, ...again]) await load.copy(chunkId);
    expect(await load.settle()).toBe(0);
    await load.target.query('SELECT lo_unlink(39999)');
    expect(await contents(load.target)).toEqual(await contents(load.source));
    // What is done stays, whatever snapshots others need.
    await load.source.query('SELECT lo_create(60001)');
    expect(await load.start(3)).toEqual([]);
    expect(await load.settle()).toBe(0);
    expect(await load.target.query('SELECT FROM pg_largeobject_metadata WHERE oid = 60001')).toEqual([]);
  });

  it('are done when a new snapshot sees none any more', async () => {
    await using load = await prepare({ content: 'SELECT lo_create(41000)' });
    await load.start(1);
    await load.source.query('SELECT lo_unlink(41000)');
    for (const chunkId of await load.start(2)) await load.copy(chunkId);
    expect(await load.settle()).toBe(0);
    expect(await contents(load.target)).toEqual([]);
  });

  it('fail rather than change one that came to the target meanwhile, or skip one that may not be read', async () => {
    await using load = await prepare({ content: `SELECT lo_from_bytea(41000, 'ours')` });
    const [chunkId = ''] = await load.start(1);
    await load.target.query(`SELECT lo_from_bytea(41000, 'theirs')`);
    await expect(load.copy(chunkId)).rejects.toMatchObject({ code: 'SLUICE-3004' });
    expect(await load.target.query('SELECT lo_get(41000)::text AS bytes')).toEqual([
      { bytes: `\\x${Buffer.from('theirs').toString('hex')}` },
    ]);
    await load.target.query('SELECT lo_unlink(41000)');
    const stranger = await load.source.createRole();
    await using from = await connectSource(stranger, { applicationName: 'copy' });
    await using to = await connectTarget(load.target.endpoint, { applicationName: 'copy' });
    await expect(copyChunk({ source: from, target: to }, { chunkId })).rejects.toMatchObject({
      code: 'SLUICE-3004',
      detail: expect.stringContaining('permission denied for large object 41000'),
    });
  });
});
