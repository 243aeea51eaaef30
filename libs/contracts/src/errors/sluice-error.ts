import { type ErrorReport } from '../primitives.js';
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

  /** What another process reported, as the error that it was there. One that this version does not know is 9001. */
  static fromReport({ code, ...options }: ErrorReport): SluiceError {
    return new SluiceError(isErrorCode(code) ? code : 'SLUICE-9001', options);
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code];
  }

  /** As it travels, without its cause. */
  toReport(): ErrorReport {
    const { code, detail, remedy, evidence } = this;
    return { code, detail, remedy, ...(evidence && { evidence: { ...evidence } }) };
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
