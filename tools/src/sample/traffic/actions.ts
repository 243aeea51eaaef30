import { type Client, inTransaction } from '@sluice/postgres-client';
import { type Random } from './random.js';

/** One thing that a visitor or a clerk does: one transaction on the source. */
export interface Action {
  readonly name: string;
  /** How often it happens, in relation to the others. */
  readonly weight: number;
  run(client: Client, random: Random): Promise<void>;
}

/** The sample has at least this many products, customers and documents at any scale. */
const PRODUCTS = 200;
const CUSTOMERS = 500;
const DOCUMENTS = 30;

type Statement = readonly [sql: string, ...values: unknown[]];

async function together(client: Client, statements: readonly Statement[]): Promise<void> {
  await inTransaction(client, 'BEGIN', async () => {
    for (const [sql, ...values] of statements) await client.query(sql, values);
  });
}

/** An action of one statement. */
function single(name: string, weight: number, statement: (random: Random) => Statement): Action {
  return {
    name,
    weight,
    run: async (client, random) => {
      const [sql, ...values] = statement(random);
      await client.query(sql, values);
    },
  };
}

const placeOrder: Action = {
  name: 'place an order',
  weight: 20,
  run: (client, random) =>
    inTransaction(client, 'BEGIN', async () => {
      const day = `2026-${String(random.between(1, 12)).padStart(2, '0')}-15 10:00+00`;
      const { rows } = await client.query<{ id: string }>(
        `INSERT INTO shop.orders (created_at, customer_id, note) VALUES ($1, $2, 'live') RETURNING id`,
        [day, random.between(1, CUSTOMERS)],
      );
      const order = rows[0]?.id;
      for (let line = 1; line <= random.between(1, 4); line += 1) {
        const product = 2 * random.between(1, PRODUCTS / 2);
        await client.query(
          `INSERT INTO shop.order_items (order_id, order_created_at, line, product_id, quantity, unit_price)
           SELECT $1, $2, $3, id, $4, price FROM shop.products WHERE id = $5`,
          [order, day, line, random.between(1, 5), product],
        );
      }
      await client.query(
        `INSERT INTO shop.payments (method, region, order_id, amount) VALUES ($1, $2, $3, shop.order_total($3))`,
        [random.pick(['card', 'wallet', 'invoice']), random.pick(['eu', 'us']), order],
      );
    }),
};

/** What was written after the savepoint must not arrive, what was written before and after must. */
const halfRolledBack: Action = {
  name: 'roll back to a savepoint',
  weight: 4,
  run: (client, random) =>
    together(client, [
      [`INSERT INTO analytics."Event Log" ("select", "größe") VALUES ('kept', $1)`, random.between(1, 1000)],
      ['SAVEPOINT before_mistake'],
      [`INSERT INTO analytics."Event Log" ("select") VALUES ('must not arrive')`],
      ['UPDATE shop.reviews SET stars = 1 WHERE id = $1', random.between(1, 300)],
      ['ROLLBACK TO SAVEPOINT before_mistake'],
      [`INSERT INTO analytics."Event Log" ("Level", "select") VALUES ('debug', 'kept too')`],
    ]),
};

const rolledBack: Action = {
  name: 'roll back all',
  weight: 3,
  run: async (client, random) => {
    await client.query('BEGIN');
    await client.query('UPDATE shop.products SET rating = 0 WHERE id = $1', [random.between(1, PRODUCTS)]);
    await client.query('ROLLBACK');
  },
};

const fillCart: Action = {
  name: 'fill a cart',
  weight: 6,
  run: (client, random) =>
    inTransaction(client, 'BEGIN', async () => {
      const cart = await client.query<{ id: string }>('INSERT INTO shop.carts (customer_id) VALUES ($1) RETURNING id', [
        random.between(1, CUSTOMERS),
      ]);
      await client.query(
        `WITH item AS (INSERT INTO shop.cart_items (cart_id, product_id, quantity) VALUES ($1, $2, 1) RETURNING id, cart_id)
         UPDATE shop.carts SET last_item_id = item.id FROM item WHERE carts.id = item.cart_id`,
        [cart.rows[0]?.id, random.between(1, PRODUCTS)],
      );
    }),
};

/** Two rows exchange a unique value inside one transaction. */
const swapCategories: Action = {
  name: 'swap two positions',
  weight: 2,
  run: (client, random) => {
    const first = random.between(1, 79);
    return together(client, [
      ['SET CONSTRAINTS shop.categories_position_key DEFERRED'],
      [
        `UPDATE shop.categories c SET position = o.position FROM shop.categories o
         WHERE (c.id = $1 AND o.id = $2) OR (c.id = $2 AND o.id = $1)`,
        first,
        first + 1,
      ],
    ]);
  },
};

const importBatch: Action = {
  name: 'truncate and fill',
  weight: 1,
  run: (client, random) =>
    together(client, [
      ['TRUNCATE analytics.import_batch'],
      [
        'INSERT INTO analytics.import_batch (id, payload) SELECT i, md5($1::text || i) FROM generate_series(1, 40) AS i',
        random.between(1, 1e6),
      ],
    ]),
};

const registerCustomer: Action = {
  name: 'register a customer',
  weight: 8,
  run: (client, random) =>
    together(client, [
      [
        `INSERT INTO shop.customers (email, first_name, last_name, tags, preferences, last_ip)
         VALUES (gen_random_uuid() || '@example.com', $1, 'Live', ARRAY['live', NULL, '{}'], '{"live": true}', '10.1.2.3')`,
        random.pick(['Ada', 'Émile', '小明']),
      ],
      [
        `INSERT INTO shop.customer_contacts (customer_id, kind, contact)
         VALUES (currval(pg_get_serial_sequence('shop.customers', 'id')), 'support', ROW('a@b.example', NULL)::shop.contact)`,
      ],
    ]),
};

/** Values of the sample's kinds of change; the weights add up to about 100. */
export const ACTIONS: readonly [Action, ...Action[]] = [
  placeOrder,
  registerCustomer,
  fillCart,
  halfRolledBack,
  rolledBack,
  swapCategories,
  importBatch,
  single('change a customer', 8, (r) => [
    `UPDATE shop.customers SET credit = credit + 1.01, preferences = preferences || '{"seen": true}' WHERE id = $1`,
    r.between(1, CUSTOMERS),
  ]),
  single('move stock', 12, (r) => [
    `UPDATE warehouse.stock_levels SET reserved = reserved + $1, counted_at = now() WHERE warehouse_id = $2 AND product_id = $3`,
    r.between(-2, 3),
    r.between(1, 4),
    2 * r.between(1, PRODUCTS / 2),
  ]),
  single('log a movement', 8, (r) => [
    `INSERT INTO warehouse.stock_movements (warehouse_id, product_id, kind, quantity) VALUES ($1, $2, 'out', $3)`,
    r.between(1, 4),
    2 * r.between(1, PRODUCTS / 2),
    r.between(1, 9),
  ]),
  // The long values of the row are not in the change: they must stay as they are on the target.
  single('read a document', 6, (r) => [
    'UPDATE analytics.documents SET views = views + 1 WHERE id = $1',
    r.between(1, DOCUMENTS),
  ]),
  single('rewrite a document', 1, (r) => [
    'UPDATE analytics.documents SET body = reverse(body), attachment = NULL WHERE id = $1',
    r.between(1, DOCUMENTS),
  ]),
  single('rename a coupon', 2, (r) => [
    `UPDATE shop.coupons SET code = code || '+' WHERE code = (SELECT code FROM shop.coupons ORDER BY code OFFSET $1 LIMIT 1)`,
    r.between(0, 250),
  ]),
  single('change the way of payment', 3, (r) => [
    `UPDATE shop.payments SET method = 'voucher' WHERE id = (SELECT id FROM shop.payments_wallet OFFSET $1 LIMIT 1) AND method = 'wallet'`,
    r.between(0, 100),
  ]),
  single('move an order to another month', 2, (r) => [
    `UPDATE shop.orders SET created_at = created_at + interval '31 days'
     WHERE (id, created_at) IN (SELECT id, created_at FROM shop.orders_2026_03 OFFSET $1 LIMIT 1)`,
    r.between(0, 50),
  ]),
  single('view a page', 8, (r) => [
    `INSERT INTO analytics.page_views (visitor, viewed_at, path) VALUES (md5($1)::uuid, now(), '/live')`,
    `visitor${r.between(1, 50)}`,
  ]),
  single('correct page views', 3, (r) => [
    'UPDATE analytics.page_views SET duration_ms = coalesce(duration_ms, 0) + 1 WHERE visitor = md5($1)::uuid',
    `visitor${r.between(51, 400)}`,
  ]),
  single('sign up twice', 3, (r) => [
    `INSERT INTO shop.newsletter_signups (email, source, signed_up_at) SELECT $1, 'twice', '2026-06-01 00:00+00' FROM generate_series(1, 2)`,
    `reader${r.between(1, 2500)}@example.net`,
  ]),
  single('remove one of two equal rows', 2, (r) => [
    `DELETE FROM shop.newsletter_signups WHERE ctid = (SELECT ctid FROM shop.newsletter_signups WHERE email = $1 LIMIT 1)`,
    `reader${r.between(1, 2500)}@example.net`,
  ]),
  single('delete a review', 2, (r) => ['DELETE FROM shop.reviews WHERE id = $1', r.between(1, 12_000)]),
  single('delete a cart', 2, (r) => [
    'DELETE FROM shop.carts WHERE id = (SELECT id FROM shop.carts ORDER BY id OFFSET $1 LIMIT 1)',
    r.between(0, 30),
  ]),
  single('sum up a day', 4, (r) => [
    `INSERT INTO analytics.daily_sales (day, product_id, sold, revenue) VALUES ('2026-12-24', $1, 1, 9.99)
     ON CONFLICT (day, product_id) DO UPDATE SET sold = daily_sales.sold + 1, revenue = daily_sales.revenue + 9.99`,
    r.between(1, PRODUCTS),
  ]),
  single('raise prices', 1, (r) => [
    'UPDATE shop.products SET price = price * 1.01, changed_at = now() WHERE category_id = $1',
    r.between(1, 80),
  ]),
  single('change a setting', 1, (r) => [
    `UPDATE analytics.settings SET value = to_jsonb($1::int), changed_at = now() WHERE key = 'locale'`,
    r.between(1, 1000),
  ]),
];
