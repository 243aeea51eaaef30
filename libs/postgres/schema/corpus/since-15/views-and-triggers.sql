-- Views on views on functions, late views, rings of views, materialized views, rules, triggers, policies.
CREATE SCHEMA look;
CREATE TABLE look.people (id int PRIMARY KEY, name text NOT NULL, boss int, salary numeric);
CREATE TABLE look.log (at timestamptz DEFAULT now(), what text);
CREATE VIEW look.names AS SELECT id, name FROM look.people;
CREATE FUNCTION look.name_of(look.names) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.name';
CREATE VIEW look.loud WITH (security_barrier = true, security_invoker = true) AS SELECT n.id, upper(look.name_of(n.*)) AS "LOUD Name" FROM look.names n;
CREATE VIEW look.checked AS SELECT * FROM look.people WHERE salary > 10 WITH LOCAL CHECK OPTION;
CREATE VIEW look.cascaded AS SELECT * FROM look.checked WHERE id > 0 WITH CASCADED CHECK OPTION;
ALTER VIEW look.checked ALTER COLUMN name SET DEFAULT 'nobody';
-- Groups by a primary key, so it can only exist after the key.
CREATE VIEW look.grouped AS SELECT p.id, p.name, count(*) AS n FROM look.people p GROUP BY p.id;
CREATE VIEW look.on_grouped AS SELECT name FROM look.grouped;
CREATE MATERIALIZED VIEW look.late_totals AS SELECT id, n FROM look.grouped;
CREATE UNIQUE INDEX late_totals_id ON look.late_totals (id);
CREATE RECURSIVE VIEW look.chain (id, depth) AS
  SELECT id, 0 FROM look.people WHERE boss IS NULL UNION ALL SELECT p.id, c.depth + 1 FROM look.people p JOIN chain c ON p.boss = c.id;
-- A function on the row type of a view that the view itself calls.
CREATE VIEW look.looping AS SELECT 1 AS a, 'x'::text COLLATE "C" AS b;
CREATE FUNCTION look.of_looping(look.looping) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE VIEW look.looping AS SELECT 1 AS a, 'x'::text COLLATE "C" AS b, look.of_looping(NULL) AS c;
CREATE MATERIALIZED VIEW look.totals WITH (fillfactor = 60) AS SELECT boss, sum(salary) AS total FROM look.people GROUP BY boss;
CREATE MATERIALIZED VIEW look.a_total_of_totals AS SELECT sum(total) AS total FROM look.totals;
CREATE MATERIALIZED VIEW look.unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE UNIQUE INDEX totals_boss ON look.totals (boss) WITH (fillfactor = 80);
ALTER MATERIALIZED VIEW look.totals CLUSTER ON totals_boss;
ALTER MATERIALIZED VIEW look.totals ALTER COLUMN total SET STATISTICS 50;
CREATE RULE logged AS ON INSERT TO look.names DO INSTEAD INSERT INTO look.people (id, name) VALUES (NEW.id, NEW.name);
CREATE RULE noted AS ON UPDATE TO look.people DO ALSO NOTIFY changed;
CREATE RULE always_noted AS ON DELETE TO look.people WHERE old.id > 100 DO ALSO INSERT INTO look.log (what) VALUES ('deleted ' || old.name);
ALTER TABLE look.people ENABLE ALWAYS RULE always_noted;
ALTER TABLE look.people DISABLE RULE noted;
CREATE FUNCTION look.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN COALESCE(NEW, OLD); END $$;
CREATE TRIGGER each_row BEFORE INSERT OR UPDATE OF name, salary ON look.people FOR EACH ROW WHEN (NEW.salary > 5) EXECUTE FUNCTION look.fire('an''arg', '2');
CREATE TRIGGER each_statement AFTER DELETE ON look.people REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION look.fire();
CREATE CONSTRAINT TRIGGER in_the_end AFTER INSERT ON look.people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION look.fire();
CREATE TRIGGER through INSTEAD OF INSERT ON look.loud FOR EACH ROW EXECUTE FUNCTION look.fire();
CREATE TRIGGER always_on AFTER TRUNCATE ON look.people FOR EACH STATEMENT EXECUTE FUNCTION look.fire();
ALTER TABLE look.people ENABLE ALWAYS TRIGGER always_on;
ALTER TABLE look.people ENABLE REPLICA TRIGGER each_statement;
ALTER TABLE look.people DISABLE TRIGGER each_row;
CREATE FUNCTION look.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION look.on_ddl();
ALTER EVENT TRIGGER watch_ddl ENABLE ALWAYS;
ALTER TABLE look.people ENABLE ROW LEVEL SECURITY;
ALTER TABLE look.people FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON look.people FOR SELECT USING (name = CURRENT_USER);
CREATE POLICY no_raise ON look.people AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (true) WITH CHECK (salary < (SELECT max(salary) FROM look.people));
