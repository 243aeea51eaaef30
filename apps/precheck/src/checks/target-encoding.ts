import { readRows, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { type Check, failed, passed, warning } from '../check.js';

interface LocaleFacts {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  readonly provider: string;
  readonly locale: string | null;
  readonly version: string | null;
}

export const targetEncoding: Check = {
  id: 'target-encoding',
  title: 'Target stores and sorts text as the source does',
  run: async ({ source, target }) => {
    const facts = { source: await readLocale(source), target: await readLocale(target) };
    const evidence = `source ${describe(facts.source)}; target ${describe(facts.target)}`;
    if (facts.source.encoding !== facts.target.encoding) {
      return failed({
        evidence,
        reason: 'The target could refuse text, or limit its length differently, in another encoding.',
        fix: `CREATE DATABASE … TEMPLATE template0 ENCODING '${facts.source.encoding}'; -- and name it as target`,
      });
    }
    if (describe(facts.source) === describe(facts.target)) return passed(evidence);
    return warning({
      evidence,
      reason: 'Text can sort differently, so ORDER BY, ranges over text and partition bounds may give another result.',
      fix: `CREATE DATABASE … TEMPLATE template0 LC_COLLATE '${facts.source.collate}' LC_CTYPE '${facts.source.ctype}'; -- if the same result is needed`,
    });
  },
};

function describe({ encoding, collate, ctype, provider, locale, version }: LocaleFacts): string {
  const known = [encoding, collate, ...(ctype === collate ? [] : [ctype]), provider, locale, version];
  return known.filter((fact) => fact !== null).join(' ');
}

/** The provider stands in the catalog since 15, where its locale is called daticulocale and since 17 datlocale. Tested on PostgreSQL 10–18. */
async function readLocale(client: Client): Promise<LocaleFacts> {
  const [facts] = await readRows<LocaleFacts>(
    client,
    sql`
      SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
        d.datcollate::text AS collate, d.datctype::text AS ctype,
        CASE pg_catalog.to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
        coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale,
        pg_catalog.to_jsonb(d) ->> 'datcollversion' AS version
      FROM pg_catalog.pg_database d
      WHERE d.datname = current_database()`,
  );
  if (!facts) throw new Error('the server does not list its own database');
  return facts;
}
