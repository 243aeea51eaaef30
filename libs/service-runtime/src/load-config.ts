import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Secret } from '@sluice/kernel';
import { z } from 'zod';

/** What the environment says, before it is parsed. */
export type Environment = Readonly<Record<string, string | undefined>>;

const BUS_KEY_BYTES = 32;

/** A secret given as text; printed as `[redacted]` from here on. */
export const SecretText = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));

const BusKey = z
  .string()
  .refine((text) => Buffer.from(text, 'base64').length === BUS_KEY_BYTES, `must be ${BUS_KEY_BYTES} bytes in base64`)
  .transform((text) => new Secret(text));

/** What every service needs. An app extends it: `BaseConfig.extend({ … })`. A variable `X_FILE` gives `X` as the content of a file. */
export const BaseConfig = z.object({
  SLUICE_NATS_URL: z
    .string()
    .min(1)
    .default('nats://127.0.0.1:4222')
    .describe('Servers of the bus, separated by commas.'),
  SLUICE_NATS_TOKEN: SecretText.optional().describe('Token for the bus, when it asks for one.'),
  SLUICE_BUS_REPLICAS: z.coerce
    .number()
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe(
      'Servers of the bus that keep a copy of each stream; the same for all services. 3 or 5 need a cluster of as many servers. Streams that exist get more copies, never fewer.',
    ),
  SLUICE_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(0)
    .describe('Port of health checks and, in task-management, of the API; 0 takes a free one and logs it.'),
  SLUICE_HTTP_HOST: z.string().min(1).default('127.0.0.1').describe('Address that the HTTP port listens on.'),
  SLUICE_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('Least level that is logged.'),
  SLUICE_BUS_KEY: BusKey.describe(
    'Key that the services of a deployment share, 32 bytes in base64; who has it may ask for credentials.',
  ),
  SLUICE_WORKER_NAME: z
    .string()
    .min(1)
    .optional()
    .describe('Name of this process in events and logs; `<service>-<4 hex>` when absent.'),
});
export type BaseConfig = z.infer<typeof BaseConfig>;

/** The configuration is wrong; names every variable that is, without its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Parses the environment, once, at the start. @throws ConfigError that lists everything that is wrong. */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment = process.env,
): z.output<Schema> {
  const parsed = schema.safeParse(withFiles(environment));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new ConfigError(`the configuration is wrong:\n${lines.join('\n')}`);
}

export function workerName(service: string, config: Pick<BaseConfig, 'SLUICE_WORKER_NAME'>): string {
  return config.SLUICE_WORKER_NAME ?? `${service}-${randomBytes(2).toString('hex')}`;
}

/** `name` or `name:n` of the point where a fault test wants this process to be killed. */
export function killPointSetting(environment: Environment = process.env): { name: string; arrival: number } | null {
  const text = environment['SLUICE_KILL_POINT'];
  if (!text) return null;
  const [name = '', arrival = '1'] = text.split(':');
  return { name, arrival: Number(arrival) };
}

const FILE_SUFFIX = '_FILE';

function withFiles(environment: Environment): Environment {
  // An empty variable is how shells and compose files write "not set".
  const result: Record<string, string | undefined> = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== ''),
  );
  for (const [name, path] of Object.entries(result)) {
    if (!name.startsWith('SLUICE_') || !name.endsWith(FILE_SUFFIX) || path === undefined) continue;
    const target = name.slice(0, -FILE_SUFFIX.length);
    if (result[target] !== undefined) continue;
    try {
      result[target] = readFileSync(path, 'utf8').trim();
    } catch (error) {
      throw new ConfigError(`the configuration is wrong:\n  ${name}: cannot be read`, { cause: error });
    }
  }
  return result;
}
