import { Secret } from '@sluice/kernel';
import { BaseConfig, SecretText } from '@sluice/service-runtime';
import { z } from 'zod';

const secretOfLength = (charactersMin: number) =>
  z
    .string()
    .min(charactersMin)
    .transform((text) => new Secret(text));

export const TaskManagementConfig = BaseConfig.extend({
  SLUICE_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe('Port of the API and of the health checks; 0 takes a free one and logs it.'),
  SLUICE_METADATA_URL: SecretText.describe(
    'Metadata database: postgres://user:password@host:port/database, optionally with ?sslmode=verify-full&sslrootcert=FILE.',
  ),
  SLUICE_MASTER_KEY: secretOfLength(32).describe(
    'Under which the credentials of tasks are sealed, at least 32 characters of high entropy. Without it they cannot be read again.',
  ),
  SLUICE_API_RATE: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Requests a second that a process answers to one API key, on average; more are answered with 429.'),
  SLUICE_API_BURST: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe('Requests of one API key that may come at once after a pause.'),
  SLUICE_ADMIN_KEY: secretOfLength(24)
    .optional()
    .describe(
      'API key of the administrator, at least 24 characters. When absent, the first start makes one and logs it once.',
    ),
});
export type TaskManagementConfig = z.infer<typeof TaskManagementConfig>;
