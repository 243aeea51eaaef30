import { CHANGES_MAX_BYTES_DEFAULT } from '@sluice/contracts';
import { BaseConfig } from '@sluice/service-runtime';
import { z } from 'zod';

export const ApplyConfig = BaseConfig.extend({
  SLUICE_APPLY_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(200)
    .describe('Tasks that this process applies at the same time; further ones go to other replicas or wait.'),
  SLUICE_APPLY_PREFETCH_BYTES: z.coerce
    .number()
    .int()
    .min(1_048_576)
    .max(1_073_741_824)
    .default(4_194_304)
    .describe('Changes of one task that may wait in memory unread, bytes.'),
  SLUICE_APPLY_SILENCE_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(15_000)
    .describe(
      'Time without a sign of a target that owes an answer; then it is asked through a second connection whether the session still works.',
    ),
  SLUICE_CHANGES_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(8_388_608)
    .default(CHANGES_MAX_BYTES_DEFAULT)
    .describe("Bound of one task's change stream on the bus, bytes; a full one makes capture wait."),
});
export type ApplyConfig = z.infer<typeof ApplyConfig>;
