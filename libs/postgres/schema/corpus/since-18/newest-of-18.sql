-- What 18 brought: virtual columns, NOT NULL and CHECK constraints of every state, temporal keys, NOT ENFORCED.
CREATE SCHEMA eighteen;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
CREATE TABLE eighteen.virtual (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL, c int GENERATED ALWAYS AS (a + 2), d int GENERATED ALWAYS AS (a + 3) STORED, CHECK (b > 0));
CREATE TABLE eighteen.nulls (
  a int NOT NULL, b int CONSTRAINT "b is there" NOT NULL, c int CONSTRAINT lonely NOT NULL NO INHERIT, d int, e int, f int PRIMARY KEY,
  CONSTRAINT by_table NOT NULL e
);
ALTER TABLE eighteen.nulls RENAME COLUMN a TO renamed;
CREATE TABLE eighteen.heir (own int NOT NULL) INHERITS (eighteen.nulls);
CREATE TABLE eighteen.strict_heir (b int CONSTRAINT "own name" NOT NULL, c int NOT NULL) INHERITS (eighteen.nulls);
CREATE TABLE eighteen.joined (renamed int CONSTRAINT other NOT NULL, b int NOT NULL, c int, d int NOT NULL, e int NOT NULL, f int NOT NULL, extra int);
ALTER TABLE eighteen.joined INHERIT eighteen.nulls;
CREATE TABLE eighteen.loose (a int CONSTRAINT positive CHECK (a > 0) NOT ENFORCED, b int REFERENCES eighteen.nulls NOT ENFORCED, c int);
CREATE TABLE eighteen.loose_heir () INHERITS (eighteen.loose);
ALTER TABLE eighteen.nulls ADD CONSTRAINT unproven NOT NULL d NOT VALID;
ALTER TABLE eighteen.loose ADD CONSTRAINT unchecked CHECK (c > 0) NOT VALID;
CREATE TABLE eighteen.rooms (room int, during daterange, note text, CONSTRAINT rooms_pk PRIMARY KEY (room, during WITHOUT OVERLAPS), CONSTRAINT "once more" UNIQUE (note, during WITHOUT OVERLAPS));
CREATE TABLE eighteen.bookings (id int, room int, during daterange, CONSTRAINT in_time FOREIGN KEY (room, PERIOD during) REFERENCES eighteen.rooms (room, PERIOD during));
CREATE TABLE eighteen.parts (id int CONSTRAINT "id!" NOT NULL, at date NOT NULL, v int GENERATED ALWAYS AS (id * 2) VIRTUAL, r int, CONSTRAINT parts_pk PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE eighteen.parts_1 PARTITION OF eighteen.parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE eighteen.parts_2 (r int, at date CONSTRAINT at_of_2 NOT NULL, id int NOT NULL, v int GENERATED ALWAYS AS (id * 3) VIRTUAL);
ALTER TABLE eighteen.parts ATTACH PARTITION eighteen.parts_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
ALTER TABLE eighteen.parts ADD CONSTRAINT unproven_reference FOREIGN KEY (r) REFERENCES eighteen.nulls NOT VALID;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_owner GRANT SELECT, UPDATE ON LARGE OBJECTS TO sluice_reader;
CREATE INDEX virtual_a ON eighteen.virtual USING gin ((ARRAY[a])) WITH (fastupdate = on);
CREATE STATISTICS eighteen.of_virtual ON a, d FROM eighteen.virtual;
CREATE FUNCTION eighteen.old_new() RETURNS int LANGUAGE sql BEGIN ATOMIC UPDATE eighteen.loose SET c = 1 RETURNING old.c; END;
COMMENT ON CONSTRAINT "b is there" ON eighteen.nulls IS 'NOT NULL';
COMMENT ON CONSTRAINT unproven ON eighteen.nulls IS 'NOT NULL NOT VALID';
COMMENT ON CONSTRAINT positive ON eighteen.loose IS 'not enforced';
CREATE TABLE eighteen.keyed (id int PRIMARY KEY, v text NOT NULL);
CREATE TABLE eighteen.keyed_child (extra int, PRIMARY KEY (id)) INHERITS (eighteen.keyed);
CREATE TABLE eighteen.keyed_grandchild (more text, CONSTRAINT "v too" NOT NULL v, PRIMARY KEY (id)) INHERITS (eighteen.keyed_child);
