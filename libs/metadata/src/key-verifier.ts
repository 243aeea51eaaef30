import { type ApiKeyScope, type ProjectId, type Role, SluiceError } from '@sluice/contracts';
import { type Secret } from '@sluice/kernel';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type EntityManager } from 'typeorm';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scope: ApiKeyScope;
}

/** Who used a key and when is worth a write now and then, not one per request. */
const USE_RECORDED_EVERY_S = 60;

/** One look-up by the hash: how long it takes says nothing about other keys. The clock is the database's, one for all replicas. */
const lookUp = (column: 'key_hash' | 'id'): string => `
  SELECT k.id, k.name, k.is_deployment_wide AS "isDeploymentWide", k.revoked_at IS NOT NULL AS "isRevoked",
         coalesce(k.expires_at <= now(), false) AS "isExpired",
         coalesce(k.last_used_at < now() - make_interval(secs => $2), true) AS "isUseDue",
         coalesce((SELECT json_agg(json_build_object('projectId', r.project_id, 'role', r.role) ORDER BY r.project_id)
                   FROM api_key_roles r WHERE r.key_id = k.id), '[]') AS projects
  FROM api_keys k
  WHERE k.${column} = $1`;

interface Found {
  readonly id: string;
  readonly name: string;
  readonly isDeploymentWide: boolean;
  readonly isRevoked: boolean;
  readonly isExpired: boolean;
  readonly isUseDue: boolean;
  readonly projects: { projectId: ProjectId; role: Role }[];
}

/**
 * Whose key that is, and notes that it was used.
 * @throws SluiceError 6005 for a key that is not known, 6010 for an expired one, 6011 for a revoked one.
 */
export async function verifyKey(manager: EntityManager, presented: Secret): Promise<ApiKey> {
  const [found]: Found[] = await manager.query(lookUp('key_hash'), [hashOf(presented), USE_RECORDED_EVERY_S]);
  if (!found) throw new SluiceError('SLUICE-6005', { detail: 'the API key is not known' });
  if (found.isRevoked) throw new SluiceError('SLUICE-6011', { detail: `key ${found.name}` });
  if (found.isExpired) throw new SluiceError('SLUICE-6010', { detail: `key ${found.name}` });
  if (found.isUseDue) await noteUse(manager, found.id);
  return toKey(found);
}

/** Whether a key that was verified before would still be, and reaches as far. */
export async function isKeyUnchanged(manager: EntityManager, key: ApiKey): Promise<boolean> {
  const [found]: Found[] = await manager.query(lookUp('id'), [key.id, USE_RECORDED_EVERY_S]);
  return found !== undefined && !found.isRevoked && !found.isExpired && isDeepStrictEqual(toKey(found), key);
}

function toKey({ id, name, isDeploymentWide, projects }: Found): ApiKey {
  return { id, name, scope: isDeploymentWide ? { kind: 'deployment' } : { kind: 'projects', projects } };
}

/** Requests that come at once leave one write: the condition is looked at again on the locked row. */
async function noteUse(manager: EntityManager, id: string): Promise<void> {
  await manager.query(
    `UPDATE api_keys SET last_used_at = now()
     WHERE id = $1 AND coalesce(last_used_at < now() - make_interval(secs => $2), true)`,
    [id, USE_RECORDED_EVERY_S],
  );
}

export function hashOf(key: Secret): Buffer {
  return createHash('sha256').update(key.reveal()).digest();
}
