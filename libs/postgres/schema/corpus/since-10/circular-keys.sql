-- Foreign keys in rings of two, three and one, across schemas, to unique indexes, with all actions and match types.
CREATE SCHEMA ring;
CREATE SCHEMA "Ring 2";
CREATE TABLE ring.companies (id int PRIMARY KEY, boss int NOT NULL, name text UNIQUE);
CREATE TABLE "Ring 2".people (id int PRIMARY KEY, company int NOT NULL REFERENCES ring.companies DEFERRABLE INITIALLY DEFERRED, mentor int REFERENCES "Ring 2".people ON DELETE SET NULL);
ALTER TABLE ring.companies ADD CONSTRAINT boss_is_somebody FOREIGN KEY (boss) REFERENCES "Ring 2".people ON UPDATE CASCADE ON DELETE NO ACTION DEFERRABLE;
CREATE TABLE ring.a (id int PRIMARY KEY, c int);
CREATE TABLE ring.b (id int PRIMARY KEY, a int REFERENCES ring.a ON DELETE CASCADE);
CREATE TABLE ring.c (id int PRIMARY KEY, b int DEFAULT 1 REFERENCES ring.b ON DELETE SET DEFAULT ON UPDATE RESTRICT);
ALTER TABLE ring.a ADD FOREIGN KEY (c) REFERENCES ring.c ON UPDATE SET NULL;
CREATE TABLE ring.pairs (x int, y int, z int, CONSTRAINT pairs_pk PRIMARY KEY (x, y), UNIQUE (y, x));
CREATE TABLE ring.uses_pairs (x int, y int, CONSTRAINT full_match FOREIGN KEY (y, x) REFERENCES ring.pairs (y, x) MATCH FULL, CONSTRAINT simple_match FOREIGN KEY (x, y) REFERENCES ring.pairs);
CREATE UNIQUE INDEX pairs_z ON ring.pairs (z);
CREATE TABLE ring.by_index (z int REFERENCES ring.pairs (z), later int);
ALTER TABLE ring.by_index ADD CONSTRAINT unproven FOREIGN KEY (later) REFERENCES ring.a NOT VALID;
ALTER TABLE ring.by_index ADD CONSTRAINT twice FOREIGN KEY (z) REFERENCES ring.a, ADD CONSTRAINT thrice FOREIGN KEY (z) REFERENCES ring.a;
COMMENT ON CONSTRAINT twice ON ring.by_index IS 'the same once more';
