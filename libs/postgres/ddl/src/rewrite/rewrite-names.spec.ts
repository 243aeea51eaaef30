import { describe, expect, it } from '@jest/globals';
import { type NameMapping } from '../ddl-plan.js';
import { NotRewritable, rewriteNames } from './rewrite-names.js';

const MAPPING: NameMapping = {
  schemas: { app: 'App "2"', Old: 'new' },
  tables: [{ from: { schema: 'app', name: 'orders' }, to: { schema: 'shop', name: 'Orders' } }],
  columns: [{ table: { schema: 'app', name: 'people' }, from: 'name', to: 'Full name' }],
};

describe('names of the target', () => {
  it.each([
    ['CREATE TABLE app.t (id int /* app.t */)', 'CREATE TABLE "App ""2""".t (id int /* app.t */)'],
    [
      'CREATE TABLE "Old"."ä" (id int, s "Old".mood DEFAULT $$app.t$$)',
      'CREATE TABLE "new"."ä" (id int, s "new".mood DEFAULT $$app.t$$)',
    ],
    [
      'create table ä(a int); alter table APP.T add x app.y',
      'create table ä(a int);\nalter table "App ""2""".T add x "App ""2""".y',
    ],
    ['ALTER TABLE app.orders ADD CHECK (orders.n > 0)', 'ALTER TABLE "shop"."Orders" ADD CHECK ("Orders".n > 0)'],
    ['ALTER TABLE orders RENAME TO o2', 'ALTER TABLE "shop"."Orders" RENAME TO o2'],
    [
      'CREATE VIEW app.v AS SELECT orders.id, o.n FROM app.orders, other.orders o',
      'CREATE VIEW "App ""2""".v AS SELECT "Orders".id, o.n FROM "shop"."Orders", other.orders o',
    ],
    ['DROP TABLE IF EXISTS app.orders, "Old".b CASCADE', 'DROP TABLE IF EXISTS "shop"."Orders", "new".b CASCADE'],
    ['DROP FUNCTION app.f(app.mood, int)', 'DROP FUNCTION "App ""2""".f("App ""2""".mood, int)'],
    ['DROP SCHEMA app, "Old"', 'DROP SCHEMA "App ""2""", "new"'],
    ['CREATE SCHEMA app', 'CREATE SCHEMA "App ""2"""'],
    ['ALTER SCHEMA app RENAME TO b', 'ALTER SCHEMA "App ""2""" RENAME TO b'],
    ['ALTER TABLE x.y SET SCHEMA app', 'ALTER TABLE x.y SET SCHEMA "App ""2"""'],
    ["COMMENT ON COLUMN app.orders.id IS 'app.orders'", `COMMENT ON COLUMN "shop"."Orders".id IS 'app.orders'`],
    ['GRANT USAGE ON SCHEMA app TO app', 'GRANT USAGE ON SCHEMA "App ""2""" TO app'],
    ['GRANT SELECT ON ALL TABLES IN SCHEMA app TO bob', 'GRANT SELECT ON ALL TABLES IN SCHEMA "App ""2""" TO bob'],
    [
      'ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO bob',
      'ALTER DEFAULT PRIVILEGES IN SCHEMA "App ""2""" GRANT SELECT ON TABLES TO bob',
    ],
    [
      'CREATE TRIGGER tr BEFORE INSERT ON app.orders EXECUTE PROCEDURE app.fire()',
      'CREATE TRIGGER tr BEFORE INSERT ON "shop"."Orders" EXECUTE PROCEDURE "App ""2""".fire()',
    ],
    ['DROP TRIGGER tr ON app.orders', 'DROP TRIGGER tr ON "shop"."Orders"'],
    ['CREATE TYPE app.mood AS ENUM ($$app.x$$)', 'CREATE TYPE "App ""2""".mood AS ENUM ($$app.x$$)'],
    [
      'ALTER TABLE app.t ADD REFERENCES_ int REFERENCES app.orders (id)',
      'ALTER TABLE "App ""2""".t ADD REFERENCES_ int REFERENCES "shop"."Orders" (id)',
    ],
    [
      'CREATE TABLE app.people (name text PRIMARY KEY, "Name" name, CONSTRAINT name CHECK (name <> $$name$$))',
      'CREATE TABLE "App ""2""".people ("Full name" text PRIMARY KEY, "Name" name, CONSTRAINT name CHECK ("Full name" <> $$name$$))',
    ],
    ['ALTER TABLE people ALTER COLUMN name SET NOT NULL', 'ALTER TABLE people ALTER COLUMN "Full name" SET NOT NULL'],
    [
      'CREATE INDEX name ON app.people (name, lower(name))',
      'CREATE INDEX name ON "App ""2""".people ("Full name", lower("Full name"))',
    ],
    [
      'ALTER TABLE app.people RENAME COLUMN name TO called',
      'ALTER TABLE "App ""2""".people RENAME COLUMN "Full name" TO called',
    ],
    ["COMMENT ON COLUMN app.people.name IS 'x'", `COMMENT ON COLUMN "App ""2""".people."Full name" IS 'x'`],
    ['CREATE TABLE other.t (name text)', 'CREATE TABLE other.t (name text)'],
  ])('%s', (statement, expected) => {
    expect(rewriteNames(statement, MAPPING, ['app', 'public'])).toBe(expected);
  });

  it('refuses a query on a table whose columns have other names', () => {
    expect(() => rewriteNames('CREATE VIEW v AS SELECT name FROM app.people', MAPPING, [])).toThrow(NotRewritable);
  });

  it.each(["CREATE TABLE t (id int DEFAULT nextval('app.s'))", "CREATE VIEW v AS SELECT 'app.x'::regclass"])(
    'refuses a name in a string: %s',
    (statement) => {
      expect(() => rewriteNames(statement, MAPPING, [])).toThrow(NotRewritable);
    },
  );

  it('leaves a text alone when all names stay', () => {
    expect(rewriteNames('  not even SQL ', {}, [])).toBe('  not even SQL ');
  });
});
