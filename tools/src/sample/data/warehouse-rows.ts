/** Rows of the schema `warehouse`. */
export const WAREHOUSE_ROWS = /* sql */ `
INSERT INTO warehouse.parties (name, phone) SELECT 'Visitor ' || i, '+49 30 ' || i FROM generate_series(1, 50) AS i;
INSERT INTO warehouse.companies (id, name, vat_number) SELECT 1000 + i, 'Company ' || i, 'DE' || i FROM generate_series(1, 50) AS i;
INSERT INTO warehouse.carriers (id, name, vat_number, max_weight_kg) SELECT 2000 + i, 'Carrier ' || i, NULL, i * 100.5 FROM generate_series(1, 20) AS i;

INSERT INTO warehouse.warehouses (id, code, name, location, area, network, gate_mac)
SELECT i, 'W' || i, 'Warehouse ' || i, point(i * 1.5, 50.1), polygon(box(point(i, i), point(i + 1, i + 2))), ('10.' || i || '.0.0/16')::cidr, '08:00:2b:01:02:03'
FROM generate_series(1, 4) AS i;
INSERT INTO warehouse.departments (warehouse_id, name, budget) SELECT 1 + i % 4, 'Department ' || i, (i * 1234.56)::numeric::money FROM generate_series(1, 12) AS i;
INSERT INTO warehouse.employees (department_id, manager_id, name, salary, hired, contract_length, skills, badge)
SELECT 1 + i % 12, CASE WHEN i > 12 THEN 1 + i % 12 END, 'Employee ' || i, 30000 + i * 10.125, '2015-01-01'::date + i, (i % 5 || ' years ' || i % 11 || ' mons')::interval,
  ARRAY[['fork lift', 'B'], ['first aid', NULL]], (i % 65536)::bit(16)
FROM generate_series(1, 600) AS i;
UPDATE warehouse.departments SET head_id = id;

INSERT INTO warehouse.suppliers (id, name, contact, terms)
SELECT i, 'Supplier ' || i, ROW('s' || i || '@example.com', ROW('Mill Road', i, NULL, 'Lyon', 'FR')::shop.postal_address)::shop.contact,
  CASE WHEN i % 2 = 0 THEN '<terms days="30"><!-- as agreed --></terms>'::xml END
FROM generate_series(1, 200) AS i;
INSERT INTO warehouse.supplier_products (supplier_id, product_id, supplier_sku, cost)
SELECT 1 + id % 200, id, 'X' || id, (random() * 500)::numeric(12, 4) FROM shop.products;

INSERT INTO warehouse.stock_levels (warehouse_id, product_id, on_hand, reserved)
SELECT w.id, p.id, 100 + (p.id * w.id) % 900, p.id % 9 FROM shop.products p CROSS JOIN warehouse.warehouses w WHERE p.id % 2 = 0;
INSERT INTO warehouse.stock_movements (warehouse_id, product_id, kind, quantity, moved_at, moved_by)
SELECT 1 + i % 4, 2 * (1 + i % 100), (enum_range(NULL::warehouse.movement))[1 + i % 3], i % 50 - 10, '2026-03-01 00:00+00'::timestamptz + i * interval '31 seconds', 1 + i % 600
FROM generate_series(1, greatest(300, (25000 * $scale)::int)) AS i;
INSERT INTO warehouse.dock_bookings (docks, during, carrier_id)
SELECT int4range(1 + i % 10, 2 + i % 10), tstzrange('2026-01-01 00:00+00'::timestamptz + i / 10 * interval '2 hours', '2026-01-01 00:00+00'::timestamptz + (i / 10 + 1) * interval '2 hours'), 2001 + i % 20
FROM generate_series(0, 999) AS i;
INSERT INTO warehouse.shipments (order_id, order_created_at, carrier_id, route, weights_kg, label, shipped_at)
SELECT id, created_at, 2001 + id % 20, ARRAY[point(id % 90, 1.25), point(0, -id % 45)], ARRAY[1.50, NULL, 2], decode(md5(id::text), 'hex'), created_at + interval '1 day'
FROM shop.orders WHERE status IN ('shipped', 'delivered');
`;
