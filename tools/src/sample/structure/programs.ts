/** Functions, a procedure, triggers, views and a materialized view. */
export const PROGRAMS = /* sql */ `
CREATE FUNCTION shop.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$fn$;
CREATE TRIGGER customers_touch BEFORE UPDATE ON shop.customers
  FOR EACH ROW WHEN (OLD.credit IS DISTINCT FROM NEW.credit) EXECUTE FUNCTION shop.touch_updated_at();

CREATE FUNCTION analytics.write_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $fn$
BEGIN
  INSERT INTO analytics.audit_log (table_name, operation, old_row, new_row)
  VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, left(TG_OP, 1)::"char",
    CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END
$fn$;
COMMENT ON FUNCTION analytics.write_audit() IS 'Writes rows of its own: must not fire on the target too';
CREATE TRIGGER coupons_audit AFTER INSERT OR UPDATE OR DELETE ON shop.coupons
  FOR EACH ROW EXECUTE FUNCTION analytics.write_audit();
CREATE TRIGGER settings_audit AFTER INSERT OR UPDATE OR DELETE ON analytics.settings
  FOR EACH ROW EXECUTE FUNCTION analytics.write_audit();

CREATE FUNCTION shop.order_total(wanted bigint) RETURNS numeric LANGUAGE sql STABLE AS $fn$
  SELECT coalesce(sum(total * (1 - discount / 100)), 0) FROM shop.order_items WHERE order_id = wanted
$fn$;
CREATE FUNCTION shop.format_address(address shop.postal_address, single_line boolean DEFAULT true) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
  SELECT concat_ws(CASE WHEN single_line THEN ', ' ELSE E'\\n' END,
    (address).street || ' ' || (address).house_number, (address).postal_code || ' ' || (address).city, (address).country)
$fn$;
CREATE PROCEDURE warehouse.recount(place smallint) LANGUAGE sql AS $fn$
  UPDATE warehouse.stock_levels SET counted_at = now() WHERE warehouse_id = place
$fn$;

CREATE VIEW shop.order_totals AS
  SELECT o.id, o.created_at, o.customer_id, o.status, shop.order_total(o.id) AS total FROM shop.orders o;
CREATE VIEW shop.open_orders WITH (security_barrier) AS
  SELECT * FROM shop.order_totals WHERE status IN ('placed', 'paid');
CREATE RECURSIVE VIEW shop.category_path (id, path) AS
  SELECT id, name FROM shop.categories WHERE parent_id IS NULL
  UNION ALL
  SELECT c.id, p.path || ' / ' || c.name FROM shop.categories c JOIN category_path p ON c.parent_id = p.id;
CREATE MATERIALIZED VIEW analytics.best_sellers AS
  SELECT product_id, sum(quantity) AS sold FROM shop.order_items GROUP BY product_id ORDER BY sold DESC LIMIT 100;
CREATE UNIQUE INDEX best_sellers_key ON analytics.best_sellers (product_id);
COMMENT ON MATERIALIZED VIEW analytics.best_sellers IS 'Refreshed by night';
`;
