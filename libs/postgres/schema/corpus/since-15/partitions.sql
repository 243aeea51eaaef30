-- Partitions of partitions, other column orders, defaults of partitions, keys and indexes built piece by piece.
CREATE SCHEMA parts;
CREATE TABLE parts.events (
  id bigint NOT NULL,
  region text NOT NULL DEFAULT 'eu',
  at date NOT NULL,
  amount numeric DEFAULT 0,
  doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
  CONSTRAINT amount_known CHECK (amount IS NOT NULL)
) PARTITION BY LIST (region);
CREATE TABLE parts.events_eu PARTITION OF parts.events FOR VALUES IN ('eu', 'uk') PARTITION BY RANGE (at);
CREATE TABLE parts.events_eu_2024 PARTITION OF parts.events_eu FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts.events_eu_2025 (
  extra text,
  at date NOT NULL,
  amount numeric DEFAULT 7,
  id bigint NOT NULL,
  doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
  region text NOT NULL,
  CONSTRAINT amount_known CHECK (amount IS NOT NULL),
  CONSTRAINT own_check CHECK (id > 0)
);
ALTER TABLE parts.events_eu_2025 DROP COLUMN extra;
ALTER TABLE parts.events_eu ATTACH PARTITION parts.events_eu_2025 FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
CREATE TABLE parts.events_null PARTITION OF parts.events FOR VALUES IN (NULL);
CREATE TABLE parts.events_rest PARTITION OF parts.events (amount DEFAULT 3, CONSTRAINT rest_check CHECK (amount < 100)) DEFAULT;
ALTER TABLE parts.events ADD CONSTRAINT events_pk PRIMARY KEY (id, region, at);
CREATE INDEX events_amount ON parts.events (amount);
CREATE INDEX leaf_only ON parts.events_rest (at);
CREATE INDEX not_everywhere ON ONLY parts.events (at, id);
CREATE TABLE parts.hashed (k int, v text) PARTITION BY HASH (k);
CREATE TABLE parts.hashed_0 PARTITION OF parts.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.hashed_1 PARTITION OF parts.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 50);
CREATE UNIQUE INDEX hashed_key ON parts.hashed (k);
CREATE TABLE parts.by_expression (a text, b int) PARTITION BY RANGE (lower(a) COLLATE "C", b);
CREATE TABLE parts.by_expression_1 PARTITION OF parts.by_expression FOR VALUES FROM ('a', MINVALUE) TO ('m', 10);
CREATE TABLE parts.referenced (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parts.referenced_1 PARTITION OF parts.referenced FOR VALUES FROM (0) TO (10);
CREATE TABLE parts.referencing (id int, ref int REFERENCES parts.referenced, self int) PARTITION BY RANGE (id);
CREATE TABLE parts.referencing_1 PARTITION OF parts.referencing FOR VALUES FROM (0) TO (10);
CREATE TABLE parts.plain_reference (ref int REFERENCES parts.referenced ON DELETE CASCADE);
CREATE FUNCTION parts.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER row_noted AFTER INSERT ON parts.events FOR EACH ROW EXECUTE FUNCTION parts.note();
ALTER TABLE parts.events_rest DISABLE TRIGGER row_noted;
