import { SluiceError } from '@sluice/contracts';
import { type Endpoint, parseConnectionUrl } from '@sluice/postgres-client';
import { parseArgs } from 'node:util';

export interface Databases {
  readonly source: Endpoint;
  readonly target: Endpoint;
}

export interface StartOptions {
  /** `null`: the sample databases. */
  readonly databases: Databases | null;
  readonly once: boolean;
  /** Stay incremental that long before ending as with `once`. */
  readonly incrementalSeconds: number | null;
  readonly keepDir: string | null;
  /** Of the API; `null`: the default, or a free one. */
  readonly port: number | null;
}

export type Command = { readonly kind: 'help' } | { readonly kind: 'run'; readonly options: StartOptions };

/** The command line cannot be understood: what is wrong with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const SECONDS_MAX = 30 * 24 * 3600;

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Command {
  const values = readFlags(argv);
  if (values.help) return { kind: 'help' };
  const incrementalSeconds = values.for === undefined ? null : wholeNumber('--for', values.for, [0, SECONDS_MAX]);
  return {
    kind: 'run',
    options: {
      databases: databases(values.source, values.target),
      once: values.once === true || incrementalSeconds !== null,
      incrementalSeconds,
      keepDir: values.keep ?? null,
      port: values.port === undefined ? null : wholeNumber('--port', values.port, [1, 65_535]),
    },
  };
}

interface Flags {
  source?: string;
  target?: string;
  once?: boolean;
  for?: string;
  keep?: string;
  port?: string;
  help?: boolean;
}

function readFlags(argv: readonly string[]): Flags {
  try {
    const { values } = parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        source: { type: 'string' },
        target: { type: 'string' },
        once: { type: 'boolean' },
        for: { type: 'string' },
        keep: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    // Node explains at length how to pass a positional argument; there are none here.
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error), {
      cause: error,
    });
  }
}

function databases(source: string | undefined, target: string | undefined): Databases | null {
  if (source === undefined && target === undefined) return null;
  if (source === undefined) throw new UsageError('--target is given without --source; give both or none');
  if (target === undefined) throw new UsageError('--source is given without --target; give both or none');
  const pair = { source: endpoint('--source', source), target: endpoint('--target', target) };
  if (address(pair.source) === address(pair.target)) {
    throw new UsageError('--source and --target are the same database');
  }
  return pair;
}

function endpoint(flag: string, url: string): Endpoint {
  try {
    return parseConnectionUrl(url, flag);
  } catch (error) {
    if (error instanceof SluiceError) throw new UsageError(`${error.detail}. ${error.remedy}`, { cause: error });
    throw new UsageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function address({ host, port, database }: Endpoint): string {
  return `${host}:${port}/${database}`;
}

function wholeNumber(flag: string, text: string, [low, high]: readonly [number, number]): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) throw new UsageError(`${flag} must be a whole number from ${low} to ${high}`);
  return value;
}
