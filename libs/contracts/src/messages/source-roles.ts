import { z } from 'zod';
import { defineQuestion } from './questions.js';
import { UserOptions } from './user-options.js';

/** Why a role of the source cannot be synchronized. */
export const RoleObstacleKind = z.enum([
  /** It belongs to the server, or to the service that runs it. */
  'reserved',
  /** It is the account that the task uses on the target, or one that this account is a member of. */
  'target_account',
  /** The target has a role of this name, which is left untouched. */
  'exists_on_target',
  /** The target account may not create roles. */
  'createrole_missing',
  /** It has attributes that the target account may not give. */
  'attribute_not_grantable',
  /** It is a member of a role that only a superuser of the target could grant. */
  'superuser_grantor',
  /** The source account may not read `pg_authid`. */
  'password_unreadable',
]);
export type RoleObstacleKind = z.infer<typeof RoleObstacleKind>;

export const RoleObstacle = z.object({ kind: RoleObstacleKind, reason: z.string() });
export type RoleObstacle = z.infer<typeof RoleObstacle>;

/** A role of the source, and whether the task could bring it to the target. */
export const SourceRole = z.object({
  name: z.string(),
  canSync: z.boolean(),
  /** Empty when it can be synchronized. */
  obstacles: z.array(RoleObstacle),
  /** As CREATE ROLE names them, e.g. `LOGIN`, `CREATEDB`, `CONNECTION LIMIT 5`. */
  attributes: z.array(z.string()),
  memberOf: z.array(z.string()),
});
export type SourceRole = z.infer<typeof SourceRole>;

const ROLES_PER_PAGE_MAX = 200;

export const SourceRolesQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(ROLES_PER_PAGE_MAX).default(ROLES_PER_PAGE_MAX),
  cursor: z.string().max(300).optional(),
  /** Part of the name, in any case. */
  search: z.string().max(63).optional(),
});
export type SourceRolesQuery = z.infer<typeof SourceRolesQuery>;

/** By name. */
export const SourceRoleList = z.object({ items: z.array(SourceRole), nextCursor: z.string().nullable() });
export type SourceRoleList = z.infer<typeof SourceRoleList>;

export const sourceRolesQuestion = defineQuestion({
  name: 'source-roles',
  asked: z.object({ ...SourceRolesQuery.shape, wishes: UserOptions.pick({ passwords: true, privileges: true }) }),
  answer: SourceRoleList,
  deadlineMs: 15_000,
  answeredBy: 'connection-test',
});
