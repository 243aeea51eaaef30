import { HttpException } from '@nestjs/common';
import { ERRORS, type ErrorCode, type ProblemDocument, SluiceError } from '@sluice/contracts';
import { ZodError } from 'zod';
import { ActionRefusedError } from '../action-refused-error.js';
import { ListRefusedError } from '../object-list/list-refused-error.js';

/** What is an error of the request rather than of ours, by the status that Nest or Express gives it. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'SLUICE-6001',
  401: 'SLUICE-6005',
  404: 'SLUICE-6002',
  405: 'SLUICE-6002',
  413: 'SLUICE-6007',
  415: 'SLUICE-6001',
};

/** One of ours has a code of the catalogue. */
type Problem = ProblemDocument & { readonly code: ErrorCode };

/** Any error as a problem document. What is not catalogued is an internal error whose text stays in the log. */
export function toProblem(error: unknown, traceId: string | null): Problem {
  const trace = traceId === null ? {} : { traceId };
  if (error instanceof ZodError) {
    // zod's messages say what was expected; the value, which can be a password, is never repeated.
    const errors = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
    return { ...problem('SLUICE-6001', detail), errors, ...trace };
  }
  if (error instanceof SluiceError) {
    const allowed = error instanceof ActionRefusedError ? { allowedActions: [...error.allowedActions] } : {};
    const errors = error instanceof ListRefusedError ? { errors: [...error.errors] } : {};
    return { ...problem(error.code, error.detail, error.remedy), ...allowed, ...errors, ...trace };
  }
  const code = CODE_BY_STATUS[statusOf(error) ?? 500];
  return { ...(code ? problem(code, describe(error)) : problem('SLUICE-9001', 'see the log')), ...trace };
}

function problem(code: ErrorCode, detail: string, remedy: string = ERRORS[code].remedy): Problem {
  const { title, httpStatus } = ERRORS[code];
  return { type: `urn:sluice:error:${code}`, title, status: httpStatus, detail, code, remedy };
}

/** Express' body parser throws plain errors that carry a status. */
function statusOf(error: unknown): number | null {
  if (error instanceof HttpException) return error.getStatus();
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  return typeof error.status === 'number' ? error.status : null;
}

/** A parser quotes what it could not parse, which can hold a password; Nest's own texts name method and path only. */
function describe(error: unknown): string {
  if (error instanceof HttpException && error.getStatus() !== 400) return error.message;
  return statusOf(error) === 413 ? 'the body is larger than 2 MiB' : 'the body is not valid JSON';
}
