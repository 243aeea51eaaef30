export type EmbeddedFailure =
  | 'install-failed'
  | 'unsupported-platform'
  | 'folder-not-accessible'
  | 'wrong-data-version'
  | 'port-taken'
  | 'disk-full'
  | 'start-failed'
  | 'stop-failed';

/** A server program could not be installed, started or stopped: what, why, and what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
  readonly failure: EmbeddedFailure;
  readonly remedy: string;

  constructor(failure: EmbeddedFailure, options: { detail: string; remedy: string; cause?: unknown }) {
    super(`${options.detail}\n  What to do: ${options.remedy}`, { cause: options.cause });
    this.failure = failure;
    this.remedy = options.remedy;
  }
}

/** PostgreSQL writes the hint, and no error of the operating system, when a write came back short. */
export function isDiskFull(output: string): boolean {
  return /ENOSPC|EDQUOT|no space left on device|disk quota exceeded|check free disk space/i.test(output);
}

const LOG_TAIL_LINES = 12;

/** Names the cause of a failed start from what the server wrote before it ended. */
export function classifyStartFailure(what: string, log: string): EmbeddedError {
  const tail = log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n    ');
  const detail = (why: string): string => `${what}: ${why}\n    ${tail || '(its log is empty)'}`;
  if (/address already in use/i.test(log)) {
    return new EmbeddedError('port-taken', {
      detail: detail('the port is taken by another process'),
      remedy: 'Stop the process that listens on the port, or choose another port.',
    });
  }
  if (isDiskFull(log)) {
    return new EmbeddedError('disk-full', {
      detail: detail('the disk is full'),
      remedy: 'Free space on the disk of the data folder, or choose a folder on another disk.',
    });
  }
  if (/error while loading shared libraries|library not loaded/i.test(log)) {
    return new EmbeddedError('install-failed', {
      detail: detail('a shared library is missing'),
      remedy: 'Remove node_modules/.cache/sluice and start again; install the library named if it stays missing.',
    });
  }
  return new EmbeddedError('start-failed', {
    detail: detail('it ended while it was starting'),
    remedy: 'See the lines of its log above.',
  });
}
