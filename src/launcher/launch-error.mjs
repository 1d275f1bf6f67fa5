/**
 * Something the user can put right. The launcher prints its message as one line without a stack, so the message says
 * what is wrong and what to do next.
 */
export class LaunchError extends Error {}

/**
 * The sentence for a full disk; shared, because an install and a build can both meet one.
 * @param {string} path what could not be written
 * @returns {LaunchError}
 */
export function diskFull(path) {
  return new LaunchError(
    `The disk is full (ENOSPC) at ${path}: free about 1 GB there, then run the same command again.`,
  );
}

/**
 * What to say where the system refused the launcher itself a file; any other error is returned as it is.
 * @param {unknown} error
 * @returns {unknown}
 */
export function launchErrorOf(error) {
  if (!(error instanceof Error && 'code' in error)) return error;
  const path = 'path' in error ? String(error.path) : 'the checkout';
  switch (error.code) {
    case 'ENOSPC':
      return diskFull(path);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'EEXIST':
    case 'ENOTDIR':
      return new LaunchError(`${path} may not be written (${error.code}): give yourself the checkout, then try again.`);
    default:
      return error;
  }
}

/** A signal ended the set-up: nothing to explain, only the exit code to pass on. */
export class Interrupted extends Error {
  /** @param {number} code */
  constructor(code) {
    super('interrupted');
    this.code = code;
  }
}
