import { parseTimelineHistory, type SourceIdentity } from '@sluice/model';
import type pg from 'pg';

/**
 * Asks the walsender that will stream, so that no other server can come in between. PostgreSQL 10–18.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
export async function identifySource(walsender: pg.Client): Promise<SourceIdentity | null> {
  const identified = await walsender.query<{ systemid: string; timeline: number | string }>('IDENTIFY_SYSTEM');
  const row = identified.rows[0];
  if (!row) return null;
  const systemId = row.systemid;
  // An int8, which comes as text, since PostgreSQL 16; an int4 before.
  const timeline = Number(row.timeline);
  // The first timeline began with the server and has no history file.
  if (timeline === 1) return { systemId, timeline, history: [] };
  try {
    const { rows } = await walsender.query<{ content: string | Buffer }>(`TIMELINE_HISTORY ${timeline}`);
    return { systemId, timeline, history: parseTimelineHistory(String(rows[0]?.content ?? '')) };
  } catch {
    // The file was removed: nothing can be said, which is no reason not to read.
    return null;
  }
}
