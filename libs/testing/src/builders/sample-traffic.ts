import { type Client, hasSqlState, SQLSTATE } from '@sluice/postgres-client';
import { seededRandom } from './random.js';

export interface SampleTrafficOptions {
  readonly seed: number;
  /** Default 50. */
  readonly transactions?: number;
  /** Ends it after the transaction that runs. */
  readonly signal?: AbortSignal;
}

interface Random {
  /** 0 ≤ n < limit. */
  below(limit: number): number;
  text(length: number): string;
}

interface Statement {
  readonly sql: string;
  readonly parameters?: readonly unknown[];
}

interface TrafficKind {
  /** It runs only where this table is. */
  readonly table: string;
  readonly statement: (random: Random) => Statement;
}

/** The n-th row (modulo their number) in the order of `key`, by its physical place, so that tables without key work too. */
const nthRow = (table: string, key: string): string =>
  `ctid = (SELECT ctid FROM ${table} ORDER BY ${key} OFFSET $1::int % greatest((SELECT count(*)::int FROM ${table}), 1) LIMIT 1)`;
const nthKey = (table: string, key: string): string =>
  `(SELECT ${key} FROM ${table} ORDER BY ${key} OFFSET $1::int % greatest((SELECT count(*)::int FROM ${table}), 1) LIMIT 1)`;

const PLACE_LIMIT = 10_000;
const statement = (sql: string, ...parameters: unknown[]): Statement => ({ sql, parameters });

const SHOP: readonly ((random: Random) => Statement)[] = [
  (r) =>
    statement(
      `INSERT INTO shop.customers (email, name, balance) VALUES ($1, 'New', $2) ON CONFLICT DO NOTHING`,
      `${r.text(12)}@example.org`,
      r.below(1e6) / 100,
    ),
  (r) =>
    statement(
      `UPDATE shop.customers SET balance = balance + $2, profile = profile || jsonb_build_object('seen', $3::int) WHERE id = ${nthKey('shop.customers', 'id')}`,
      r.below(PLACE_LIMIT),
      r.below(1000) / 100,
      r.below(1e6),
    ),
  (r) =>
    statement(
      `DELETE FROM shop.customers AS c WHERE id = ${nthKey('shop.customers', 'id')} AND NOT EXISTS (SELECT FROM shop.orders WHERE customer_id = c.id)`,
      r.below(PLACE_LIMIT),
    ),
  (r) =>
    statement(
      `UPDATE shop.products SET stock = stock - 1 WHERE sku = ${nthKey('shop.products', 'sku')}`,
      r.below(PLACE_LIMIT),
    ),
  (r) =>
    statement(
      `UPDATE shop.products SET description = $2, tags = tags || $3::text WHERE sku = ${nthKey('shop.products', 'sku')}`,
      r.below(PLACE_LIMIT),
      r.text(r.below(20_000)),
      r.text(3),
    ),
  // A key changes, and with it the rows that refer to it.
  (r) =>
    statement(
      `UPDATE shop.products SET sku = sku || $2 WHERE sku = ${nthKey('shop.products', 'sku')} AND length(sku) < 40`,
      r.below(PLACE_LIMIT),
      r.text(6),
    ),
  (r) =>
    statement(
      `INSERT INTO shop.orders (customer_id, note) SELECT ${nthKey('shop.customers', 'id')}, $2`,
      r.below(PLACE_LIMIT),
      r.text(r.below(6000)),
    ),
  (r) =>
    statement(
      `UPDATE shop.orders SET status = (enum_range(NULL::shop.order_status))[1 + $2::int] WHERE id = ${nthKey('shop.orders', 'id')}`,
      r.below(PLACE_LIMIT),
      r.below(4),
    ),
  (r) =>
    statement(
      `INSERT INTO shop.order_items (order_id, line_no, sku, quantity, unit_price) SELECT ${nthKey('shop.orders', 'id')}, $2, (SELECT min(sku) FROM shop.products), $3, 1.10 ON CONFLICT DO NOTHING`,
      r.below(PLACE_LIMIT),
      10 + r.below(100),
      1 + r.below(9),
    ),
  (r) => statement(`DELETE FROM shop.orders WHERE id = ${nthKey('shop.orders', 'id')}`, r.below(PLACE_LIMIT)),
];

const KEYLESS: readonly ((random: Random) => Statement)[] = [
  (r) =>
    statement(
      `INSERT INTO keyless.audit SELECT NULL, $1, '{"n": 1.10}', point(0.1, 2) FROM generate_series(1, $2::int)`,
      `user ${r.below(3)}`,
      1 + r.below(3),
    ),
  (r) =>
    statement(
      `UPDATE keyless.audit SET who = who || '!' WHERE ${nthRow('keyless.audit', 'audit::text')}`,
      r.below(PLACE_LIMIT),
    ),
  (r) => statement(`DELETE FROM keyless.audit WHERE ${nthRow('keyless.audit', 'audit::text')}`, r.below(PLACE_LIMIT)),
  (r) =>
    statement(
      `UPDATE keyless.by_index SET code = code || $2, value = value + 1 WHERE ${nthRow('keyless.by_index', 'code')}`,
      r.below(PLACE_LIMIT),
      r.text(6),
    ),
  (r) => statement('INSERT INTO keyless.insert_only VALUES ($1)', r.text(5)),
];

const PARTS: readonly ((random: Random) => Statement)[] = [
  (r) =>
    statement(
      `INSERT INTO parts.measurements VALUES (date '2022-06-01' + $1::int, (ARRAY['north', 'south'])[1 + $2::int], $3, $4) ON CONFLICT DO NOTHING`,
      r.below(1200),
      r.below(2),
      r.below(1000),
      r.below(1e9) / 7,
    ),
  // Often a move to another partition.
  (r) =>
    statement(
      `UPDATE parts.measurements SET taken_on = taken_on + 200, sensor = sensor + 1000 WHERE (taken_on, region, sensor) IN (SELECT taken_on, region, sensor FROM parts.measurements ORDER BY 1, 2, 3 OFFSET $1::int % greatest((SELECT count(*)::int FROM parts.measurements), 1) LIMIT 1)`,
      r.below(PLACE_LIMIT),
    ),
  (r) => statement(`DELETE FROM parts.users WHERE id = ${nthKey('parts.users', 'id')}`, r.below(PLACE_LIMIT)),
  (r) => statement('INSERT INTO parts.users VALUES ($1, $2) ON CONFLICT DO NOTHING', 100 + r.below(10_000), r.text(8)),
];

const QUOTED: readonly ((random: Random) => Statement)[] = [
  (r) =>
    statement(
      `INSERT INTO "Sch""ema.with dot"."select" ("order", "🐘", "it's") VALUES ($1, $2, 'back\\slash') ON CONFLICT ("order") DO UPDATE SET "quote""d" = $2`,
      r.below(50),
      r.text(4),
    ),
  (r) => statement(`DELETE FROM "Sch""ema.with dot"."select" WHERE "order" = $1`, r.below(50)),
];

const kinds = (table: string, statements: readonly ((random: Random) => Statement)[]): TrafficKind[] =>
  statements.map((each) => ({ table, statement: each }));

const TRAFFIC: readonly TrafficKind[] = [
  ...kinds('shop.orders', SHOP),
  ...kinds('keyless.audit', KEYLESS),
  ...kinds('parts.measurements', PARTS),
  ...kinds('"Sch""ema.with dot"."select"', QUOTED),
];

/**
 * Random INSERT, UPDATE and DELETE on the sample schemas that are there, in transactions of 1 to 12 statements, some
 * with a savepoint rolled back, some rolled back as a whole. The same seed on the same rows does the same.
 * @returns how many transactions were committed.
 */
export async function sampleTraffic(client: Client, options: SampleTrafficOptions): Promise<number> {
  const next = seededRandom(options.seed);
  const random: Random = {
    below: (limit) => Math.floor(next() * limit),
    text: (length) => Array.from({ length }, () => Math.floor(next() * 36).toString(36)).join(''),
  };
  const tables = [...new Set(TRAFFIC.map(({ table }) => table))];
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL',
    [tables],
  );
  const present = new Set(rows.map(({ name }) => name));
  const possible = TRAFFIC.filter(({ table }) => present.has(table));
  if (possible.length === 0) throw new Error('sampleTraffic: none of the sample schemas is in this database');
  let committedCount = 0;
  for (let index = 0; index < (options.transactions ?? 50) && !options.signal?.aborted; index += 1) {
    if (await runTransaction(client, random, possible)) committedCount += 1;
  }
  return committedCount;
}

/** @returns whether it was committed. */
async function runTransaction(client: Client, random: Random, possible: readonly TrafficKind[]): Promise<boolean> {
  await client.query('BEGIN');
  try {
    const statementCount = 1 + random.below(12);
    const savepointAt = random.below(40);
    for (let index = 0; index < statementCount; index += 1) {
      if (index === savepointAt) await client.query('SAVEPOINT before_statement');
      const { sql, parameters } = possible[random.below(possible.length)]?.statement(random) ?? { sql: 'SELECT 1' };
      await client.query(sql, parameters ? [...parameters] : []);
      if (index === savepointAt) await client.query('ROLLBACK TO before_statement');
    }
    const isCommitted = random.below(10) > 0;
    await client.query(isCommitted ? 'COMMIT' : 'ROLLBACK');
    return isCommitted;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    // A row that is moved can meet one that is there: then the whole transaction was in vain.
    if (hasSqlState(error, SQLSTATE.uniqueViolation)) return false;
    throw error;
  }
}
