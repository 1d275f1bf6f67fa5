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

/** A signal ended the set-up: nothing to explain, only the exit code to pass on. */
export class Interrupted extends Error {
  /** @param {number} code */
  constructor(code) {
    super('interrupted');
    this.code = code;
  }
}
