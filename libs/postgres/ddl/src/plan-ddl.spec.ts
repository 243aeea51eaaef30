import { describe, expect, it } from '@jest/globals';
import { type CapturedDdl } from './ddl-event.js';
import { planDdl } from './plan-ddl.js';

type Command = CapturedDdl['commands'][number];

const altered = (identity: string | null, tag = 'ALTER TABLE'): Command => ({
  tag,
  type: 'table',
  schema: 'public',
  identity,
  classId: 1259,
  oid: 1,
  owner: 'postgres',
  relation: null,
  acl: null,
});

function captured(changes: Partial<CapturedDdl>): CapturedDdl {
  return {
    version: 1,
    kind: 'ddl',
    tag: 'ALTER TABLE',
    number: 1,
    query: null,
    context: '',
    settings: { search_path: '"$user", "Odd ""one", public' },
    user: 'joe',
    sessionUser: 'Login',
    pathSchemas: ['Odd "one', 'public'],
    at: '2026-01-01T00:00:00Z',
    serverVersion: 150_000,
    commands: [altered('public.t')],
    dropped: [],
    rewrittenOids: [],
    tables: [],
    functionSources: [],
    temporaryRelations: [],
    ...changes,
  };
}

function outcome(changes: Partial<CapturedDdl>): string {
  const plan = planDdl(captured(changes));
  return plan.kind === 'command' ? plan.command.statement : `${plan.kind}: ${plan.reason}`;
}

const TWO = 'ALTER TABLE t ADD a int; SELECT make(); ALTER TABLE t ADD b int';
const FRAME = '\nPL/pgSQL function f() line 3 at EXECUTE';

describe('the statement of an event', () => {
  it.each<[string, Partial<CapturedDdl>, string]>([
    ['the only one', { query: '/* é; */ ALTER TABLE t /* é */ ADD a int ; ' }, 'ALTER TABLE t /* é */ ADD a int'],
    ['by its number', { query: TWO, number: 2 }, 'ALTER TABLE t ADD b int'],
    ['by its number in a loop', { context: `SQL statement "${TWO}"${FRAME}`, number: 4 }, 'ALTER TABLE t ADD b int'],
    [
      'by its object alone',
      { query: `ROLLBACK; ${TWO}`, commands: [altered('public.u')] },
      'unattributable: no statement',
    ],
    [
      'by its object where numbers say nothing',
      { query: 'BEGIN; ALTER TABLE u ADD a int; ROLLBACK; ALTER TABLE t ADD a int', number: 1 },
      'ALTER TABLE t ADD a int',
    ],
    ['not by its number after a rollback', { query: `${TWO}; ROLLBACK` }, 'unattributable: several statements'],
    [
      'not by its number after settings were reset',
      { query: `RESET ALL; ${TWO}` },
      'unattributable: several statements',
    ],
    [
      'any of the same after a rollback',
      { query: 'ROLLBACK; ALTER TABLE t ADD a int; ALTER TABLE t ADD a int' },
      'ALTER TABLE t ADD a int',
    ],
    ['not one of another tag', { query: 'CREATE TABLE t (id int)' }, 'unattributable: no statement of the text'],
    [
      'not one of another object',
      { query: 'ALTER TABLE public.u ADD a int' },
      'unattributable: no statement of the text',
    ],
    ['not from a text that is unknown', {}, 'unattributable: the session had no text'],
    [
      'not from one that cannot be parsed',
      { query: 'ALTER TABLE t ADD a int WITH OIDS' },
      'unattributable: the text cannot be parsed',
    ],
    [
      'not from a translated context',
      { context: 'SQL-Anweisung »ALTER TABLE t ADD a int«' },
      'unattributable: it was called in a way',
    ],
    [
      'not in a statement that looks like the end of itself',
      { context: `SQL statement "ALTER TABLE t DROP "x""\nPL/pgSQL function y""${FRAME}` },
      'unattributable: what was called could be read in several ways',
    ],
    [
      'in a SQL function, of several of its name',
      { context: 'SQL function "f" statement 2', functionSources: ['SELECT 1', 'SELECT 1; ALTER TABLE t ADD a int'] },
      'ALTER TABLE t ADD a int',
    ],
    [
      'not in a SQL function when two could be meant',
      {
        context: 'SQL function "f" statement 1',
        functionSources: ['ALTER TABLE t ADD a int', 'ALTER TABLE t ADD b int'],
      },
      'unattributable: what was called could be read',
    ],
    [
      'not what the script of an extension drops',
      {
        query: 'ALTER EXTENSION e UPDATE',
        tag: 'DROP FUNCTION',
        commands: [],
        dropped: [
          {
            type: 'function',
            schema: 'public',
            name: 'f',
            identity: 'public.f()',
            names: [],
            oid: 1,
            isOriginal: true,
          },
        ],
      },
      'ignored: the extension does it',
    ],
    [
      'privileges by their number',
      {
        query: 'GRANT SELECT ON a TO b; GRANT INSERT ON a TO b',
        tag: 'GRANT',
        number: 2,
        commands: [altered(null, 'GRANT')],
      },
      'GRANT INSERT ON a TO b',
    ],
    [
      'not privileges on temporary tables',
      { query: 'GRANT SELECT ON a TO b', tag: 'GRANT', commands: [altered(null, 'GRANT')], temporaryRelations: ['a'] },
      'ignored: it is about a temporary table',
    ],
    [
      'not what depends on owners',
      { query: 'DROP OWNED BY joe', tag: 'DROP OWNED' },
      'unattributable: what a role owns',
    ],
  ])('%s', (_, changes, expected) => {
    expect(outcome(changes)).toContain(expected);
  });

  it.each([
    [
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON "concurrently" (a)',
      'CREATE INDEX  IF NOT EXISTS t_a ON "concurrently" (a)',
    ],
    [
      'CREATE UNIQUE INDEX ON ONLY "ON" (a) TABLESPACE fast WHERE a > 0',
      'CREATE UNIQUE INDEX "t_a" ON ONLY "ON" (a)  WHERE a > 0',
    ],
  ])('fits into a transaction of another server: %s', (query, expected) => {
    const commands = [{ ...altered('public.t_a', 'CREATE INDEX'), type: 'index' }];
    expect(outcome({ query, tag: 'CREATE INDEX', commands })).toBe(expected);
  });

  it.each([
    [
      'CREATE TABLE t (tablespace int, g int GENERATED ALWAYS AS (1) STORED, PRIMARY KEY (g) USING INDEX TABLESPACE a) TABLESPACE "B"',
      'CREATE TABLE t (tablespace int, g int GENERATED ALWAYS AS (1) STORED, PRIMARY KEY (g) )',
    ],
    ['CREATE TABLE t (LIKE tablespace INCLUDING ALL)', 'CREATE TABLE t (LIKE tablespace INCLUDING ALL)'],
  ])('is stored where the target stores it: %s', (query, expected) => {
    expect(outcome({ query, tag: 'CREATE TABLE', commands: [altered('public.t', 'CREATE TABLE')] })).toBe(expected);
  });

  it('is looked up where the session looked, in schemas that are there', () => {
    expect(planDdl(captured({ query: 'ALTER TABLE t ADD a int' }))).toMatchObject({
      command: { searchPath: ['Odd "one', 'public'], settings: { search_path: '"Odd ""one", "public"' } },
    });
    const made = captured({
      query: 'CREATE TABLE t (id int)',
      tag: 'CREATE TABLE',
      commands: [{ ...altered('app.t', 'CREATE TABLE'), schema: 'app' }],
    });
    expect(planDdl(made)).toMatchObject({ command: { searchPath: ['app', 'Odd "one', 'public'] } });
  });

  it.each([
    [
      'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO b',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "joe" GRANT SELECT ON TABLES TO b',
      ['b', 'joe'],
    ],
    [
      'GRANT SELECT ON /* é */ a TO session_user, "current_user", CURRENT_USER',
      'GRANT SELECT ON /* é */ a TO "Login", "current_user", "joe"',
      ['current_user', 'Login', 'joe'],
    ],
  ])('means the roles of its session: %s', (query, statement, roles) => {
    const tag = query.startsWith('GRANT') ? 'GRANT' : 'ALTER DEFAULT PRIVILEGES';
    const event = captured({ query, tag, commands: [altered(null, tag)] });
    expect(planDdl(event)).toMatchObject({ command: { statement, roles } });
    expect(planDdl({ ...event, query: null, context: `SQL statement "${query}"${FRAME}` })).toMatchObject({
      kind: 'unattributable',
    });
  });

  it('names the roles that it needs', () => {
    const grant = captured({
      query: 'GRANT SELECT ON a TO b, PUBLIC, "C d" WITH GRANT OPTION',
      tag: 'GRANT',
      commands: [altered(null, 'GRANT')],
    });
    expect(planDdl(grant)).toMatchObject({ command: { class: 'grant', roles: ['b', 'C d'] } });
  });

  it('is unknown when the trigger failed', () => {
    expect(
      planDdl({ version: 1, kind: 'unreadable', tag: 'CREATE VIEW', reason: 'x', sqlState: '54000' }),
    ).toMatchObject({
      kind: 'unattributable',
      class: 'view',
    });
  });

  it('may use names of the target', () => {
    expect(
      planDdl(captured({ query: 'ALTER TABLE public.t ADD a int' }), { mapping: { schemas: { public: 'there' } } }),
    ).toMatchObject({
      command: { statement: 'ALTER TABLE "there".t ADD a int', searchPath: ['Odd "one', 'there'] },
    });
  });
});
