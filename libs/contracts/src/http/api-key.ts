import { z } from 'zod';
import { ProjectId } from '../primitives.js';
import { pageOf } from './page.js';

/** Weakest first: a viewer reads, an operator does everything but delete, an admin also deletes and manages keys. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

/** A bound on what is looked at with every request. */
const PROJECTS_PER_KEY_MAX = 100;

/** What an API key may do: everything, or by its role in each of some projects. */
export const ApiKeyScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('deployment') }),
  z.strictObject({
    kind: z.literal('projects'),
    projects: z
      .array(z.strictObject({ projectId: ProjectId, role: Role }))
      .max(PROJECTS_PER_KEY_MAX)
      .refine((projects) => new Set(projects.map(({ projectId }) => projectId)).size === projects.length, {
        error: 'each project once',
      }),
  }),
]);
export type ApiKeyScope = z.infer<typeof ApiKeyScope>;

export const CreateApiKeyRequest = z.strictObject({
  name: z.string().regex(/^[^\p{C}]{1,64}$/u, '1–64 characters, none of them a control character'),
  scope: ApiKeyScope.refine((scope) => scope.kind === 'deployment' || scope.projects.length > 0, {
    path: ['projects'],
    error: 'at least one project',
  }),
  /** Never when absent. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

/** A key as it is shown; the secret is not kept. */
export const ApiKeyResource = z.object({
  id: z.uuid(),
  name: z.string(),
  scope: ApiKeyScope,
  status: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  /** At most a minute old. */
  lastUsedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
});
export type ApiKeyResource = z.infer<typeof ApiKeyResource>;

/** The only answer that holds the secret; null when a request with the same Idempotency-Key was answered before. */
export const CreatedApiKey = ApiKeyResource.extend({ secret: z.string().nullable() });
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

export const ApiKeyList = pageOf(ApiKeyResource);
export type ApiKeyList = z.infer<typeof ApiKeyList>;
