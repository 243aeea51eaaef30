import { BaseConfig } from '@sluice/service-runtime';
import { z } from 'zod';

const count = (byDefault: number) => z.coerce.number().int().min(1).max(1000).default(byDefault);

export const FullLoadConfig = BaseConfig.extend({
  SLUICE_FULL_LOAD_COORDINATORS: count(32).describe(
    'Loads that this process coordinates at the same time; each mostly waits.',
  ),
  SLUICE_FULL_LOAD_COPY_WORKERS: count(2).describe('Chunks that this process copies at the same time.'),
  SLUICE_FULL_LOAD_BUILD_WORKERS: count(2).describe(
    'Indexes, constraints and the like that it builds at the same time.',
  ),
  SLUICE_FULL_LOAD_CLEANUP_WORKERS: count(4).describe('Tasks that it cleans up at the same time.'),
  SLUICE_FULL_LOAD_CHUNK_MB: count(96).describe('Size of the parts that a large table is divided into, MiB.'),
  SLUICE_FULL_LOAD_MAINTENANCE_MB: z.coerce
    .number()
    .int()
    .min(1)
    .max(1024 * 1024)
    .default(256)
    .describe('maintenance_work_mem of a session that builds indexes, MiB.'),
  SLUICE_FULL_LOAD_PARALLEL_MAINTENANCE: z.coerce
    .number()
    .int()
    .min(0)
    .max(64)
    .default(2)
    .describe('max_parallel_maintenance_workers of a session that builds indexes (from PostgreSQL 11).'),
  SLUICE_FULL_LOAD_ROLES: z
    .enum(['existing', 'none'])
    .default('existing')
    .describe('Whether owners and privileges of roles that the target has are transferred.'),
});
export type FullLoadConfig = z.infer<typeof FullLoadConfig>;

export const SnapshotHolderConfig = BaseConfig.extend({
  SLUICE_FULL_LOAD_SNAPSHOTS: count(64).describe('Snapshots that this process holds at the same time.'),
  SLUICE_FULL_LOAD_SLOT_LOCK_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe('How long the creation of a slot waits for each transaction that writes on the source.'),
});
export type SnapshotHolderConfig = z.infer<typeof SnapshotHolderConfig>;
