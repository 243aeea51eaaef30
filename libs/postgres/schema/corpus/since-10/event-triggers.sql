-- Event triggers of every event, with and without tags, in every state.
CREATE SCHEMA watch;
CREATE FUNCTION watch."on ddl"() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch_start ON ddl_command_start EXECUTE PROCEDURE watch."on ddl"();
CREATE EVENT TRIGGER watch_end ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE VIEW') EXECUTE PROCEDURE watch."on ddl"();
CREATE EVENT TRIGGER "watch drop" ON sql_drop EXECUTE PROCEDURE watch."on ddl"();
CREATE EVENT TRIGGER watch_rewrite ON table_rewrite EXECUTE PROCEDURE watch."on ddl"();
ALTER EVENT TRIGGER watch_start DISABLE;
ALTER EVENT TRIGGER watch_end ENABLE REPLICA;
ALTER EVENT TRIGGER watch_rewrite ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER "watch drop" IS 'event trigger';
