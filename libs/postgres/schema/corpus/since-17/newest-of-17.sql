-- What 16 and 17 brought: ICU rules, the builtin provider, identity in partitions, named NOT NULL of domains, MAINTAIN.
CREATE SCHEMA seventeen;
CREATE COLLATION seventeen.ruled (provider = icu, locale = 'und', rules = '&V << w <<< W');
CREATE COLLATION seventeen.builtin (provider = builtin, locale = 'C.UTF-8');
CREATE DOMAIN seventeen.there AS text COLLATE seventeen.builtin CONSTRAINT "is there" NOT NULL CHECK (VALUE <> '');
CREATE DOMAIN seventeen.usual AS int NOT NULL;
COMMENT ON CONSTRAINT "is there" ON DOMAIN seventeen.there IS 'named';
CREATE TABLE seventeen.parts (id int GENERATED ALWAYS AS IDENTITY (START 5), at date, v int, w int GENERATED ALWAYS AS (v + 1) STORED) PARTITION BY RANGE (at);
CREATE TABLE seventeen.parts_1 PARTITION OF seventeen.parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE seventeen.parts_2 PARTITION OF seventeen.parts (w GENERATED ALWAYS AS (v + 2) STORED) FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY LIST (v);
CREATE TABLE seventeen.parts_2_1 PARTITION OF seventeen.parts_2 DEFAULT;
CREATE TABLE seventeen.roots (a int, r int4range, EXCLUDE USING btree (a WITH =)) PARTITION BY LIST (a);
CREATE TABLE seventeen.a_part PARTITION OF seventeen.roots FOR VALUES IN (1) PARTITION BY LIST (a);
CREATE TABLE seventeen.a_leaf PARTITION OF seventeen.a_part FOR VALUES IN (1);
ALTER INDEX seventeen.a_leaf_a_excl RENAME TO "named otherwise";
ALTER INDEX seventeen.a_part_a_excl RENAME TO "named by hand";
CREATE TABLE seventeen.kept (a int, b text STORAGE EXTERNAL);
GRANT MAINTAIN, SELECT ON seventeen.kept TO sluice_reader;
ALTER TABLE seventeen.kept ALTER b SET STATISTICS DEFAULT;
CREATE FUNCTION seventeen.on_login() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER seventeen_reindex ON ddl_command_end WHEN TAG IN ('REINDEX') EXECUTE FUNCTION seventeen.on_login();
CREATE EVENT TRIGGER seventeen_login ON login EXECUTE FUNCTION seventeen.on_login();
ALTER EVENT TRIGGER seventeen_login DISABLE;
CREATE VIEW seventeen.json AS SELECT JSON_OBJECT('a': 1 ABSENT ON NULL) AS o, JSON_VALUE('{}', '$.a' RETURNING int DEFAULT 1 ON EMPTY) AS v,
  t.* FROM JSON_TABLE('[]', '$[*]' COLUMNS (n FOR ORDINALITY, x int PATH '$.x')) t;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_owner GRANT MAINTAIN ON TABLES TO sluice_reader;
