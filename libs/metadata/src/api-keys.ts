import { Secret } from '@sluice/kernel';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type DataSource, IsNull } from 'typeorm';
import { ApiKeyEntity } from './entities/api-key.entity.js';
import { LOCKS } from './locks.js';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
}

const ADMIN = 'admin';

/** Keys of the API. Only their hashes are stored. */
export class ApiKeys {
  constructor(private readonly dataSource: DataSource) {}

  async verify(presented: Secret): Promise<ApiKey | null> {
    const row = await this.dataSource.manager.findOneBy(ApiKeyEntity, {
      keyHash: hashOf(presented),
      revokedAt: IsNull(),
    });
    return row && { id: row.id, name: row.name };
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
      const key = configured ?? new Secret(`slk_${randomBytes(32).toString('base64url')}`);
      await manager.insert(ApiKeyEntity, {
        id: randomUUID(),
        name: ADMIN,
        keyHash: hashOf(key),
        createdAt: new Date(),
        revokedAt: null,
      });
      return configured ? null : key;
    });
  }
}

function hashOf(key: Secret): Buffer {
  return createHash('sha256').update(key.reveal()).digest();
}
