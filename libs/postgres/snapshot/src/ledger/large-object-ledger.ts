import { type Client, quoteIdentifier } from '@sluice/postgres-client';

/** `sluice.large_object`: part of the transaction that creates them. Only these may be removed when the copy starts over. */
export async function recordLargeObjects(target: Client, taskId: string, oids: readonly string[]): Promise<void> {
  await target.query(
    'INSERT INTO sluice.large_object (task_id, object_oid) SELECT $1, created.oid FROM unnest($2::oid[]) AS created(oid)',
    [taskId, oids],
  );
}

/**
 * Inside a transaction that keeps others from starting the copy: removes large objects that an earlier generation
 * copied. @returns how many it took off the list.
 */
export async function removeLargeObjects(target: Client, taskId: string, countMax: number): Promise<number> {
  const { rows } = await target.query<{ oid: string | null; as: string | null }>(
    `WITH listed AS (SELECT object_oid FROM sluice.large_object WHERE task_id = $1 ORDER BY object_oid LIMIT $2),
          removed AS (DELETE FROM sluice.large_object o USING listed l
                      WHERE o.task_id = $1 AND o.object_oid = l.object_oid RETURNING o.object_oid)
     SELECT m.oid::text AS oid,
       CASE WHEN NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE') THEN pg_catalog.pg_get_userbyid(m.lomowner)::text END AS "as"
     FROM removed r LEFT JOIN pg_catalog.pg_largeobject_metadata m ON m.oid = r.object_oid`,
    [taskId, countMax],
  );
  const present = rows.filter(({ oid }) => oid !== null);
  for (const [role, objects] of Map.groupBy(present, ({ as }) => as)) {
    // A member need not inherit what the owner may.
    if (role !== null) await target.query(`SET ROLE ${quoteIdentifier(role)}`);
    await target.query('SELECT count(pg_catalog.lo_unlink(o.oid)) FROM unnest($1::oid[]) AS o(oid)', [
      objects.map(({ oid }) => oid),
    ]);
    if (role !== null) await target.query('RESET ROLE');
  }
  return rows.length;
}
