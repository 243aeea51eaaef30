import { SluiceError, type SourceRoleList, sourceRolesQuestion } from '@sluice/contracts';
import { type Endpoint } from '@sluice/postgres-client';
import { listRoles, readCircumstances } from '@sluice/postgres-schema';
import { type z } from 'zod';
import { openForQuestion } from './question-session.js';

/** The roles of the source, each with what stands in the way of bringing it to the target. */
export async function readSourceRoles(
  endpoints: { readonly source: Endpoint; readonly target: Endpoint },
  { wishes, limit, search, cursor }: z.output<typeof sourceRolesQuestion.asked>,
): Promise<SourceRoleList> {
  const after = cursor === undefined ? undefined : nameInCursor(cursor);
  await using source = await openForQuestion(endpoints.source, sourceRolesQuestion);
  await using target = await openForQuestion(endpoints.target, sourceRolesQuestion);
  const { roles, isLast } = listRoles(await readCircumstances({ source, target }, wishes), { limit, search, after });
  const last = roles.at(-1);
  return { items: roles, nextCursor: isLast || !last ? null : cursorOf(last.name) };
}

/** In a form that nobody is tempted to compute with. */
function cursorOf(name: string): string {
  return Buffer.from(`r${name}`).toString('base64url');
}

function nameInCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith('r') || cursorOf(text.slice(1)) !== cursor) {
    throw new SluiceError('SLUICE-6001', { detail: 'cursor: not one that this service gave out' });
  }
  return text.slice(1);
}
