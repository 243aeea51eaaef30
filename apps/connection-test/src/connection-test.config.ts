import { BaseConfig } from '@sluice/service-runtime';
import { z } from 'zod';

export const ConnectionTestConfig = BaseConfig.extend({
  SLUICE_CONNECTION_TEST_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(20)
    .describe('Connection tests that one process runs at the same time.'),
  SLUICE_CONNECTION_TEST_STEP_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(10_000)
    .describe('Time for one step of a connection test; a server that has not answered by then is unreachable.'),
});
export type ConnectionTestConfig = z.infer<typeof ConnectionTestConfig>;
