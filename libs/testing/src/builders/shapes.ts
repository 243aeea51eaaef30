/** Tables without a primary key, with each replica identity that allows UPDATE and DELETE, and one without any. */
export const KEYLESS = `
CREATE SCHEMA keyless;
CREATE TABLE keyless.audit (at timestamptz, who text, payload json, place point);
ALTER TABLE keyless.audit REPLICA IDENTITY FULL;
CREATE TABLE keyless.by_index (code text NOT NULL, value integer, CONSTRAINT by_index_code UNIQUE (code));
ALTER TABLE keyless.by_index REPLICA IDENTITY USING INDEX by_index_code;
CREATE TABLE keyless.insert_only (line text);
CREATE TABLE keyless.no_columns ();
INSERT INTO keyless.audit
  SELECT '2024-01-01 00:00:00+00'::timestamptz + (i % 5) * interval '1 hour', 'user ' || i % 3, '{"a": 1, "a": 2}', point(i % 2, 0.1)
    FROM generate_series(1, 30) AS i;
INSERT INTO keyless.audit VALUES (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL);
INSERT INTO keyless.by_index SELECT 'code ' || i, i FROM generate_series(1, 20) AS i;
INSERT INTO keyless.insert_only SELECT 'same line' FROM generate_series(1, 10);
INSERT INTO keyless.no_columns DEFAULT VALUES;
`;

/** Range with sub-partitions by list, and hash; PostgreSQL 11 or newer. */
export const PARTITIONED = `
CREATE SCHEMA parts;
CREATE TABLE parts.measurements (
  taken_on date NOT NULL, region text NOT NULL, sensor integer NOT NULL, value double precision,
  PRIMARY KEY (taken_on, region, sensor)
) PARTITION BY RANGE (taken_on);
CREATE TABLE parts.measurements_2023 PARTITION OF parts.measurements FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE parts.measurements_2024 PARTITION OF parts.measurements
  FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (region);
CREATE TABLE parts.measurements_2024_north PARTITION OF parts.measurements_2024 FOR VALUES IN ('north');
CREATE TABLE parts.measurements_2024_rest PARTITION OF parts.measurements_2024 DEFAULT;
CREATE TABLE parts.measurements_rest PARTITION OF parts.measurements DEFAULT;
CREATE TABLE parts.users (id bigint PRIMARY KEY, name text) PARTITION BY HASH (id);
CREATE TABLE parts.users_0 PARTITION OF parts.users FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.users_1 PARTITION OF parts.users FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts.measurements
  SELECT date '2022-12-01' + i * 11, (ARRAY['north', 'south', 'west'])[1 + i % 3], i, i / 7.0::float8 FROM generate_series(0, 90) AS i;
INSERT INTO parts.users SELECT i, 'user ' || i FROM generate_series(1, 40) AS i;
`;

/** Names that break whoever does not quote: quotes, dots, blanks, keywords, emoji, line breaks, 63 bytes. */
export const QUOTED_NAMES = `
CREATE SCHEMA "Sch""ema.with dot";
CREATE TYPE "Sch""ema.with dot"."Ty'pe" AS ENUM ('it''s', 'back\\slash', '', 'a,b');
CREATE TABLE "Sch""ema.with dot"."select" (
  "order" integer PRIMARY KEY, "UPPER lower" text, "a.b" text, "quote""d" text, "it's" "Sch""ema.with dot"."Ty'pe", "🐘" text
);
CREATE TABLE "Sch""ema.with dot"."line
break" ("tab	column" integer PRIMARY KEY, "%s $1 \\x" text);
CREATE TABLE public."sixty-three bytes long name, which is the most a name can have" (id integer PRIMARY KEY, "percent%" text);
INSERT INTO "Sch""ema.with dot"."select" VALUES
  (1, 'tab	and
line break', '\\N', '"', 'it''s', '🐘'), (2, '', NULL, '\\.', '', 'NULL'), (3, ' ', ',', '{}', 'a,b', E'\\\\');
INSERT INTO "Sch""ema.with dot"."line
break" VALUES (1, 'x'), (2, NULL);
INSERT INTO public."sixty-three bytes long name, which is the most a name can have" VALUES (1, '%');
`;
