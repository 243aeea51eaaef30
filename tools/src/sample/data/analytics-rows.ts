/** Rows of the schema `analytics`. */
export const ANALYTICS_ROWS = /* sql */ `
INSERT INTO analytics.page_views (visitor, viewed_at, path, referrer, client, duration_ms)
SELECT md5('visitor' || i % 7000)::uuid, '2026-01-01 00:00+00'::timestamptz + (i % 500) * interval '19 hours', '/product/' || i % 200,
  CASE WHEN i % 3 = 0 THEN 'https://example.com/?q=' || i % 40 END, '192.168.0.0'::inet + i % 60000, CASE WHEN i % 6 > 0 THEN i % 90000 END
FROM generate_series(1, greatest(500, (45000 * $scale)::int)) AS i;

INSERT INTO analytics.daily_sales (day, product_id, sold, revenue)
SELECT '2026-01-01'::date + day, product, day % 9, product * 1.1 FROM generate_series(0, greatest(10, (150 * $scale)::int)) AS day, generate_series(1, 100) AS product;

INSERT INTO analytics.documents (title, body, attachment, metadata)
SELECT 'Document ' || i, text.body, CASE WHEN i % 2 = 0 THEN decode(text.body, 'hex') END, jsonb_build_object('pages', i, 'text', repeat('x', i % 3000))
FROM generate_series(1, greatest(30, (500 * $scale)::int)) AS i,
LATERAL (SELECT string_agg(encode(sha256((i || '/' || part)::bytea), 'hex'), '') AS body FROM generate_series(1, 160 + (i * 13) % 400) AS part) AS text;

INSERT INTO analytics.measurements
SELECT i, (i % 512)::bit(9)::bit varying, CASE i % 50 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE i / 3.0 END, 1 / (i + 0.1), CASE i % 40 WHEN 0 THEN 'NaN' ELSE i * 1.00000000000000000001 END,
  CASE i % 60 WHEN 0 THEN 'infinity' WHEN 1 THEN '0044-03-15 12:00 BC' ELSE '2026-05-01'::timestamp + i * interval '1.000001 second' END,
  '2026-05-01 00:00+00'::timestamptz + i * interval '1 microsecond', CASE i % 60 WHEN 2 THEN '-infinity' ELSE '1999-12-31'::date + (i % 9000)::int END,
  make_interval(years => (i % 3)::int, months => (i % 14)::int, days => -(i % 40)::int, secs => i / 7.0), point(i, -0.0), box(point(0, 0), point(i, i + 1)),
  '((0,0),(1,1),(2,0))'::path, circle(point(i, 1), 2.5), lseg(point(0, 0), point(1, i)), '{1,-1,0}'::line, '08:00:2b:01:02:03:04:05'::macaddr8,
  '0/0'::pg_lsn + i::numeric, 'fat & (rat | !cat)'::tsquery, to_tsvector('simple', 'one two three ' || i), ARRAY[0.1, 'NaN', i], ARRAY[[1, 2], [3, i]],
  int8range(i, i + 10), tsrange('2026-01-01', NULL), CASE WHEN i % 2 = 0 THEN 'empty'::numrange ELSE numrange(1.5, i + 2) END, '{"z": 1, "a": [1.0, 1e3]}',
  '$.a[*] ? (@ > 1)'::jsonpath, (i % 100000)::oid, 'pad' || i % 9
FROM generate_series(1, greatest(100, (3000 * $scale)::int)) AS i;

INSERT INTO analytics."Event Log" ("Level", "select", "with ""quotes""", "größe")
SELECT (enum_range(NULL::analytics."Log Level"))[1 + i % 3], E'line\\nbreak \\\\N ' || i, NULL, i FROM generate_series(1, 500) AS i;
INSERT INTO analytics.import_batch (id, payload) SELECT i, md5(i::text) FROM generate_series(1, 50) AS i;
INSERT INTO analytics.exchange_rates (currency, day, rate)
SELECT currency, '2026-01-01'::date + day, 1 + day / 1000.0 FROM (VALUES ('USD'), ('JPY'), ('CHF')) AS c (currency), generate_series(0, 364) AS day;
INSERT INTO analytics.settings (key, value) VALUES ('locale', '"de-DE"'), ('features', '{"beta": false}'), ('nothing', 'null'), ('absent', NULL);
`;
