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

/**
 * Text travels as UTF-8. The conversions of PostgreSQL (tried for every character, 10 and 17) give back what went in, or
 * refuse it, but for these: into UTF-8 and back some characters become others, …
 */
const CHANGED_BY_UTF8: readonly string[] = ['EUC_JP', 'EUC_TW'];
/** … and out of UTF-8 some become what cannot be read again or is read as others. */
const CHANGING_UTF8: readonly string[] = [...CHANGED_BY_UTF8, 'EUC_JIS_2004'];

export const targetEncoding: Check = {
  id: 'target-encoding',
  title: 'Target stores and sorts text as the source does',
  run: async ({ source, target }) => {
    const facts = { source: await readLocale(source), target: await readLocale(target) };
    const evidence = `source ${describe(facts.source)}; target ${describe(facts.target)}`;
    const [from, into] = [facts.source.encoding, facts.target.encoding];
    const reason = changes(from, into);
    if (reason !== null) return failed({ evidence, reason, fix: sameEncoding(from) });
    if (from !== into) {
      return warning({
        evidence,
        reason: `Text is converted. A character that ${into} does not have stops the task; sorting, hashes of text and lengths in bytes can differ.`,
        fix: `${sameEncoding(from)} -- if text may hold such characters`,
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

/** Why text could arrive as another; null when it cannot. */
function changes(from: string, into: string): string | null {
  if (from === into) {
    if (!CHANGED_BY_UTF8.includes(from)) return null;
    return `Text is moved as UTF-8, and some characters of ${from} are not the same when they come back from that.`;
  }
  if (from === 'SQL_ASCII' || into === 'SQL_ASCII')
    return 'SQL_ASCII does not say what its bytes mean, so that they cannot be converted.';
  return CHANGING_UTF8.includes(into) ? `Some characters would become others in ${into}.` : null;
}

function sameEncoding(encoding: string): string {
  if (CHANGED_BY_UTF8.includes(encoding)) return 'Use a target that is encoded in UTF8.';
  return `CREATE DATABASE … TEMPLATE template0 ENCODING '${encoding}'; -- and name it as target`;
}

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
