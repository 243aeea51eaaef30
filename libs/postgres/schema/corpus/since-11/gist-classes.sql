-- An operator class with storage, ordering operators and support functions of several types.
CREATE SCHEMA gist;
CREATE OPERATOR CLASS gist.points FOR TYPE point USING gist AS
  OPERATOR 1 <<, OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
  FUNCTION 3 gist_point_compress(internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
  FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal),
  FUNCTION 8 gist_point_distance(internal, point, smallint, oid, internal), STORAGE box;
CREATE TABLE gist.places (at point);
CREATE INDEX places_at ON gist.places USING gist (at gist.points);
