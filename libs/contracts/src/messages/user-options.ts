import { z } from 'zod';

/** NAMEDATALEN of a server as it is built everywhere, less the byte at the end. */
const NAME_BYTES_MAX = 63;
/** The names travel with every run of the task; who has more roles takes all of them. */
const ROLES_MAX = 500;

const RoleName = z
  .string()
  .min(1)
  .refine((name) => new TextEncoder().encode(name).length <= NAME_BYTES_MAX)
  .refine((name) => !name.includes('\0') && !name.startsWith('pg_'));
const RoleNames = z
  .array(RoleName)
  .max(ROLES_MAX)
  .refine((names) => new Set(names).size === names.length);

/** Which roles of the source come along. They are created before the structure, so that owners and privileges follow. */
export const UserOptions = z.strictObject({
  /** By name; `all` means all that can be synchronized. One that is named and cannot lets the precheck fail. */
  roles: z
    .union([z.literal('all'), RoleNames], {
      error: `"all", or up to ${ROLES_MAX} different names of 1–${NAME_BYTES_MAX} bytes that do not begin with pg_`,
    })
    .default([]),
  /** Passwords come along, as the hashes that the source keeps. */
  passwords: z.boolean().default(true),
  /** What the roles were granted comes along: privileges on objects, memberships, default privileges. */
  privileges: z.boolean().default(true),
});
export type UserOptions = z.infer<typeof UserOptions>;

export const DEFAULT_USER_OPTIONS: UserOptions = { roles: [], passwords: true, privileges: true };
