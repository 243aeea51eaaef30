import { connect, type Endpoint } from '@sluice/postgres-client';
import { ANALYTICS_ROWS } from './data/analytics-rows.js';
import { SHOP_ROWS } from './data/shop-rows.js';
import { WAREHOUSE_ROWS } from './data/warehouse-rows.js';
import { ANALYTICS_TABLES } from './structure/analytics-tables.js';
import { PARTITIONS } from './structure/partitions.js';
import { PROGRAMS } from './structure/programs.js';
import { REFERENCES } from './structure/references.js';
import { SHOP_TABLES } from './structure/shop-tables.js';
import { TYPES } from './structure/types.js';
import { WAREHOUSE_TABLES } from './structure/warehouse-tables.js';

export interface SampleOptions {
  /** 1 makes about 350 000 rows; small tables have a least size. */
  readonly scale: number;
}

const STRUCTURE = [TYPES, SHOP_TABLES, WAREHOUSE_TABLES, ANALYTICS_TABLES, PARTITIONS];
const ROWS = [SHOP_ROWS, WAREHOUSE_ROWS, ANALYTICS_ROWS];

/** Fills an empty database with the sample shop. Triggers come last, so that they do not fire for the first rows. */
export async function loadSample(endpoint: Endpoint, { scale }: SampleOptions): Promise<void> {
  await using client = await connect(endpoint, {
    applicationName: 'sample data',
    // The sample can be made again, so its rows need not wait for the disk.
    settings: { synchronous_commit: 'off', TimeZone: 'UTC', work_mem: '64MB', maintenance_work_mem: '128MB' },
  });
  for (const sql of STRUCTURE) await client.query(sql);
  for (const sql of ROWS) await client.query(sql.replaceAll('$scale', String(scale)));
  await client.query(REFERENCES);
  await client.query(PROGRAMS);
  await client.query('VACUUM ANALYZE');
}
