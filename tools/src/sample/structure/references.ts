/** Foreign keys and indexes, added after the rows because that is faster. */
export const REFERENCES = /* sql */ `
ALTER TABLE shop.customers ADD FOREIGN KEY (referred_by) REFERENCES shop.customers ON DELETE SET NULL;
ALTER TABLE shop.customer_contacts ADD FOREIGN KEY (customer_id) REFERENCES shop.customers ON DELETE CASCADE;
ALTER TABLE shop.categories ADD FOREIGN KEY (parent_id) REFERENCES shop.categories;
ALTER TABLE shop.products ADD FOREIGN KEY (category_id) REFERENCES shop.categories;
ALTER TABLE shop.product_images ADD FOREIGN KEY (product_id) REFERENCES shop.products ON DELETE CASCADE;
ALTER TABLE shop.product_prices ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.product_relations ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.product_relations ADD FOREIGN KEY (related_id) REFERENCES shop.products;
ALTER TABLE shop.product_translations ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.carts ADD FOREIGN KEY (customer_id) REFERENCES shop.customers ON DELETE CASCADE;
ALTER TABLE shop.carts ADD CONSTRAINT carts_last_item_fkey FOREIGN KEY (last_item_id) REFERENCES shop.cart_items
  ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE shop.cart_items ADD FOREIGN KEY (cart_id) REFERENCES shop.carts ON DELETE CASCADE;
ALTER TABLE shop.cart_items ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.orders ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
ALTER TABLE shop.orders ADD FOREIGN KEY (coupon_code) REFERENCES shop.coupons ON UPDATE CASCADE;
ALTER TABLE shop.order_items ADD FOREIGN KEY (order_id, order_created_at) REFERENCES shop.orders (id, created_at)
  ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE shop.order_items ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.coupon_redemptions ADD FOREIGN KEY (coupon_code) REFERENCES shop.coupons ON UPDATE CASCADE;
ALTER TABLE shop.reviews ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.reviews ADD FOREIGN KEY (customer_id) REFERENCES shop.customers ON DELETE SET NULL;
ALTER TABLE warehouse.departments ADD FOREIGN KEY (warehouse_id) REFERENCES warehouse.warehouses;
ALTER TABLE warehouse.departments ADD CONSTRAINT departments_head_fkey FOREIGN KEY (head_id)
  REFERENCES warehouse.employees DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE warehouse.employees ADD FOREIGN KEY (department_id) REFERENCES warehouse.departments;
ALTER TABLE warehouse.employees ADD FOREIGN KEY (manager_id) REFERENCES warehouse.employees;
ALTER TABLE warehouse.supplier_products ADD FOREIGN KEY (supplier_id) REFERENCES warehouse.suppliers;
ALTER TABLE warehouse.supplier_products ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE warehouse.stock_levels ADD FOREIGN KEY (warehouse_id) REFERENCES warehouse.warehouses;
ALTER TABLE warehouse.stock_levels ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE warehouse.stock_movements ADD FOREIGN KEY (warehouse_id, product_id) REFERENCES warehouse.stock_levels;
ALTER TABLE warehouse.dock_bookings ADD FOREIGN KEY (carrier_id) REFERENCES warehouse.carriers;
ALTER TABLE warehouse.shipments ADD FOREIGN KEY (carrier_id) REFERENCES warehouse.carriers NOT VALID;

CREATE INDEX orders_customer_idx ON shop.orders (customer_id);
CREATE INDEX orders_open_idx ON shop.orders (created_at DESC) WHERE status IN ('placed', 'paid');
CREATE INDEX order_items_product_idx ON shop.order_items (product_id) INCLUDE (quantity);
CREATE INDEX cart_items_cart_idx ON shop.cart_items (cart_id);
CREATE INDEX carts_customer_idx ON shop.carts (customer_id);
CREATE INDEX carts_last_item_idx ON shop.carts (last_item_id);
CREATE INDEX payments_order_idx ON shop.payments USING hash (order_id);
CREATE INDEX products_keywords_idx ON shop.products USING gin (keywords);
CREATE INDEX products_attributes_idx ON shop.products USING gin (attributes jsonb_path_ops);
CREATE INDEX customers_name_idx ON shop.customers (lower(last_name), first_name COLLATE "C" DESC NULLS LAST);
CREATE INDEX customers_referred_idx ON shop.customers (referred_by) WHERE referred_by IS NOT NULL;
CREATE INDEX reviews_product_idx ON shop.reviews (product_id, stars);
CREATE INDEX newsletter_email_idx ON shop.newsletter_signups (email);
CREATE INDEX movements_time_idx ON warehouse.stock_movements USING brin (moved_at);
CREATE INDEX warehouses_location_idx ON warehouse.warehouses USING gist (location);
CREATE INDEX page_views_visitor_idx ON analytics.page_views (visitor);
CREATE INDEX "Event Log größe" ON analytics."Event Log" ("größe");
CREATE STATISTICS shop.orders_status_customer (dependencies) ON status, customer_id FROM shop.orders;
`;
