-- Settings of tables, TOAST tables, columns and indexes; storage; statistics targets; unlogged tables; dropped columns.
CREATE SCHEMA stored;
CREATE TABLE stored.t (
  a int, gone1 text, b text, c bytea, d jsonb, e numeric, gone2 int, f varchar(10), g point
) WITH (fillfactor = 55, autovacuum_enabled = false, autovacuum_vacuum_scale_factor = 0.013, parallel_workers = 3,
  toast.autovacuum_vacuum_threshold = 123, toast.autovacuum_enabled = true);
ALTER TABLE stored.t DROP COLUMN gone1, DROP COLUMN gone2;
ALTER TABLE stored.t ADD COLUMN late int DEFAULT 5, ADD COLUMN gone3 int, DROP COLUMN f;
ALTER TABLE stored.t DROP COLUMN gone3;
ALTER TABLE stored.t ALTER b SET STORAGE EXTERNAL, ALTER c SET STORAGE MAIN, ALTER d SET STORAGE PLAIN, ALTER e SET STORAGE EXTENDED;
ALTER TABLE stored.t ALTER a SET STATISTICS 0, ALTER b SET STATISTICS 1000, ALTER c SET STATISTICS -1;
ALTER TABLE stored.t ALTER a SET (n_distinct = 5, n_distinct_inherited = -0.2), ALTER d SET (n_distinct = -1);
ALTER TABLE stored.t SET (user_catalog_table = true);
CREATE INDEX t_expression ON stored.t ((a + late), lower(b)) WITH (fillfactor = 30);
CREATE INDEX t_gin ON stored.t USING gin (d) WITH (fastupdate = off, gin_pending_list_limit = 128);
CREATE UNLOGGED TABLE stored.fast (id serial PRIMARY KEY, v text);
CREATE INDEX fast_v ON stored.fast (v);
CREATE TABLE stored.was_logged (id int);
ALTER TABLE stored.was_logged SET UNLOGGED;
CREATE TABLE stored.nothing ();
CREATE TABLE stored.nothing_left (a int);
ALTER TABLE stored.nothing_left DROP COLUMN a;
CREATE TABLE stored.full_identity (a int);
ALTER TABLE stored.full_identity REPLICA IDENTITY FULL;
CREATE TABLE stored.no_identity (a int PRIMARY KEY);
ALTER TABLE stored.no_identity REPLICA IDENTITY NOTHING;
CREATE TABLE stored.checks (a int, b int, CONSTRAINT "both" CHECK (a < b AND (a > 0 OR b IS NULL)), CHECK (a IN (1, 2, 3)), CHECK (b BETWEEN 1 AND 5), CHECK ((a, b) <> (1, 1)));
CREATE STATISTICS stored.all_kinds ON a, b, late FROM stored.t;
CREATE STATISTICS stored.one_kind (ndistinct) ON a, e FROM stored.t;
CREATE VIEW stored.v AS SELECT * FROM stored.t;
COMMENT ON COLUMN stored.t.late IS 'behind dropped columns';
