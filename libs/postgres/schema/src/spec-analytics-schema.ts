import { times } from './spec-erp-schema.js';

interface AnalyticsOptions {
  readonly factTables: number;
  readonly partitionsPerTable: number;
}

/** What a warehouse looks like: few definitions, thousands of relations. Facts by day, below some of them by hash. */
export function analyticsSchema({ factTables, partitionsPerTable }: AnalyticsOptions): string {
  return [
    'CREATE SCHEMA facts; CREATE SCHEMA dims;',
    times(
      20,
      (n) =>
        `CREATE TABLE dims.d${n} (id int PRIMARY KEY, name text NOT NULL, attributes jsonb); COMMENT ON TABLE dims.d${n} IS 'dimension ${n}';`,
    ),
    times(factTables, (n) => factSql(n, partitionsPerTable)),
    times(
      factTables,
      (
        n,
      ) => `CREATE VIEW facts.v${n} AS SELECT f.day, d.name, sum(f.amount) AS amount, count(*) AS n FROM facts.f${n} f LEFT JOIN dims.d${n % 20} d ON d.id = f.dimension GROUP BY 1, 2;
CREATE MATERIALIZED VIEW facts.m${n} AS SELECT day, sum(amount) AS amount FROM facts.v${n} GROUP BY day;
CREATE UNIQUE INDEX m${n}_day ON facts.m${n} (day);`,
    ),
  ].join('\n');
}

function factSql(table: number, partitions: number): string {
  const isDeep = table % 4 === 3;
  return `
CREATE TABLE facts.f${table} (day int NOT NULL, id bigint NOT NULL, dimension int${table % 2 === 0 ? ` REFERENCES dims.d${table % 20}` : ''}, amount numeric(12, 2) DEFAULT 0, payload jsonb COMPRESSION pglz,
  PRIMARY KEY (day, id), CONSTRAINT sane CHECK (amount > -1000000)) PARTITION BY RANGE (day);
CREATE INDEX f${table}_dimension ON facts.f${table} (dimension, day) WHERE amount > 0;
CREATE INDEX f${table}_amount ON facts.f${table} USING brin (amount);
${times(partitions, (day) => {
  const name = `facts.f${table}_${day}`;
  const range = `PARTITION OF facts.f${table} FOR VALUES FROM (${day}) TO (${day + 1})`;
  if (!isDeep)
    return `CREATE TABLE ${name} ${range} WITH (fillfactor = ${50 + (day % 50)}, autovacuum_enabled = ${day % 2 === 0});`;
  return `CREATE TABLE ${name} ${range} PARTITION BY HASH (id);
${times(2, (n) => `CREATE TABLE ${name}_${n} PARTITION OF ${name} FOR VALUES WITH (MODULUS 2, REMAINDER ${n});`)}`;
})}
CREATE TABLE facts.f${table}_rest PARTITION OF facts.f${table} DEFAULT;
ALTER TABLE facts.f${table}_rest ADD CONSTRAINT only_rest CHECK (payload IS NOT NULL);`;
}
