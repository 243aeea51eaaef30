import { type Client, inTransaction } from '@sluice/postgres-client';
import { bringMemberships, releaseRoles } from '@sluice/postgres-schema';
import { readRoleRecords } from '@sluice/postgres-snapshot';

/** At the end of a task: its roles get the memberships of now, and the account of the target leaves them. */
export async function settleRoles(
  { source, target }: { readonly source: Client; readonly target: Client },
  { taskId, withMemberships }: { readonly taskId: string; readonly withMemberships: boolean },
): Promise<void> {
  const created = await readRoleRecords(target, taskId);
  if (created.length === 0) return;
  const names = created.map(({ name }) => name);
  await inTransaction(target, 'BEGIN', async () => {
    if (withMemberships) await bringMemberships({ source, target }, names);
    // Last: what the account granted, it granted as a member.
    await releaseRoles(target, created);
  });
}
