-- Rules of every event, instead and also, conditional, with several commands, returning, and in every state.
CREATE SCHEMA rules;
CREATE TABLE rules.base (id int PRIMARY KEY, name text, version int DEFAULT 0);
CREATE TABLE rules.history (id int, name text, what text, at timestamptz DEFAULT now());
CREATE VIEW rules.seen AS SELECT id, name FROM rules.base;
CREATE RULE added AS ON INSERT TO rules.seen DO INSTEAD INSERT INTO rules.base (id, name) VALUES (NEW.id, NEW.name) RETURNING id, name;
CREATE RULE changed AS ON UPDATE TO rules.seen DO INSTEAD (
  UPDATE rules.base SET name = NEW.name, version = version + 1 WHERE id = OLD.id;
  INSERT INTO rules.history (id, name, what) SELECT OLD.id, OLD.name, 'it''s changed');
CREATE RULE "no ""delete""" AS ON DELETE TO rules.seen DO INSTEAD NOTHING;
CREATE RULE on_condition AS ON UPDATE TO rules.base WHERE OLD.version > 10 DO ALSO INSERT INTO rules.history (what) VALUES ('Many changes');
CREATE RULE not_at_all AS ON DELETE TO rules.base WHERE OLD.id = 0 DO INSTEAD NOTHING;
CREATE RULE disabled AS ON INSERT TO rules.base DO ALSO INSERT INTO rules.history VALUES (NEW.id);
CREATE RULE for_replica AS ON INSERT TO rules.history WHERE NEW.id < 0 DO INSTEAD NOTHING;
CREATE RULE always AS ON DELETE TO rules.history DO ALSO NOTIFY gone;
ALTER TABLE rules.base DISABLE RULE disabled;
ALTER TABLE rules.history ENABLE REPLICA RULE for_replica;
ALTER TABLE rules.history ENABLE ALWAYS RULE always;
COMMENT ON RULE changed ON rules.seen IS 'rule';
