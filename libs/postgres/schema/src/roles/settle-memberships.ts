import { SluiceError } from '@sluice/contracts';
import { readVersionNum } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { type CreatedRole } from './create-roles.js';
import { grantMembership, GRANT_OPTIONS_SINCE, type Membership, readMemberships } from './membership.js';
import { planMemberships } from './plan-memberships.js';
import { type RoleSides } from './plan-roles.js';
import { readRoles } from './role-facts.js';
import { readTargetAccount, type TargetAccount } from './target-account.js';

/**
 * Brings the memberships of the roles that a task created to what the source has now, as no capture of DDL tells of them.
 * Among these roles a membership that the source lacks is taken back; in other roles they keep what they have. The caller
 * owns the transaction of the target.
 */
export async function bringMemberships({ source, target }: RoleSides, created: readonly string[]): Promise<void> {
  const account = await readTargetAccount(target);
  const roles = new Map((await readRoles(source)).map((role) => [role.name, role]));
  const brought = new Set(created.filter((name) => roles.has(name) && account.roles.has(name)));
  if (brought.size === 0) return;
  const memberships = await readMemberships(source, await readVersionNum(source));
  const planned = planMemberships({ roles, memberships, account, brought });
  const before = await readMemberships(target, account.versionNum);
  const stale = before.filter(
    (has) =>
      brought.has(has.role) &&
      brought.has(has.member) &&
      !planned.memberships.some((wanted) => isOfSame(wanted, has) && fits(wanted, has)),
  );
  for (const has of stale) await revoke(target, has, account);
  // CASCADE can have taken more with it, and several grants can have been one before.
  const present = await readMemberships(target, account.versionNum);
  for (const wanted of planned.memberships) {
    if (present.some((has) => isOfSame(wanted, has) && fits(wanted, has))) continue;
    await run(target, wanted.member, grantMembership(wanted, account.versionNum));
  }
}

function isOfSame(wanted: Membership, has: Membership): boolean {
  return wanted.role === has.role && wanted.member === has.member;
}

/** What the source does not say about a grant is as the target has it. */
function fits(wanted: Membership, has: Membership): boolean {
  const same = (one: boolean | null, other: boolean | null): boolean => one === null || other === null || one === other;
  return wanted.isAdmin === has.isAdmin && same(wanted.inherits, has.inherits) && same(wanted.maySet, has.maySet);
}

async function revoke(
  target: ClientBase,
  { role, member, grantor }: Membership,
  account: TargetAccount,
): Promise<void> {
  // What somebody else granted by hand is theirs to take back, unless we are a superuser.
  const isOurs = account.isSuperuser || account.versionNum < GRANT_OPTIONS_SINCE || grantor === account.name;
  if (!isOurs) return;
  const by =
    grantor !== null && account.versionNum >= GRANT_OPTIONS_SINCE ? ` GRANTED BY ${quoteIdentifier(grantor)}` : '';
  await run(target, member, `REVOKE ${quoteIdentifier(role)} FROM ${quoteIdentifier(member)}${by} CASCADE`);
}

/** Ends the memberships that the account of the target gave itself for the time of the task. */
export async function releaseRoles(target: ClientBase, created: readonly CreatedRole[]): Promise<void> {
  const { name, roles } = await readTargetAccount(target);
  for (const role of created) {
    if (!role.isAccountMember || !roles.has(role.name)) continue;
    await run(target, role.name, `REVOKE ${quoteIdentifier(role.name)} FROM ${quoteIdentifier(name)}`);
  }
}

async function run(target: ClientBase, name: string, statement: string): Promise<void> {
  try {
    await target.query(statement);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SluiceError('SLUICE-3020', {
      detail: `role ${quoteIdentifier(name)}: ${statement}: ${message}`,
      cause: error,
    });
  }
}
