import { type ApiKeyScope, type ProjectId, type Role, SluiceError } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { randomBytes, randomUUID } from 'node:crypto';
import { type DataSource, type EntityManager, In } from 'typeorm';
import { type AuditEntry, type AuditLog } from './audit-log.js';
import { ApiKeyRoleEntity } from './entities/api-key-role.entity.js';
import { ApiKeyEntity } from './entities/api-key.entity.js';
import { type CreatedId, type CreateOptions, type IdempotentCreation } from './idempotent-creation.js';
import { type ApiKey, hashOf, isKeyUnchanged, verifyKey } from './key-verifier.js';
import { LOCKS } from './locks.js';
import { type InProjects, type Page, readPage } from './page.js';
import { isForeignKeyViolation } from './query-failure.js';
import { type Origin } from './stored-task.js';

export interface NewApiKey {
  readonly name: string;
  readonly scope: ApiKeyScope;
  readonly expiresAt: Date | null;
}

/** A key as it may be shown: without the secret, which is not kept. */
export interface StoredApiKey extends NewApiKey {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface ApiKeyQuery {
  /** Keys all of whose projects are among these. */
  readonly projects: InProjects;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const ADMIN = 'admin';

/** Keys of the API. Only their hashes are stored. */
export class ApiKeys {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tools: { readonly audit: AuditLog; readonly idempotency: IdempotentCreation },
  ) {}

  /** @throws SluiceError 6005, 6010, 6011 */
  verify(presented: Secret): Promise<ApiKey> {
    return verifyKey(this.dataSource.manager, presented);
  }

  /** Whether a key that was verified before would still be, and reaches as far. */
  isUnchanged(key: ApiKey): Promise<boolean> {
    return isKeyUnchanged(this.dataSource.manager, key);
  }

  /**
   * @returns the secret, to be shown once; `null` when an earlier request with the same Idempotency-Key had made the key.
   * @throws SluiceError 6002 without one of the projects, 6001 when the Idempotency-Key was used for another request.
   */
  async create(key: NewApiKey, options: CreateOptions): Promise<CreatedId & { readonly secret: Secret | null }> {
    const secret = newSecret();
    const created = await this.dataSource.transaction((manager) =>
      this.tools.idempotency.once(manager, { ...options, kind: 'api-key', request: key }, async () => {
        const id = await insertKey(manager, key, secret);
        await this.#record(manager, {
          origin: options.origin,
          action: 'create',
          key: { ...key, id },
          after: scopeAndExpiry(key),
        });
        return id;
      }),
    );
    return { ...created, secret: created.isReplay ? null : secret };
  }

  async list(query: ApiKeyQuery): Promise<Page<StoredApiKey>> {
    const builder = this.dataSource.manager.createQueryBuilder(ApiKeyEntity, 'key');
    if (query.projects !== 'all') {
      const { projects } = query;
      builder
        .where('NOT key.isDeploymentWide')
        .andWhere('EXISTS (SELECT FROM api_key_roles r WHERE r.key_id = key.id)')
        .andWhere(
          'NOT EXISTS (SELECT FROM api_key_roles r WHERE r.key_id = key.id AND r.project_id <> ALL(:projects))',
          { projects },
        );
    }
    const { items, nextCursor } = await readPage(builder, query);
    return { items: await withScopes(this.dataSource.manager, items), nextCursor };
  }

  async find(id: string): Promise<StoredApiKey | null> {
    const rows = await this.dataSource.manager.findBy(ApiKeyEntity, { id });
    return (await withScopes(this.dataSource.manager, rows))[0] ?? null;
  }

  /** For good. Revoking a key that is revoked changes nothing. @returns the key afterwards, `null` when there is none. */
  async revoke(id: string, origin: Origin): Promise<StoredApiKey | null> {
    return this.dataSource.transaction(async (manager) => {
      const where = { id };
      const row = await manager.findOne(ApiKeyEntity, { where, lock: { mode: 'pessimistic_write' } });
      const [key] = await withScopes(manager, row ? [row] : []);
      if (!key || key.revokedAt) return key ?? null;
      const revokedAt = new Date();
      await manager.update(ApiKeyEntity, id, { revokedAt });
      await this.#record(manager, { origin, action: 'revoke', key, before: scopeAndExpiry(key) });
      return { ...key, revokedAt };
    });
  }

  /**
   * Makes sure that somebody can log in: stores `configured` if it is given, else makes a key when there is none yet.
   * @returns the key that was made, to be shown once; `null` when none was.
   */
  async ensureAdmin(configured: Secret | null): Promise<Secret | null> {
    return this.dataSource.transaction(async (manager) => {
      // Replicas that start together must not make a key each.
      await manager.query('SELECT pg_advisory_xact_lock($1)', [LOCKS.adminKey]);
      const isNeeded = configured
        ? !(await manager.existsBy(ApiKeyEntity, { keyHash: hashOf(configured) }))
        : !(await manager.exists(ApiKeyEntity));
      if (!isNeeded) return null;
      const secret = configured ?? newSecret();
      await insertKey(manager, { name: ADMIN, scope: { kind: 'deployment' }, expiresAt: null }, secret);
      return configured ? null : secret;
    });
  }

  #record(manager: EntityManager, { key, ...entry }: KeyChange): Promise<void> {
    const object = { kind: 'api-key', id: key.id, name: key.name } as const;
    return this.tools.audit.record({ ...entry, projectId: onlyProject(key.scope), object, outcome: 'done' }, manager);
  }
}

type KeyChange = Pick<AuditEntry, 'origin' | 'action' | 'before' | 'after'> & {
  readonly key: Pick<StoredApiKey, 'id' | 'name' | 'scope'>;
};

function scopeAndExpiry({ scope, expiresAt }: NewApiKey): Record<string, unknown> {
  return { scope, expiresAt: expiresAt?.toISOString() ?? null };
}

function newSecret(): Secret {
  return new Secret(`slk_${randomBytes(32).toString('base64url')}`);
}

async function insertKey(
  manager: EntityManager,
  { name, scope, expiresAt }: NewApiKey,
  secret: Secret,
): Promise<string> {
  const id = randomUUID();
  const isDeploymentWide = scope.kind === 'deployment';
  const unused = { lastUsedAt: null, revokedAt: null };
  const keyHash = hashOf(secret);
  const createdAt = new Date();
  await manager.insert(ApiKeyEntity, { id, name, keyHash, isDeploymentWide, createdAt, expiresAt, ...unused });
  if (scope.kind === 'deployment') return id;
  const roles = scope.projects.map((one) => ({ keyId: id, ...one }));
  await manager.insert(ApiKeyRoleEntity, roles).catch((error: unknown) => {
    if (!isForeignKeyViolation(error)) throw error;
    throw new SluiceError('SLUICE-6002', { detail: 'a project of the scope', cause: error });
  });
  return id;
}

async function withScopes(manager: EntityManager, rows: readonly ApiKeyEntity[]): Promise<readonly StoredApiKey[]> {
  const roles = await manager.findBy(ApiKeyRoleEntity, { keyId: In(rows.map(({ id }) => id)) });
  return rows.map(({ id, name, isDeploymentWide, createdAt, expiresAt, lastUsedAt, revokedAt }) => ({
    id,
    name,
    scope: isDeploymentWide ? { kind: 'deployment' } : { kind: 'projects', projects: rolesOf(id, roles) },
    createdAt,
    expiresAt,
    lastUsedAt,
    revokedAt,
  }));
}

function rolesOf(id: string, roles: readonly ApiKeyRoleEntity[]): { projectId: ProjectId; role: Role }[] {
  return roles.filter(({ keyId }) => keyId === id).map(({ projectId, role }) => ({ projectId, role }));
}

/** In whose audit a key is seen; one of several projects is the deployment's business. */
function onlyProject(scope: ApiKeyScope): ProjectId | null {
  if (scope.kind === 'deployment' || scope.projects.length !== 1) return null;
  return scope.projects[0]?.projectId ?? null;
}
