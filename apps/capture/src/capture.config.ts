import { CHANGES_MAX_BYTES_DEFAULT } from '@sluice/contracts';
import { BaseConfig } from '@sluice/service-runtime';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

export const CaptureConfig = BaseConfig.extend({
  SLUICE_CAPTURE_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(200)
    .describe('Tasks whose changes one process reads at the same time.'),
  SLUICE_CAPTURE_STATUS_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(30_000)
    .default(10_000)
    .describe('How often the confirmed LSN is reported to the source at least; at most 60 % of wal_sender_timeout.'),
  SLUICE_CAPTURE_IDLE_WATERMARK_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(5_000)
    .describe('How often the position of an idle source is passed on, so that its WAL can be freed.'),
  SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .describe('How often the source is asked for tables whose changes are not published; such a table fails the task.'),
  SLUICE_CAPTURE_WINDOW_BYTES: z.coerce
    .number()
    .int()
    .min(MEBIBYTE)
    .max(256 * MEBIBYTE)
    .default(4 * MEBIBYTE)
    .describe('Bytes of one task that may be under way to the bus before reading from the source stops.'),
  SLUICE_CAPTURE_WHOLE_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe(
      'For how long transactions are sent after their commit only when one could not be followed while it ran; doubled, up to sixty times as long, while that happens again.',
    ),
  SLUICE_CHANGES_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(4 * MEBIBYTE)
    .default(CHANGES_MAX_BYTES_DEFAULT)
    .describe('Bound of one change stream on the bus; when it is full, reading from the source stops.'),
});
export type CaptureConfig = z.infer<typeof CaptureConfig>;
