/** SQLSTATEs by name: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SQLSTATE = {
  connectionException: '08000',
  connectionFailure: '08006',
  protocolViolation: '08P01',
  divisionByZero: '22012',
  characterNotInRepertoire: '22021',
  untranslatableCharacter: '22P05',
  uniqueViolation: '23505',
  foreignKeyViolation: '23503',
  exclusionViolation: '23P01',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  invalidCatalogName: '3D000',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  insufficientPrivilege: '42501',
  undefinedColumn: '42703',
  undefinedTable: '42P01',
  undefinedObject: '42704',
  duplicateObject: '42710',
  diskFull: '53100',
  outOfMemory: '53200',
  tooManyConnections: '53300',
  objectNotInPrerequisiteState: '55000',
  objectInUse: '55006',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  cannotConnectNow: '57P03',
  idleSessionTimeout: '57P05',
  readOnlySqlTransaction: '25006',
} as const;

/** The SQLSTATE of a server's error, or `null` when it is none. */
export function sqlStateOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const { code } = error;
  // Every SQLSTATE has a digit; EPIPE of the operating system looks like one but for that.
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : null;
}

export function hasSqlState(error: unknown, ...states: readonly string[]): boolean {
  const state = sqlStateOf(error);
  return state !== null && states.includes(state);
}
