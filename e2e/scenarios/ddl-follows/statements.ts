/** One statement after the other, each a transaction, on tables that the writers leave alone. */
export const EVERY_CLASS = [
  'CREATE SCHEMA app',
  "CREATE TYPE app.mood AS ENUM ('ok', 'bad')",
  'CREATE DOMAIN app.positive AS int CHECK (VALUE > 0)',
  'CREATE SEQUENCE app.numbers START 100',
  'CREATE FUNCTION app.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT n * 2 $$',
  `CREATE TABLE app.things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood app.mood DEFAULT 'ok', n app.positive,
     double int GENERATED ALWAYS AS (id * 2) STORED)`,
  'INSERT INTO app.things (n) SELECT g FROM generate_series(1, 50) g',
  'ALTER TABLE app.things ADD COLUMN note text NOT NULL DEFAULT $q$it\'s "new"$q$, ADD COLUMN at timestamptz',
  "UPDATE app.things SET at = '2020-01-02 03:04:05.678901+00', note = note || id WHERE id % 2 = 0",
  'ALTER TABLE app.things RENAME COLUMN note TO remark',
  'ALTER TABLE app.things ALTER COLUMN n TYPE bigint',
  'INSERT INTO app.things (n, remark) VALUES (10000000000, $$big$$)',
  'ALTER TABLE app.things ADD CONSTRAINT n_is_small CHECK (n < 100000000000)',
  'CREATE INDEX CONCURRENTLY things_n ON app.things (n) WHERE mood IS NOT NULL',
  'CREATE UNIQUE INDEX things_double ON app.things (double)',
  'ALTER INDEX app.things_n RENAME TO things_by_n',
  "ALTER TYPE app.mood ADD VALUE 'fine'",
  "UPDATE app.things SET mood = 'fine' WHERE id < 5",
  'CREATE VIEW app.moods AS SELECT mood, count(*) FROM app.things GROUP BY mood',
  'CREATE MATERIALIZED VIEW app.sums AS SELECT mood, sum(n) FROM app.things GROUP BY mood',
  'CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$',
  'CREATE TRIGGER stamped BEFORE INSERT ON app.things FOR EACH ROW EXECUTE FUNCTION app.stamp()',
  'INSERT INTO app.things (n) VALUES (7)',
  'ALTER TABLE app.things ENABLE ROW LEVEL SECURITY',
  'CREATE POLICY everything ON app.things USING (true)',
  "COMMENT ON TABLE app.things IS 'things of all kinds'",
  'GRANT SELECT ON app.things TO PUBLIC',
  'ALTER TABLE app.things DROP COLUMN at',
  'DROP TRIGGER stamped ON app.things',
  'INSERT INTO app.things (n) VALUES (8)',
  'ALTER SEQUENCE app.numbers INCREMENT BY 5',
  'CREATE TABLE app.parts (id int, at date) PARTITION BY RANGE (at)',
  "CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
  'ALTER TABLE app.parts ADD PRIMARY KEY (id, at)',
  "INSERT INTO app.parts SELECT g, '2020-02-03' FROM generate_series(1, 20) g",
  'ALTER TABLE app.things RENAME TO objects',
  'ALTER TABLE app.objects SET SCHEMA public',
  'INSERT INTO public.objects (n) VALUES (9)',
  'ALTER SCHEMA app RENAME TO application',
  'DROP VIEW application.moods',
];

/** In one transaction, in functions, in DO blocks and in strings of several statements, between changes. */
export const NESTED = [
  `CREATE TABLE lookup (id int PRIMARY KEY, name text); INSERT INTO lookup SELECT g, 'n' || g FROM generate_series(1, 30) g;
   CREATE INDEX lookup_name ON lookup (name); UPDATE lookup SET name = upper(name) WHERE id < 10`,
  `DO $$ BEGIN FOR i IN 1..3 LOOP
     EXECUTE format('CREATE TABLE made_%s (id int PRIMARY KEY, v int)', i);
     EXECUTE format('INSERT INTO made_%s SELECT g, g FROM generate_series(1, 100) g', i);
     EXECUTE format('ALTER TABLE made_%s ADD COLUMN w int DEFAULT %s', i, i);
   END LOOP; END $$`,
  `CREATE FUNCTION migrate() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
     CREATE TABLE migrated (id int PRIMARY KEY); INSERT INTO migrated VALUES (1), (2);
     ALTER TABLE migrated ADD COLUMN v text DEFAULT 'x'; UPDATE migrated SET v = 'y' WHERE id = 2;
   END $$`,
  'SELECT migrate()',
  'BEGIN',
  "INSERT INTO lookup VALUES (100, 'before'); ALTER TABLE lookup ADD COLUMN extra int; UPDATE lookup SET extra = id",
  'SAVEPOINT a',
  'ALTER TABLE lookup ADD COLUMN gone int; UPDATE lookup SET gone = 1',
  'ROLLBACK TO a',
  'ALTER TABLE lookup DROP COLUMN name; INSERT INTO lookup VALUES (101, 5)',
  'COMMIT',
];

/** Tables whose rows the stream does not carry, with and without a key, changed at once by what follows. */
export const FILLED = [
  'CREATE TABLE copied AS SELECT id, extra FROM lookup',
  'UPDATE copied SET extra = extra + 1 WHERE id % 3 = 0',
  'DELETE FROM copied WHERE id = 4',
  `BEGIN; CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT DISTINCT extra FROM copied WHERE extra IS NOT NULL;
   ALTER TABLE copied ADD CONSTRAINT copied_parent FOREIGN KEY (extra) REFERENCES parent; COMMIT`,
  'SELECT * INTO selected FROM copied WHERE id < 20',
  'ALTER TABLE made_1 ADD COLUMN random double precision DEFAULT random()',
  'UPDATE made_1 SET v = v + 1 WHERE id < 50',
  'CREATE TABLE split (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)',
  'CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (100)',
  "INSERT INTO split SELECT g, 'v' FROM generate_series(1, 50) g",
  // Not a row of its partition is written, and yet each has a value that only the source knows.
  'ALTER TABLE split ADD COLUMN at timestamptz DEFAULT now()',
  "UPDATE split SET v = 'w' WHERE id < 10",
  'CREATE TABLE short_lived AS SELECT 1 AS a',
  'DROP TABLE short_lived',
  'CREATE TABLE renamed_soon AS SELECT g AS id FROM generate_series(1, 10) g',
  'ALTER TABLE renamed_soon RENAME TO renamed',
  'INSERT INTO renamed VALUES (11)',
];
