import { ERRORS, type ErrorCode, type ErrorSpec } from './catalogue.js';

export interface SluiceErrorOptions {
  /** What happened and where, for a person; never row values or secrets. */
  readonly detail: string;
  /** Replaces the catalogue's remedy where the occurrence knows better (SQL to paste, a line for pg_hba.conf). */
  readonly remedy?: string;
  /** Facts for programs, by name; shown to the API's consumers. */
  readonly evidence?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

/** An error of the world with a catalogued code. Upper layers decide by `code`, never by message text. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly remedy: string;
  readonly evidence: Readonly<Record<string, string>> | undefined;

  constructor(code: ErrorCode, options: SluiceErrorOptions) {
    super(`${code} ${ERRORS[code].title}: ${options.detail}`, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.remedy = options.remedy ?? ERRORS[code].remedy;
    this.evidence = options.evidence;
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code];
  }
}
