import { type ErrorCode, ERRORS, SluiceError } from '@sluice/contracts';
import { EmbeddedError, type EmbeddedFailure } from '@sluice/embedded';
import { EXIT, type ExitCode } from './usage.js';

const CODE_BY_FAILURE = {
  'install-failed': 'SLUICE-8004',
  'unsupported-platform': 'SLUICE-8004',
  'folder-not-accessible': 'SLUICE-8001',
  'wrong-data-version': 'SLUICE-8001',
  'port-taken': 'SLUICE-8003',
  'disk-full': 'SLUICE-8002',
  'start-failed': 'SLUICE-8004',
  'stop-failed': 'SLUICE-8004',
} as const satisfies Record<EmbeddedFailure, ErrorCode>;

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'SLUICE-8002',
  EDQUOT: 'SLUICE-8002',
  EACCES: 'SLUICE-8001',
  EPERM: 'SLUICE-8001',
  EROFS: 'SLUICE-8001',
  EADDRINUSE: 'SLUICE-8003',
};

/** Any error as a catalogued one: what, where, why, and what to do. */
export function classifyFailure(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof EmbeddedError) {
    const detail = error.message.split('\n  What to do:')[0] ?? error.message;
    return new SluiceError(CODE_BY_FAILURE[error.failure], { detail, remedy: error.remedy, cause: error });
  }
  const detail = error instanceof Error ? error.message : String(error);
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new SluiceError(SYSTEM_CODES[systemCode] ?? 'SLUICE-9001', { detail, cause: error });
}

/** The lines that a person reads at the end of a failed run. */
export function failureLines({ code, detail, remedy }: Pick<SluiceError, 'code' | 'detail' | 'remedy'>): string[] {
  return reportLines({ code, detail, remedy });
}

/** The same for an error that came over the API, whose code a newer version may have made. */
export function reportLines(report: { code: string; detail: string; remedy: string }): string[] {
  const title = isKnown(report.code) ? ERRORS[report.code].title : 'Error';
  return [`✗ ${report.code} ${title}`, `  what: ${report.detail}`, `  fix:  ${report.remedy}`];
}

export function exitCodeOf({ code }: SluiceError): ExitCode {
  return code.startsWith('SLUICE-8') ? EXIT.environment : EXIT.failed;
}

function isKnown(code: string): code is ErrorCode {
  return code in ERRORS;
}
