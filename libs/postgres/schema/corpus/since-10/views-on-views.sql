-- Materialized views on views on functions on views; options, defaults and checks of views; views that wait for keys.
CREATE SCHEMA chain;
CREATE TABLE chain.sales (id int PRIMARY KEY, region text, amount numeric, at date, tags text[]);
CREATE TABLE chain.regions (code text PRIMARY KEY, title text NOT NULL);
CREATE VIEW chain.by_region AS SELECT region, sum(amount) AS total, count(*) AS n FROM chain.sales GROUP BY region;
CREATE FUNCTION chain.total_of(code text) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT total FROM chain.by_region WHERE region = code';
CREATE FUNCTION chain.regions_over(numeric) RETURNS SETOF chain.by_region LANGUAGE sql STABLE AS 'SELECT * FROM chain.by_region WHERE total > $1';
CREATE VIEW chain.titled AS SELECT r.code, r.title, chain.total_of(r.code) AS total FROM chain.regions r;
CREATE MATERIALIZED VIEW chain.stored AS SELECT t.*, o.n FROM chain.titled t JOIN chain.regions_over(10) o ON o.region = t.code;
CREATE MATERIALIZED VIEW chain.a_summary WITH (fillfactor = 44, autovacuum_enabled = off) AS SELECT count(*) AS n, max(title) COLLATE "C" AS last FROM chain.stored;
CREATE VIEW chain.over_stored AS SELECT s.n, (SELECT last FROM chain.a_summary) FROM chain.stored s;
CREATE MATERIALIZED VIEW chain.top AS SELECT * FROM chain.over_stored WITH NO DATA;
CREATE UNIQUE INDEX stored_code ON chain.stored (code);
CREATE INDEX stored_title ON chain.stored (lower(title)) WHERE total > 0;
ALTER MATERIALIZED VIEW chain.stored CLUSTER ON stored_code;
ALTER MATERIALIZED VIEW chain.stored ALTER title SET STORAGE EXTERNAL, ALTER title SET STATISTICS 11, ALTER code SET (n_distinct = 4);
ALTER MATERIALIZED VIEW chain.stored SET (toast.autovacuum_enabled = off, autovacuum_vacuum_threshold = 9);
CREATE VIEW chain.grouped_by_key AS SELECT s.id, s.region, s.at, s.tags, count(*) FROM chain.sales s GROUP BY s.id;
CREATE VIEW chain.on_late AS SELECT region FROM chain.grouped_by_key;
CREATE FUNCTION chain.takes_late(chain.grouped_by_key) RETURNS text LANGUAGE sql AS 'SELECT $1.region';
CREATE MATERIALIZED VIEW chain.stored_late AS SELECT g.id, chain.takes_late(g.*) FROM chain.grouped_by_key g;
CREATE INDEX stored_late_id ON chain.stored_late (id);
CREATE VIEW chain.writable WITH (security_barrier) AS SELECT id, region, amount FROM chain.sales WHERE amount > 0 WITH CASCADED CHECK OPTION;
CREATE VIEW chain.narrower WITH (security_barrier = off, check_option = local) AS SELECT * FROM chain.writable WHERE region <> 'x';
ALTER VIEW chain.writable ALTER region SET DEFAULT 'eu', ALTER amount SET DEFAULT 1;
ALTER TABLE chain.narrower RENAME COLUMN region TO "Region";
CREATE VIEW chain.shapes (a, "B b", c) AS
  WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5)
  SELECT n, rank() OVER (PARTITION BY n % 2 ORDER BY n DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), ROW(n, 'x')::text
  FROM t LEFT JOIN LATERAL unnest(ARRAY[1, 2]) WITH ORDINALITY u(x, y) ON u.x = t.n
  ORDER BY 1;
CREATE VIEW chain.sampled AS SELECT id FROM chain.sales TABLESAMPLE system (10) REPEATABLE (3) UNION ALL (SELECT 1 EXCEPT SELECT 2) FETCH FIRST 3 ROWS ONLY;
CREATE VIEW chain.no_columns AS SELECT FROM chain.sales;
CREATE TEMPORARY VIEW not_transferred AS SELECT 1;
COMMENT ON VIEW chain.writable IS 'through here';
COMMENT ON COLUMN chain.stored.title IS 'column of a materialized view';
COMMENT ON MATERIALIZED VIEW chain.stored_late IS 'late';
