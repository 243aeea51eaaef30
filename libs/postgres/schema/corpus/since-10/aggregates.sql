-- Aggregates: plain, of several arguments, moving, ordered-set, hypothetical, variadic, parallel, with spaces and modifiers.
CREATE SCHEMA agg;
CREATE FUNCTION agg.add(numeric, int, text) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, 0) + $2';
CREATE FUNCTION agg.done(numeric) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ''total: '' || $1';
CREATE FUNCTION agg.done_extra(numeric, int, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''total: '' || $1';
CREATE AGGREGATE agg.total (int, note text) (SFUNC = agg.add, STYPE = numeric, FINALFUNC = agg.done, INITCOND = '0', SSPACE = 64);
CREATE AGGREGATE agg.total_extra (int, text) (SFUNC = agg.add, STYPE = numeric, FINALFUNC = agg.done_extra, FINALFUNC_EXTRA);
CREATE AGGREGATE agg.moving (float8) (SFUNC = float8pl, STYPE = float8, INITCOND = '0',
  MSFUNC = float8pl, MINVFUNC = float8mi, MSTYPE = float8, MSSPACE = 8, MINITCOND = '0', MFINALFUNC = float8abs);
CREATE AGGREGATE agg.largest (text) (SFUNC = text_larger, STYPE = text, SORTOP = >);
CREATE AGGREGATE agg.at_once (int8) (SFUNC = int8_avg_accum, STYPE = internal, FINALFUNC = numeric_poly_avg,
  COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize, DESERIALFUNC = int8_avg_deserialize, PARALLEL = SAFE);
CREATE AGGREGATE agg.share (float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE agg.place (VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE FUNCTION agg.least_of(int, VARIADIC int[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT min(x) FROM unnest($2 || $1) x';
CREATE AGGREGATE agg.least (VARIADIC items int[]) (SFUNC = agg.least_of, STYPE = int, INITCOND = '99');
CREATE AGGREGATE agg."Any ""one""" (anynonarray) (SFUNC = array_agg_transfn, STYPE = internal, FINALFUNC = array_agg_finalfn, FINALFUNC_EXTRA);
CREATE FUNCTION agg.own_rank() RETURNS int8 LANGUAGE internal WINDOW IMMUTABLE STRICT AS 'window_row_number';
CREATE TABLE agg.rows (n int, f float8, t text);
CREATE VIEW agg.used AS SELECT agg.total(n, t), agg.share(0.5) WITHIN GROUP (ORDER BY f), agg.place(1) WITHIN GROUP (ORDER BY n), agg.largest(t) FILTER (WHERE n > 1) FROM agg.rows;
CREATE VIEW agg.windowed AS SELECT agg.own_rank() OVER w, agg.moving(f) OVER (w ROWS 2 PRECEDING) FROM agg.rows WINDOW w AS (ORDER BY n);
COMMENT ON AGGREGATE agg.place (VARIADIC "any" ORDER BY VARIADIC "any") IS 'hypothetical';
COMMENT ON AGGREGATE agg.share (float8 ORDER BY anyelement) IS 'ordered set';
ALTER AGGREGATE agg.least (VARIADIC int[]) OWNER TO sluice_owner;
REVOKE EXECUTE ON FUNCTION agg.share(float8, anyelement) FROM PUBLIC;
