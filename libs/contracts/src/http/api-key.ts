import { z } from 'zod';
import { ProjectId } from '../primitives.js';

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
