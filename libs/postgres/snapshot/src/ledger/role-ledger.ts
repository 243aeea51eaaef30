import { type Client } from '@sluice/postgres-client';

/** `sluice.role`: a role that the task created on the target. */
export interface RoleRecord {
  readonly name: string;
  /** The account was made a member of it, for as long as the task lives. */
  readonly isAccountMember: boolean;
}

/** Part of the transaction that creates the roles. */
export async function recordRoles(target: Client, taskId: string, roles: readonly RoleRecord[]): Promise<void> {
  await target.query(
    `INSERT INTO sluice.role (task_id, role_name, is_account_member)
     SELECT $1, created.name, created.is_account_member
     FROM unnest($2::text[], $3::boolean[]) AS created(name, is_account_member)`,
    [taskId, roles.map(({ name }) => name), roles.map(({ isAccountMember }) => isAccountMember)],
  );
}

/** None when there is no ledger, or it is of a version that knew no roles. */
export async function readRoleRecords(target: Client, taskId: string): Promise<RoleRecord[]> {
  const { rows: tables } = await target.query<{ exists: boolean }>(
    `SELECT pg_catalog.to_regclass('sluice.role') IS NOT NULL AS exists`,
  );
  if (tables[0]?.exists !== true) return [];
  const { rows } = await target.query<RoleRecord>(
    `SELECT role_name AS name, is_account_member AS "isAccountMember" FROM sluice.role WHERE task_id = $1 ORDER BY 1`,
    [taskId],
  );
  return rows;
}
