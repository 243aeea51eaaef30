import { SluiceError } from '@sluice/contracts';
import { timingSafeEqual } from 'node:crypto';
import { type EntityManager } from 'typeorm';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity.js';
import { type Sealer } from './sealed-box.js';
import { type Origin } from './stored-task.js';

/** What is created, and the column that holds its id; the row goes with the object. */
const COLUMNS = { task: 'taskId', project: 'projectId', 'api-key': 'apiKeyId' } as const;

export interface CreateOptions {
  readonly origin: Origin;
  readonly idempotencyKey?: string | undefined;
}

export interface Creation extends CreateOptions {
  readonly kind: keyof typeof COLUMNS;
  /** What was asked for; only its fingerprint is kept. */
  readonly request: unknown;
}

export interface CreatedId {
  readonly id: string;
  /** The same request with the same key had made it already. */
  readonly isReplay: boolean;
}

/** Creates at most once per caller and `Idempotency-Key`, in the transaction of the caller. */
export class IdempotentCreation {
  constructor(private readonly sealer: Sealer) {}

  /** @throws SluiceError 6001 when the key was used for another request. */
  async once(manager: EntityManager, creation: Creation, make: () => Promise<string>): Promise<CreatedId> {
    const { kind, idempotencyKey: key, origin, request } = creation;
    if (key === undefined) return { id: await make(), isReplay: false };
    const actor = origin.keyId ?? origin.actor;
    const requestMac = this.sealer.mac(JSON.stringify(request));
    // Two requests with one key at once: the second waits here and then finds what the first made.
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${actor}\n${key}`]);
    const earlier = await manager.findOneBy(IdempotencyKeyEntity, { actor, key });
    if (earlier) return { id: replayed(earlier, kind, requestMac), isReplay: true };
    const id = await make();
    await manager.insert(IdempotencyKeyEntity, { actor, key, requestMac, [COLUMNS[kind]]: id });
    return { id, isReplay: false };
  }
}

function replayed(earlier: IdempotencyKeyEntity, kind: Creation['kind'], requestMac: Buffer): string {
  const id = earlier[COLUMNS[kind]];
  if (id === null || !timingSafeEqual(earlier.requestMac, requestMac)) {
    throw new SluiceError('SLUICE-6001', { detail: 'this Idempotency-Key was used for another request' });
  }
  return id;
}
