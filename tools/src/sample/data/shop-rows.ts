/** Rows of the schema `shop`. `$scale` is replaced by the scale factor; 1 makes about 350 000 rows in all. */
export const SHOP_ROWS = /* sql */ `
SELECT setseed(0.42);

INSERT INTO shop.categories (id, parent_id, name, position)
SELECT i, CASE WHEN i > 8 THEN 1 + i % 8 END, 'Category ' || i, i * 10 FROM generate_series(1, 80) AS i;
SELECT setval(pg_get_serial_sequence('shop.categories', 'id'), 80);

INSERT INTO shop.products (sku, name, description, category_id, price, tax, size, weight_kg, rating, attributes, available, is_discontinued)
SELECT 'SKU-' || lpad(i::text, 6, '0'),
  (ARRAY['Lamp', 'Chair', 'Table', 'Kettle', 'Carpet', 'Mirror', 'Clock'])[1 + i % 7] || ' ' || i,
  CASE WHEN i % 4 > 0 THEN repeat('Solid, light and made to last. ', 1 + i % 9) || chr(9731) || E' "quoted" \\\\ and a\\ttab' END,
  1 + i % 80, (random() * 900)::numeric(14, 2), CASE WHEN i % 5 = 0 THEN 7 ELSE 19 END,
  CASE WHEN i % 3 > 0 THEN ROW(i % 900, 20 + i % 70, NULL)::shop.dimensions END,
  CASE WHEN i % 11 > 0 THEN (random() * 40)::real END, CASE WHEN i % 6 > 0 THEN 1 + random() * 4 END,
  CASE WHEN i % 10 > 0 THEN jsonb_build_object('color', (ARRAY['red', 'green', 'blue'])[1 + i % 3], 'sizes', jsonb_build_array(i % 5, i % 7, NULL)) END,
  daterange('2026-01-01', CASE WHEN i % 8 = 0 THEN '2027-01-01'::date END), i % 50 = 0
FROM generate_series(1, greatest(200, (8000 * $scale)::int)) AS i;

INSERT INTO shop.product_images (product_id, position, media_type, content, checksum, alt_text)
SELECT i, 1, 'image/webp', content, sha256(content), 'Picture of product ' || i
FROM generate_series(1, greatest(20, (800 * $scale)::int)) AS i,
LATERAL (SELECT string_agg(sha256((i || ':' || part)::bytea), ''::bytea) AS content FROM generate_series(1, 300 + (i * 37) % 900) AS part) AS picture
WHERE i <= (SELECT count(*) FROM shop.products);

INSERT INTO shop.product_prices (product_id, quantity, price)
SELECT id, int4range(low, high), price::numeric * factor FROM shop.products
CROSS JOIN (VALUES (1, 10, 1.0), (10, 100, 0.9), (100, NULL, 0.8123)) AS step (low, high, factor) WHERE id % 2 = 0;
INSERT INTO shop.product_relations (product_id, related_id, strength)
SELECT id, other, random()::numeric FROM shop.products, LATERAL (VALUES (1 + id * 7 % 199), (1 + id * 13 % 197)) AS pick (other)
WHERE id <> other ON CONFLICT DO NOTHING;
INSERT INTO shop.product_translations (product_id, locale, name)
SELECT id, locale, name || ' (' || locale || ')' FROM shop.products CROSS JOIN (VALUES ('de-DE'), ('zh-CN')) AS l (locale);

INSERT INTO shop.customers (public_id, email, first_name, last_name, status, address, tags, preferences, credit, birthday, last_ip, referred_by, created_at)
SELECT gen_random_uuid(), 'customer' || i || '@example.com',
  (ARRAY['Ada', 'Grace', 'Linus', 'Émile', 'Søren', '小明', 'Zoë'])[1 + i % 7], 'Family' || i % 5000,
  (enum_range(NULL::shop.customer_status))[1 + i % 4],
  CASE WHEN i % 9 > 0 THEN ROW('Long Street', i % 200, lpad((i % 99999)::text, 5, '0'), CASE WHEN i % 2 = 0 THEN 'Köln, "Süd"' END, 'DE')::shop.postal_address END,
  CASE i % 4 WHEN 0 THEN '{}'::text[] WHEN 1 THEN ARRAY['vip', 'with,comma', 'NULL', NULL] ELSE ARRAY['new'] END,
  jsonb_build_object('newsletter', i % 2 = 0, 'theme', CASE WHEN i % 3 = 0 THEN 'dark' END, 'limits', jsonb_build_array(i, i / 7.0)),
  (random() * 1000 - 100)::numeric(14, 2), CASE WHEN i % 5 > 0 THEN '1950-01-01'::date + i % 20000 END,
  CASE WHEN i % 3 > 0 THEN '10.0.0.0'::inet + i ELSE '2001:db8::'::inet + i END,
  CASE WHEN i % 10 = 0 THEN i / 10 END, '2026-01-01 00:00+00'::timestamptz + i * interval '7 minutes'
FROM generate_series(1, greatest(500, (30000 * $scale)::int)) AS i;
INSERT INTO shop.customer_contacts (customer_id, kind, contact)
SELECT id, CASE WHEN id % 2 = 0 THEN 'billing' ELSE 'shipping' END, ROW('c' || id || '@example.org', address)::shop.contact
FROM shop.customers WHERE id % 3 > 0;

INSERT INTO shop.coupons (code, discount, valid, uses_left)
SELECT 'SAVE-' || i, i % 60, daterange('2026-01-01', '2027-01-01', '[]'), CASE WHEN i % 3 > 0 THEN i END FROM generate_series(1, 300) AS i;

INSERT INTO shop.orders (created_at, customer_id, status, coupon_code, shipping_address, note)
SELECT '2026-01-01 00:00+00'::timestamptz + random() * interval '360 days', 1 + i % greatest(500, (30000 * $scale)::int),
  (enum_range(NULL::shop.order_status))[1 + i % 6], CASE WHEN i % 12 = 0 THEN 'SAVE-' || (1 + i % 300) END,
  CASE WHEN i % 4 = 0 THEN ROW('Dock', i % 90, NULL, 'Hamburg', 'DE')::shop.postal_address END, CASE WHEN i % 7 = 0 THEN 'leave at the door' END
FROM generate_series(1, greatest(1000, (40000 * $scale)::int)) AS i;
INSERT INTO shop.order_items (order_id, order_created_at, line, product_id, quantity, unit_price, discount)
SELECT id, created_at, line, 1 + (id * 31 + line) % 200, 1 + (id + line) % 5, ((id * line) % 50000) / 100.0, (id % 20)
FROM shop.orders, generate_series(1, 1 + id % 4) AS line;
INSERT INTO shop.payments (method, region, order_id, amount, paid_at, provider_reply)
SELECT (enum_range(NULL::shop.payment_method))[1 + id % 4], (ARRAY['eu', 'us', 'asia'])[1 + id % 3], id, (id % 90000) / 100.0,
  created_at + interval '3 minutes', CASE WHEN id % 2 = 0 THEN format('{"id":%s,  "ok": true, "ok": 1}', id)::json END
FROM shop.orders;
INSERT INTO shop.coupon_redemptions (coupon_code, order_id, redeemed_at, amount)
SELECT coupon_code, id, created_at, id % 30 FROM shop.orders WHERE coupon_code IS NOT NULL;

INSERT INTO shop.carts (id, customer_id, opened_at)
SELECT gen_random_uuid(), id, localtimestamp - id * interval '1 minute' FROM shop.customers WHERE id % 12 = 0;
INSERT INTO shop.cart_items (cart_id, product_id, quantity)
SELECT id, 1 + (customer_id * part) % 200, part FROM shop.carts, generate_series(1, 3) AS part;
UPDATE shop.carts SET last_item_id = item.id FROM (SELECT cart_id, max(id) AS id FROM shop.cart_items GROUP BY cart_id) AS item WHERE item.cart_id = carts.id;

INSERT INTO shop.reviews (product_id, customer_id, stars, body, helpful_votes)
SELECT 1 + i % 200, 1 + i % 500, 1 + i % 5, CASE WHEN i % 9 > 0 THEN repeat('It does what it should. ', 1 + i % 40) END, i % 17
FROM generate_series(1, greatest(300, (12000 * $scale)::int)) AS i;
INSERT INTO shop.newsletter_signups (email, source, signed_up_at, details)
SELECT 'reader' || i % 2500 || '@example.net', CASE WHEN i % 3 > 0 THEN 'footer' END, '2026-02-01 00:00+00'::timestamptz + (i % 2500) * interval '1 hour',
  CASE WHEN i % 5 = 0 THEN '{"a": 1,   "b": [2]}'::json END
FROM generate_series(1, greatest(200, (5000 * $scale)::int)) AS i;
`;
