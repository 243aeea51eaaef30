import { BaseConfig } from '@sluice/service-runtime';
import { z } from 'zod';

export const PrecheckConfig = BaseConfig.extend({
  SLUICE_PRECHECK_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(10)
    .describe('Prechecks of tasks that one process runs at the same time.'),
  SLUICE_PRECHECK_CHECK_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(600_000)
    .default(30_000)
    .describe('Time for one check; one that takes longer counts as failed.'),
});
export type PrecheckConfig = z.infer<typeof PrecheckConfig>;
