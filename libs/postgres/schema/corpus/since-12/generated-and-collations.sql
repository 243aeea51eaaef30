-- Stored generated columns in every place, nondeterministic collations, tables of another access method, keys to partitions.
CREATE SCHEMA made;
CREATE COLLATION made.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION made.numeric (provider = icu, locale = 'en-u-kn-true');
CREATE COLLATION made."Copy" FROM "C";
CREATE COLLATION made.mixed (lc_collate = 'C', lc_ctype = 'POSIX');
CREATE DOMAIN made.name AS text COLLATE made.ignore_case CHECK (VALUE <> 'nobody');
CREATE TYPE made.pair AS (a text COLLATE made.numeric, b text);
CREATE TYPE made.names AS RANGE (SUBTYPE = text, COLLATION = made.numeric);
CREATE FUNCTION made.doubled(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE made.items (
  total numeric GENERATED ALWAYS AS (made.doubled(price) + tax) STORED NOT NULL,
  price numeric(10, 2) DEFAULT 1, tax numeric,
  label made.name, words text GENERATED ALWAYS AS ((label)::text || 'x') STORED,
  "Mixed" text COLLATE made."Copy" DEFAULT ('a' COLLATE "C"),
  CONSTRAINT positive CHECK (total > 0)
);
ALTER TABLE made.items ALTER words SET STORAGE EXTERNAL;
CREATE TABLE made.child (extra int GENERATED ALWAYS AS (length(label)) STORED) INHERITS (made.items);
CREATE INDEX items_total ON made.items (total) INCLUDE (words);
CREATE INDEX items_words ON made.items (words COLLATE made.numeric DESC, label);
CREATE TABLE made.parts (id int, at date, v int, w int GENERATED ALWAYS AS (v + 1) STORED, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE made.parts_1 PARTITION OF made.parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE made.parts_2 (w int GENERATED ALWAYS AS (v + 1) STORED, at date NOT NULL, v int, id int NOT NULL);
ALTER TABLE made.parts ATTACH PARTITION made.parts_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE made.refers (id int, at date, CONSTRAINT to_parts FOREIGN KEY (id, at) REFERENCES made.parts ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE made.refers_too (id int, at date, n int, FOREIGN KEY (id, at) REFERENCES made.parts) PARTITION BY LIST (n);
CREATE TABLE made.refers_too_1 PARTITION OF made.refers_too FOR VALUES IN (1);
CREATE ACCESS METHOD own_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE made.on_own_heap (a int PRIMARY KEY, b text) USING own_heap WITH (fillfactor = 90);
CREATE MATERIALIZED VIEW made.stored_on_own_heap USING own_heap AS SELECT total FROM made.items;
CREATE STATISTICS made."two kinds" (dependencies, ndistinct) ON total, tax FROM made.items;
CREATE STATISTICS made.frequent (mcv) ON price, tax FROM made.items;
ALTER TABLE made.on_own_heap ALTER b SET (n_distinct = -0.1);
ALTER TABLE made.items SET (vacuum_index_cleanup = off, vacuum_truncate = off, toast_tuple_target = 1000, log_autovacuum_min_duration = 5);
CREATE VIEW made.sorted AS SELECT label FROM made.items ORDER BY label COLLATE made.numeric USING >;
CREATE FUNCTION made.supported(int, int) RETURNS SETOF int LANGUAGE internal IMMUTABLE STRICT ROWS 9 SUPPORT generate_series_int4_support AS 'generate_series_int4';
COMMENT ON COLLATION made."Copy" IS 'collation';
