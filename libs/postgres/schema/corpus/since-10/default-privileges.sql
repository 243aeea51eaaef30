-- Default privileges of several roles, with and without schema, granted and revoked.
CREATE SCHEMA defaults;
CREATE SCHEMA "defaults 2" AUTHORIZATION sluice_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA defaults GRANT SELECT, INSERT ON TABLES TO sluice_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA defaults GRANT ALL ON SEQUENCES TO sluice_owner WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA defaults, "defaults 2" GRANT EXECUTE ON FUNCTIONS TO sluice_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_reader GRANT USAGE ON TYPES TO sluice_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_reader REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_reader REVOKE ALL ON TABLES FROM sluice_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_reader GRANT CREATE, USAGE ON SCHEMAS TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_reader GRANT ALL ON SCHEMAS TO sluice_owner WITH GRANT OPTION;
-- Made while the defaults hold, and after they were taken from one: each has its own list.
CREATE TABLE defaults.first (id serial);
CREATE TABLE defaults.bare (id int);
REVOKE ALL ON defaults.bare FROM sluice_reader;
CREATE FUNCTION defaults.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
