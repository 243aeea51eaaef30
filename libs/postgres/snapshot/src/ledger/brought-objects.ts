import { type NamedObject } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';

/** Inside the transaction that creates the structure: what came along with it, so that its DDL is followed as well. */
export async function recordBrought(target: Client, taskId: string, brought: readonly NamedObject[]): Promise<void> {
  await target.query(
    `INSERT INTO sluice.selection_exception (task_id, kind, schema_name, object_name, is_selected)
     SELECT DISTINCT $1::uuid, kind, schema_name, object_name, true
     FROM unnest($2::text[], $3::text[], $4::text[]) AS brought (kind, schema_name, object_name)
     ON CONFLICT DO NOTHING`,
    [taskId, brought.map(({ kind }) => kind), brought.map(({ schema }) => schema), brought.map(({ name }) => name)],
  );
}
