import { z } from 'zod';
import { ProjectId } from '../primitives.js';
import { pageOf } from './page.js';

/** Unique in the deployment, compared case-insensitively. */
export const ProjectName = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$/,
    '1–64 letters, digits, spaces, ., _ or -, first and last a letter or digit',
  );

export const CreateProjectRequest = z.strictObject({ name: ProjectName });
export const RenameProjectRequest = z.strictObject({ name: ProjectName });

/** The tenancy unit: every task, and what belongs to it, is in exactly one. */
export const ProjectResource = z.object({
  id: ProjectId,
  name: z.string(),
  /** Where tasks go that name no project; it cannot be deleted. */
  isDefault: z.boolean(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ProjectResource = z.infer<typeof ProjectResource>;

export const ProjectList = pageOf(ProjectResource);
export type ProjectList = z.infer<typeof ProjectList>;
