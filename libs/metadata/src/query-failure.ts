import { QueryFailedError } from 'typeorm';

/** SQLSTATE 23505. */
export function isUniqueViolation(error: unknown): boolean {
  return hasSqlState(error, '23505');
}

/** SQLSTATE 23503. */
export function isForeignKeyViolation(error: unknown): boolean {
  return hasSqlState(error, '23503');
}

function hasSqlState(error: unknown, sqlState: string): boolean {
  return error instanceof QueryFailedError && 'code' in error && error.code === sqlState;
}
