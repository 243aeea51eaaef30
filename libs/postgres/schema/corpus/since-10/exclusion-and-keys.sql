-- Exclusion constraints of several methods, partial and deferrable; keys with options; names given and made up.
CREATE SCHEMA excl;
CREATE TABLE excl.circles (c circle, b box, EXCLUDE USING gist (c WITH &&), EXCLUDE USING gist (b WITH ~=) WITH (fillfactor = 60) WHERE (b IS NOT NULL));
CREATE TABLE excl.hashed (a int, b text COLLATE "C", EXCLUDE USING hash (a WITH =), CONSTRAINT "by text" EXCLUDE USING btree (lower(b) COLLATE "C" text_pattern_ops WITH =) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE excl.ranges (r int4range, during tsrange, EXCLUDE USING gist (r WITH &&, during WITH -|-) DEFERRABLE, CONSTRAINT r_key UNIQUE (r, during));
CREATE TABLE excl.keys (
  a int, b int, c text,
  PRIMARY KEY (b, a) WITH (fillfactor = 71),
  CONSTRAINT c_once UNIQUE (c) DEFERRABLE,
  UNIQUE (c, a) DEFERRABLE INITIALLY DEFERRED,
  UNIQUE (a)
);
CREATE UNIQUE INDEX keys_partial ON excl.keys (c) WHERE a > 5;
CREATE UNIQUE INDEX keys_desc ON excl.keys (a DESC NULLS LAST, c COLLATE "POSIX" text_pattern_ops);
CREATE UNIQUE INDEX becomes_key ON excl.keys (b, c);
ALTER TABLE excl.keys ADD CONSTRAINT taken_over UNIQUE USING INDEX becomes_key;
CREATE INDEX keys_expression ON excl.keys ((a + b), upper(c), (c IS NULL)) WITH (fillfactor = 50);
CREATE INDEX keys_brin ON excl.keys USING brin (a, b) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX keys_hash ON excl.keys USING hash (c);
CREATE INDEX keys_spgist ON excl.keys USING spgist (c);
CREATE INDEX circles_gist ON excl.circles USING gist (c) WITH (buffering = off);
CLUSTER excl.keys USING keys_pkey;
CREATE TABLE excl.identity_by_index (a int NOT NULL, b int);
CREATE UNIQUE INDEX identity_index ON excl.identity_by_index (a);
ALTER TABLE excl.identity_by_index REPLICA IDENTITY USING INDEX identity_index;
CREATE TABLE excl.identity_by_key (a int PRIMARY KEY, b int UNIQUE NOT NULL);
ALTER TABLE excl.identity_by_key REPLICA IDENTITY USING INDEX identity_by_key_b_key;
COMMENT ON CONSTRAINT "by text" ON excl.hashed IS 'exclusion';
COMMENT ON INDEX excl."by text" IS 'index of exclusion';
