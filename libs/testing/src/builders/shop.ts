/** A small shop: identity and serial keys, an enum, foreign keys, a generated column, json, arrays, values large enough for TOAST. */
export const ORDERS = `
CREATE SCHEMA shop;
CREATE TYPE shop.order_status AS ENUM ('new', 'paid', 'shipped', 'returned');
CREATE TABLE shop.customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name varchar(80) NOT NULL,
  balance numeric(14, 2) NOT NULL DEFAULT 0,
  profile jsonb,
  created_at timestamptz NOT NULL DEFAULT '2024-02-29 23:59:59.999999+05:45'
);
CREATE TABLE shop.products (
  sku text PRIMARY KEY,
  price numeric NOT NULL CHECK (price >= 0),
  stock integer NOT NULL DEFAULT 0,
  tags text[] NOT NULL DEFAULT '{}',
  description text
);
CREATE TABLE shop.orders (
  id bigserial PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES shop.customers,
  status shop.order_status NOT NULL DEFAULT 'new',
  placed_at timestamp NOT NULL DEFAULT '2024-10-27 02:30:00.123456',
  note text
);
CREATE TABLE shop.order_items (
  order_id bigint NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
  line_no smallint NOT NULL,
  sku text NOT NULL REFERENCES shop.products ON UPDATE CASCADE,
  quantity integer NOT NULL,
  unit_price numeric(10, 2) NOT NULL,
  PRIMARY KEY (order_id, line_no)
);
DO $$ BEGIN
  IF current_setting('server_version_num')::int >= 120000 THEN
    EXECUTE 'ALTER TABLE shop.order_items ADD COLUMN amount numeric GENERATED ALWAYS AS (quantity * unit_price) STORED';
  END IF;
END $$;
CREATE INDEX ON shop.orders (customer_id);
CREATE VIEW shop.open_orders AS SELECT id, customer_id FROM shop.orders WHERE status IN ('new', 'paid');

INSERT INTO shop.customers (email, name, balance, profile)
  SELECT 'c' || i || '@example.org', 'Customer ' || i, i * 1.25, json_build_object('level', i % 5, 'since', 2000 + i)
    FROM generate_series(1, 50) AS i;
INSERT INTO shop.products (sku, price, stock, tags, description)
  SELECT 'SKU-' || i, i * 0.99, i * 10, ARRAY['tag' || i % 3, NULL, 'a "quoted", {tag}'],
         CASE WHEN i % 4 = 0 THEN (SELECT string_agg(md5(i || '/' || j), '') FROM generate_series(1, 300) AS j) END
    FROM generate_series(1, 20) AS i;
INSERT INTO shop.orders (customer_id, status, note)
  SELECT 1 + i % 50, (ARRAY['new', 'paid', 'shipped']::shop.order_status[])[1 + i % 3], CASE WHEN i % 2 = 0 THEN 'note ' || i END
    FROM generate_series(1, 100) AS i;
INSERT INTO shop.order_items (order_id, line_no, sku, quantity, unit_price)
  SELECT o, l, 'SKU-' || (1 + (o + l) % 20), l, 9.99 FROM generate_series(1, 100) AS o, generate_series(1, 3) AS l;
`;
