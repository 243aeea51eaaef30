-- Extensions in schemas of their own, one that needs another, and objects of people that lean on their members.
CREATE SCHEMA ext;
CREATE SCHEMA "Ext 2";
CREATE EXTENSION hstore WITH SCHEMA ext;
CREATE EXTENSION pg_trgm WITH SCHEMA "Ext 2";
CREATE EXTENSION cube WITH SCHEMA ext;
CREATE EXTENSION earthdistance WITH SCHEMA ext;
CREATE EXTENSION ltree;
CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION unaccent;
COMMENT ON EXTENSION ltree IS 'a comment of one''s own';
CREATE FUNCTION ext.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT public.unaccent(''public.unaccent'', $1)';
CREATE TABLE ext.places (
  id uuid DEFAULT uuid_generate_v4() PRIMARY KEY,
  at ext.cube,
  spot ext.earth,
  path ltree CHECK (nlevel(path) < 9),
  attributes ext.hstore DEFAULT 'a=>1' NOT NULL,
  history ext.hstore[],
  name text
);
CREATE INDEX places_name ON ext.places USING gin (name "Ext 2".gin_trgm_ops);
CREATE INDEX places_plain ON ext.places (ext.plain(name));
CREATE INDEX places_path ON ext.places USING gist (path gist_ltree_ops (siglen = 100));
CREATE DOMAIN ext.label AS ltree CHECK (VALUE <> '');
CREATE VIEW ext.near AS SELECT id, attributes OPERATOR(ext.->) 'a' AS a FROM ext.places WHERE ext.earth_distance(spot, spot) < 5;
CREATE TEXT SEARCH CONFIGURATION ext.plain_words (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION ext.plain_words ALTER MAPPING FOR hword, word WITH unaccent, simple;
CREATE AGGREGATE ext.all_attributes (ext.hstore) (SFUNC = ext.hs_concat, STYPE = ext.hstore, INITCOND = '');
