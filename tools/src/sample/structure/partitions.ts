/** A partition for each month of 2026, and a default one for page views. */
export const PARTITIONS = /* sql */ `
DO $do$
DECLARE
  first_day date;
BEGIN
  FOR month IN 1..12 LOOP
    first_day := make_date(2026, month, 1);
    EXECUTE format('CREATE TABLE shop.orders_2026_%s PARTITION OF shop.orders FOR VALUES FROM (%L) TO (%L)',
      lpad(month::text, 2, '0'), first_day || ' 00:00+00', (first_day + interval '1 month')::date || ' 00:00+00');
    IF month % 3 = 1 THEN
      EXECUTE format('CREATE TABLE analytics.page_views_2026_q%s PARTITION OF analytics.page_views FOR VALUES FROM (%L) TO (%L)',
        (month + 2) / 3, first_day || ' 00:00+00', (first_day + interval '3 months')::date || ' 00:00+00');
      -- The replica identity belongs to each partition; the parent's is not inherited.
      EXECUTE format('ALTER TABLE analytics.page_views_2026_q%s REPLICA IDENTITY FULL', (month + 2) / 3);
    END IF;
  END LOOP;
END
$do$;
CREATE TABLE analytics.page_views_other PARTITION OF analytics.page_views DEFAULT;
ALTER TABLE analytics.page_views_other REPLICA IDENTITY FULL;
`;
