export type DatabaseErrorCode =
  'not-bundled' | 'disk-full' | 'no-socket' | 'init-failed' | 'start-failed' | 'unreachable' | 'migration-failed';

/** The database cannot be used, for a reason that a person can remove; one sentence with the next step. */
export class DatabaseError extends Error {
  override name = 'DatabaseError';

  constructor(
    readonly code: DatabaseErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** From what a program of PostgreSQL last said. */
export function databaseErrorOf(code: DatabaseErrorCode, what: string, lastWords: string): DatabaseError {
  if (/no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i.test(lastWords)) {
    return new DatabaseError('disk-full', `${what}: the disk is full. Free some space and start again.`);
  }
  return new DatabaseError(code, `${what}: ${lastWords}`);
}
